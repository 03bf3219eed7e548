package media

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// isolated gives a child a process group of its own, so that all of it can be killed, and
// ties its life to the thread that starts it.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }

// bind sets the rlimits of a child. Where the system does not allow one, the child has that of
// this process.
func bind(pid int, b bounds) {
	set := func(resource int, value int64) {
		if value > 0 {
			limit := unix.Rlimit{Cur: uint64(value), Max: uint64(value)}
			_ = unix.Prlimit(pid, resource, &limit, nil)
		}
	}
	set(unix.RLIMIT_DATA, b.memory)
	set(unix.RLIMIT_FSIZE, b.file)
	set(unix.RLIMIT_NOFILE, b.files)
	set(unix.RLIMIT_CPU, int64((b.cpu+time.Second-1)/time.Second))
	none := unix.Rlimit{}
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &none, nil)
}

const pipeBytes = 1 << 20 // what a user may set (pipe(7), pipe-max-size)

// widen has a pipe hold more than 64 KB: fewer switches between the two sides.
func widen(pipe *os.File) {
	_, _ = unix.FcntlInt(pipe.Fd(), unix.F_SETPIPE_SZ, pipeBytes)
}
