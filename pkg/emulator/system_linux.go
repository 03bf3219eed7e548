package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// isolate makes the child the leader of its own process group, so that it and
// what it starts can be killed together and a Ctrl-C on the terminal does not
// reach it, and ties its life to this process: after kill -9 of the platform
// no function goes on.
func isolate() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// limit gives a started child the cloud's bound on file descriptors. Where the
// system does not allow that, the child has the platform's own bound.
func limit(pid int) {
	l := unix.Rlimit{Cur: scf.MaxOpenFiles, Max: scf.MaxOpenFiles}
	_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &l, nil)
}

// reap waits for a child to end and kills what is left of its group. It does so
// before the child is reaped: until then its number belongs to nobody else.
func (p *process) reap() {
	awaitExit(p.pid())
	p.mu.Lock()
	defer p.mu.Unlock()
	signalGroup(p.pid(), syscall.SIGKILL)
	_ = p.cmd.Wait() // why: how it ended is in cmd.ProcessState
	p.reaped = true
}

func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// signalGroup signals a process group. A group that is gone is no error.
func signalGroup(pid int, sig syscall.Signal) {
	_ = syscall.Kill(-pid, sig)
}

// memory is what a process and its descendants use, in bytes.
type memory struct {
	// held cannot be taken back by the kernel: anonymous and shared memory.
	// This is what a memory limit is about; mapped files are not.
	held int64
	// peak is the highest resident size of the process itself since resetPeak.
	peak int64
}

// resetPeak makes the peak begin anew (proc(5), clear_refs).
func resetPeak(pid int) {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/clear_refs", pid), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	_, _ = unix.Write(fd, []byte("5"))
	_ = unix.Close(fd)
}

// procFile is room for a file of /proc that is read here: 1.5 KB of status, or
// the numbers of scf.MaxProcesses children of 8 bytes each.
type procFile [16 << 10]byte

// read gives the content of a file of /proc, as far as there is room. It is on
// the way of every invocation, once a thread of the process, and takes half as
// many system calls as os.ReadFile.
func (b *procFile) read(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	size := 0
	for size < len(b) {
		n, err := unix.Read(fd, b[size:])
		if n <= 0 {
			return b[:size], err
		}
		size += n
	}
	return b[:size], nil
}

// readMemory sums up a process and its descendants. ok is false where the
// process is gone or the system does not tell.
func readMemory(pid int) (m memory, ok bool) {
	m, ok = readStatus(pid)
	if !ok {
		return m, false
	}
	for _, child := range children(pid) {
		// why: one that has ended in the meantime counts as nothing.
		if c, ok := readMemory(child); ok {
			m.held += c.held
			m.peak += c.peak
		}
	}
	return m, true
}

func readStatus(pid int) (memory, bool) {
	var file procFile
	status, err := file.read(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, false
	}
	peak, ok := kilobytes(status, "VmHWM:")
	held, known := kilobytes(status, "RssAnon:")
	if !known {
		held, known = kilobytes(status, "VmRSS:")
	}
	shared, _ := kilobytes(status, "RssShmem:")
	return memory{held: held + shared, peak: peak}, ok && known
}

// kilobytes finds a line like "VmHWM:     1752 kB" and returns it in bytes.
func kilobytes(status []byte, name string) (int64, bool) {
	_, rest, ok := bytes.Cut(status, []byte("\n"+name))
	if !ok {
		return 0, false
	}
	fields := bytes.Fields(rest[:min(len(rest), 64)])
	if len(fields) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(fields[0]), 10, 64)
	return n << 10, err == nil
}

// children lists the processes that any thread of pid has started.
func children(pid int) []int {
	tasks := fmt.Sprintf("/proc/%d/task", pid)
	threads, err := os.ReadDir(tasks)
	if err != nil {
		return nil
	}
	var pids []int
	var file procFile
	for _, t := range threads {
		list, _ := file.read(tasks + "/" + t.Name() + "/children")
		for _, f := range bytes.Fields(list) {
			if n, err := strconv.Atoi(string(f)); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}
