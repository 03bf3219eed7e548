// Package scaffold makes a new function: its folder, in the shape that all functions
// have, with a test that passes, and its block in serverless.yml.
//
// The files are templates, one folder a kind of trigger; templates/all has those that
// kinds share. [New] writes all of them or nothing, and overwrites nothing. Of
// serverless.yml every byte stays, but for the block that is added.
package scaffold
