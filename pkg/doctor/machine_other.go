//go:build !unix

package doctor

// openFiles is for systems that have no such limit.
func openFiles() (limit uint64, ok bool) { return 0, false }
