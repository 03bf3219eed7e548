package emulator

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner starts processes from one thread that outlives them. On Linux a child
// is told to die with its parent, and by parent the kernel means the thread
// that forked it (prctl(2), PR_SET_PDEATHSIG): started from a thread that the
// Go runtime ends, the child would end with it.
type spawner struct {
	once sync.Once
	jobs chan func()
}

// start is cmd.Start.
func (s *spawner) start(cmd *exec.Cmd) error {
	s.once.Do(func() {
		s.jobs = make(chan func())
		go func() {
			// why: never unlocked, so the thread ends with this goroutine.
			runtime.LockOSThread()
			for job := range s.jobs {
				job()
			}
		}()
	})
	result := make(chan error, 1)
	s.jobs <- func() { result <- cmd.Start() }
	return <-result
}

// close ends the thread, and every process that is left with it. No start may
// follow.
func (s *spawner) close() {
	s.once.Do(func() {})
	if s.jobs != nil {
		close(s.jobs)
	}
}
