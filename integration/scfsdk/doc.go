// Package scfsdk holds the local SCF API to what the official SDKs for Python
// and Node.js make of it: independent clients, which sign and read answers by
// themselves. Their versions are pinned in testdata.
package scfsdk
