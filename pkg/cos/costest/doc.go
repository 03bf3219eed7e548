// Package costest is the conformance suite of pkg/cos on a COS server: what the
// client promises, and what it takes the server to do for it. It runs on
// pkg/localcos, and on a real bucket where the environment names one.
package costest
