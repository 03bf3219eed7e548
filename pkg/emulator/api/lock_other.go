//go:build !unix

package api

// lock does nothing where a file cannot be held.
func lock(string) (unlock func() error, err error) { return func() error { return nil }, nil }
