// Package cossdk holds the tests of pkg/localcos with the COS SDKs of other
// languages: what they write, pkg/cos reads with its checksum, and the other way
// round. The SDKs are pinned by the lock files beside their scripts and
// installed once into the user's cache.
package cossdk
