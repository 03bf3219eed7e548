package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// child is one run of FFmpeg.
type child struct {
	program string
	args    []string
	dir     string
	bounds  bounds

	stdin  func(context.Context) (io.ReadCloser, error) // nil: there is none
	stdout *os.File                                     // given away; nil: thrown away
	extra  *os.File                                     // fd 3, given away; nil: there is none
}

// bounds are the rlimits of a child; 0 is no bound.
type bounds struct {
	memory int64 // bytes
	file   int64 // bytes of a file that it writes
	files  int64 // descriptors
	cpu    time.Duration
}

const (
	openFiles = 64 // FFmpeg opens a handful
	// A killed child must not keep its pipes open for longer.
	pipeGrace = 5 * time.Second
	copyBytes = 256 << 10
)

// environ is all that a child has of the environment: a layer with shared libraries sets it.
func environ() []string {
	if path := os.Getenv("LD_LIBRARY_PATH"); path != "" {
		return []string{"LD_LIBRARY_PATH=" + path}
	}
	return []string{}
}

// run runs the child to its end. Where ctx ends, the child is killed and the error is the
// context's; where reading stdin failed, it is that error; where the child failed by itself, a
// *ProcessError.
func (c *child) run(outer context.Context) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, c.program, c.args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr, cmd.WaitDelay = c.dir, environ(), isolated(), pipeGrace
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	stderr := &tail{most: stderrBytes}
	cmd.Stderr = stderr
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	if c.extra != nil {
		cmd.ExtraFiles = []*os.File{c.extra}
	}
	var feed *os.File
	var source io.ReadCloser
	if c.stdin != nil {
		theirs, ours, err := os.Pipe()
		if err != nil {
			c.giveAway()
			return err
		}
		if source, err = c.stdin(ctx); err != nil {
			c.giveAway()
			return errors.Join(fmt.Errorf("read the input: %w", err), theirs.Close(), ours.Close())
		}
		defer source.Close()
		widen(ours)
		cmd.Stdin, feed = theirs, ours
	}
	done := make(chan error, 1)
	fed := make(chan error, 1)
	go func() {
		// why: the child is told to die with the thread that started it (prctl(2), PR_SET_PDEATHSIG), so
		// that thread has to live as long as it does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		c.giveAway()
		if theirs, ok := cmd.Stdin.(*os.File); ok {
			theirs.Close()
		}
		if err != nil {
			if feed != nil {
				feed.Close()
			}
			fed <- nil
			done <- err
			return
		}
		bind(cmd.Process.Pid, c.bounds)
		if feed == nil {
			fed <- nil
		} else {
			go func() { fed <- pour(feed, source, cancel) }()
		}
		done <- cmd.Wait()
	}()
	err := <-done
	if c.stdin != nil {
		cancel(nil) // why: what feeds it may wait for its source
	}
	sourceErr := <-fed
	switch {
	case outer.Err() != nil:
		return fmt.Errorf("%s: stopped: %w", filepath.Base(c.program), context.Cause(outer))
	case sourceErr != nil && !errors.Is(sourceErr, context.Canceled):
		return fmt.Errorf("read the input: %w", sourceErr)
	}
	return c.failure(err, stderr)
}

func (c *child) giveAway() {
	for _, f := range []*os.File{c.stdout, c.extra} {
		if f != nil {
			f.Close()
		}
	}
}

// pour writes a source into a pipe. A child that reads no further is no error. A source
// that fails ends the child before it can take the end of the pipe for the end of the input.
func pour(pipe *os.File, source io.Reader, fail context.CancelCauseFunc) error {
	defer pipe.Close()
	buffer := make([]byte, copyBytes)
	for {
		n, err := source.Read(buffer)
		if n > 0 {
			if _, err := pipe.Write(buffer[:n]); err != nil {
				return nil
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			fail(fmt.Errorf("read the input: %w", err))
			return err
		}
	}
}

// failure says how a child ended by itself.
func (c *child) failure(err error, stderr *tail) error {
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			return fmt.Errorf("%w: %w", ErrNoFFmpeg, err)
		}
		return err
	}
	p := &ProcessError{Program: filepath.Base(c.program), Code: exit.ExitCode(), Stderr: stderr.String()}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		p.Signal = status.Signal().String()
	}
	return p
}

const stderrBytes = 4 << 10

// tail keeps the end of what is written to it.
type tail struct {
	most int
	kept []byte
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.most; over > 0 {
		t.kept, t.cut = append(t.kept[:0], t.kept[over:]...), true
	}
	return len(p), nil
}

// String has the last whole lines, without what a terminal would obey.
func (t *tail) String() string {
	text := string(t.kept)
	if t.cut {
		if _, rest, ok := strings.Cut(text, "\n"); ok {
			text = rest
		}
	}
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r >= ' ' && r != 0x7f && r != 0xfffd {
			return r
		}
		return -1
	}, strings.ReplaceAll(text, "\r", "\n"))
	return strings.TrimSpace(text)
}
