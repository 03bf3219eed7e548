//go:build !linux

package emulator

import "syscall"

// Memory and open files are measured and limited on Linux only.

type memory struct{ held, peak int64 }

func limit(int)                     {}
func resetPeak(int)                 {}
func readMemory(int) (memory, bool) { return memory{}, false }

// reap waits for a child to end and kills what is left of its group.
func (p *process) reap() {
	_ = p.cmd.Wait() // why: how it ended is in cmd.ProcessState
	p.mu.Lock()
	defer p.mu.Unlock()
	signalGroup(p.pid(), syscall.SIGKILL)
	p.reaped = true
}
