//go:build unix && !linux

package media

import (
	"os"
	"syscall"
)

// isolated gives a child a process group of its own. Only Linux can tie its life to this process.
func isolated() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
