//go:build unix && !linux

package emulator

import "syscall"

// isolate makes the child the leader of its own process group. Only Linux can
// tie its life to the platform's: after kill -9 of the platform a function that
// was running stays.
func isolate() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signalGroup signals a process group. A group that is gone is no error.
func signalGroup(pid int, sig syscall.Signal) { _ = syscall.Kill(-pid, sig) }
