package sls

import (
	"bufio"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// served is a process of etl that answers the SCF API.
type served struct {
	mu    sync.Mutex
	lines []string
	calls []string // "Action function", of those that succeeded
}

var (
	endpointLine = regexp.MustCompile(`TENCENTCLOUD_SCF_ENDPOINT=(http://\S+)`)
	callLine     = regexp.MustCompile(`api (\w+ ?[\w-]*): ok`)
	writing      = regexp.MustCompile(`^(Create|Update|Delete|Publish|Put)`)
)

// serve starts etl with these arguments in the service's folder, and points the
// service to it. It ends with the test.
func (s *service) serve(t *testing.T, arguments ...string) *served {
	t.Helper()
	command := exec.Command(etl(t), arguments...)
	command.Dir, command.Env = s.folder, s.environ()
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &served{}
	stderr := &strings.Builder{}
	command.Stderr = stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	endpoint, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if found := endpointLine.FindStringSubmatch(lines.Text()); found != nil {
				endpoint <- found[1]
			}
			p.note(lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
		if err := command.Wait(); err != nil || t.Failed() {
			t.Logf("etl %s: %v\n%s%s", strings.Join(arguments, " "), err, strings.Join(p.lines[max(len(p.lines)-100, 0):], "\n"), stderr)
		}
	})
	select {
	case s.env["TENCENTCLOUD_SCF_ENDPOINT"] = <-endpoint:
	case <-ended:
		t.Fatalf("etl %s ended before it answered", strings.Join(arguments, " "))
	case <-time.After(2 * time.Minute):
		t.Fatalf("etl %s does not answer", strings.Join(arguments, " "))
	}
	return p
}

func (p *served) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	if found := callLine.FindStringSubmatch(line); found != nil {
		p.calls = append(p.calls, found[1])
	}
}

// writes gives the calls since the last time that have changed something.
func (p *served) writes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	writes := slices.DeleteFunc(p.calls, func(call string) bool { return !writing.MatchString(call) })
	p.calls = nil
	return writes
}
