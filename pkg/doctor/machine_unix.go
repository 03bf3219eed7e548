//go:build unix

package doctor

import "syscall"

// openFiles gives how many files and connections a process may have open.
func openFiles() (limit uint64, ok bool) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0, false
	}
	return uint64(r.Cur), true
}
