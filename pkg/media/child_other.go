//go:build !unix

package media

import (
	"os"
	"syscall"
)

// isolated does nothing here: there are no process groups.
func isolated() *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) error { return p.Kill() }
