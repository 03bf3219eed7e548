// Package pack makes of a built function what the platform takes: a zip with the
// binary at its root and the extra files that serverless.yml lists. Beside it lie
// the list of what is in it, an SBOM in CycloneDX, and, with a key, a signature of
// minisign.
//
// All three depend on the binary and the files alone: no clock, no user, no order
// of a folder. So the same commit, built with the same Go, gives the same bytes on
// every machine.
package pack
