package chaos_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// platform is `etl up` as a process of its own, with a function below it.
type platform struct {
	dir     string
	log     *os.File
	command *exec.Cmd
	ended   chan struct{} // closed when the process is gone
}

// newPlatform is one that has nothing to run yet. Its output goes to
// dir/platform.log.
func newPlatform(t *testing.T, dir string) *platform {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "platform.log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{dir: dir, log: log}
	t.Cleanup(func() {
		p.kill()
		log.Close()
	})
	return p
}

// install builds the platform and the functions of a service, and writes its
// settings.
func (p *platform) install(t *testing.T, service []byte, functions ...string) {
	t.Helper()
	build(t, p.dir, append(functions, "./cmd/etl")...)
	if err := os.WriteFile(filepath.Join(p.dir, "serverless.yml"), service, 0o644); err != nil {
		t.Fatal(err)
	}
}

// start starts the process and does not wait for what it does.
func (p *platform) start() error {
	p.command = exec.Command(filepath.Join(p.dir, "bin", "etl"), "up", "--prebuilt", "--config", filepath.Join(p.dir, "serverless.yml"))
	p.command.Env = append(os.Environ(), "TMPDIR="+filepath.Join(p.dir, "tmp"))
	p.command.Stdout, p.command.Stderr = p.log, p.log
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("start etl up: %w", err)
	}
	ended, command := make(chan struct{}), p.command
	go func() {
		_ = command.Wait() // how it has ended is in its state
		close(ended)
	}()
	p.ended = ended
	return nil
}

// check says whether the process has ended by itself.
func (p *platform) check() error {
	select {
	case <-p.ended:
		return fmt.Errorf("etl up has ended by itself: %v", p.command.ProcessState)
	default:
		return nil
	}
}

// kill ends the process, stopped or not, and returns when it is gone.
func (p *platform) kill() {
	if p.command != nil {
		_ = p.command.Process.Kill() // it may be gone
		<-p.ended
	}
}

// stop ends the process as Ctrl-C does.
func (p *platform) stop() error {
	if err := p.command.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		return fmt.Errorf("etl up has not ended %v after an interrupt", patience)
	}
	if !p.command.ProcessState.Success() {
		return fmt.Errorf("etl up after an interrupt: %v", p.command.ProcessState)
	}
	return nil
}

// functions lists the processes of functions: those whose binary is below the
// platform's temporary folder.
func (p *platform) functions() ([]int, error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return nil, err
	}
	if len(links) == 0 {
		return nil, errors.New("needs /proc to find the function's processes")
	}
	var pids []int
	for _, link := range links {
		binary, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(binary, filepath.Join(p.dir, "tmp")+"/") {
			continue // ended, or somebody else's
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// signal is false where the process has just ended.
func signal(pid int, s syscall.Signal) (bool, error) {
	err := syscall.Kill(pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return false, nil
	}
	return err == nil, err
}
