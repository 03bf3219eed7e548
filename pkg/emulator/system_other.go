//go:build !unix

package emulator

import (
	"os"
	"syscall"
)

// isolate does nothing here: there are no process groups, and a child outlives
// a platform that is killed.
func isolate() *syscall.SysProcAttr { return nil }

// signalGroup kills the process, whatever the signal; there is no softer way.
func signalGroup(pid int, _ syscall.Signal) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
