package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
)

// launch is what a process is started with.
type launch struct {
	binary  string   // absolute path
	dir     string   // working directory: the function's code
	scratch string   // HOME and TMPDIR; created, and removed with the process
	env     []string // without the port, HOME and TMPDIR
	timeout time.Duration
	logSize int
	line    func(requestID string, line []byte)
}

// process is a running function binary with a connection to it.
type process struct {
	cmd     *exec.Cmd
	port    int
	ports   *ports
	scratch string
	out     *output
	conn    net.Conn
	guard   *frameGuard
	client  *rpc.Client
	initLog []byte

	exited chan struct{} // closed when the process has ended and was reaped

	mu     sync.Mutex
	reaped bool
}

// startProcess starts a binary and waits until it answers a ping. The error is
// a *FunctionError: KindSystem where this machine is at fault, KindExit where
// the binary is. The context ends the wait and the process.
func startProcess(ctx context.Context, spawn *spawner, free *ports, l launch) (*process, *FunctionError) {
	const tries = 3
	for i := 1; ; i++ {
		p, err := tryStart(ctx, spawn, free, l)
		// why: between finding the port free and the child's listening another
		// program can have taken it.
		if err == nil || i == tries || !strings.Contains(err.LastLines, "address already in use") {
			return p, err
		}
	}
}

func tryStart(ctx context.Context, spawn *spawner, free *ports, l launch) (*process, *FunctionError) {
	p := &process{ports: free, scratch: l.scratch, exited: make(chan struct{})}
	if err := p.fork(spawn, l); err != nil {
		p.discard()
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.ENOEXEC) {
			return nil, &FunctionError{Kind: KindExit, Message: fmt.Sprintf("the function cannot be started: %v", err)}
		}
		return nil, systemError("start the function", err)
	}
	go func() {
		p.reap()
		close(p.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	if err := p.connect(ctx); err != nil {
		return nil, p.notUp(ctx, err, l.timeout)
	}
	p.initLog, _ = p.out.end()
	return p, nil
}

func systemError(operation string, err error) *FunctionError {
	return &FunctionError{Kind: KindSystem, Message: fmt.Sprintf("%s: %v", operation, err), Err: err}
}

func (p *process) fork(spawn *spawner, l launch) (err error) {
	if err := os.MkdirAll(filepath.Join(l.scratch, "tmp"), 0o755); err != nil {
		return err
	}
	if p.port, err = p.ports.take(); err != nil {
		return err
	}
	if p.out, err = newOutput(l.logSize, l.line); err != nil {
		return err
	}
	const tries = 50
	for i := range tries {
		p.cmd = p.command(l)
		err = spawn.start(p.cmd)
		// why: a binary that was just written is busy as long as another child,
		// forked in that moment, has not executed yet (go.dev/issue/22315).
		if !errors.Is(err, syscall.ETXTBSY) {
			break
		}
		time.Sleep(time.Duration(i+1) * time.Millisecond)
	}
	if err != nil {
		p.cmd = nil
		return err
	}
	limit(p.pid())
	return nil
}

func (p *process) command(l launch) *exec.Cmd {
	return &exec.Cmd{
		Path:        l.binary,
		Args:        []string{l.binary},
		Dir:         l.dir,
		Env:         append(l.env[:len(l.env):len(l.env)], "_LAMBDA_SERVER_PORT="+strconv.Itoa(p.port), "HOME="+l.scratch, "TMPDIR="+filepath.Join(l.scratch, "tmp")),
		Stdout:      p.out.write,
		Stderr:      p.out.write,
		SysProcAttr: isolate(),
	}
}

// connect dials the process until it listens, and pings it.
func (p *process) connect(ctx context.Context) error {
	dialer := net.Dialer{}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("localhost", strconv.Itoa(p.port)))
		if err == nil {
			p.conn = conn
			break
		}
		select {
		case <-p.exited:
			return errors.New("the process ended before it listened")
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
	p.guard = &frameGuard{ReadWriteCloser: p.conn, limit: maxResponseFrame}
	p.client = rpc.NewClient(p.guard)
	call := p.client.Go("Function.Ping", &messages.PingRequest{}, &messages.PingResponse{}, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-p.exited:
		return errors.New("the process ended before it answered")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// notUp ends a process that did not come up and says why it did not.
func (p *process) notUp(ctx context.Context, err error, timeout time.Duration) *FunctionError {
	message := fmt.Sprintf("the function did not start: %v", err)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		message = fmt.Sprintf("the function did not answer within %v of its start", timeout)
	}
	select {
	case <-p.exited: // it ended by itself, and that is what is to be told
	default:
		p.kill()
	}
	log, exit := p.end()
	e := &FunctionError{Kind: KindExit, Message: message, Exit: exit, LastLines: lastLines(log)}
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Kind, e.Err = KindSystem, context.Canceled
	}
	return e
}

// pid is the number of the process, and of its group.
func (p *process) pid() int { return p.cmd.Process.Pid }

// signal signals the whole group, unless it is gone already.
func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		signalGroup(p.pid(), sig)
	}
}

// kill ends the process and what it has started, at once.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// end waits for a process that was killed, or has ended, and cleans up after
// it. It returns what the process wrote last and how it ended.
func (p *process) end() (log []byte, exit string) {
	<-p.exited
	log, _ = p.out.end()
	p.discard()
	return log, p.cmd.ProcessState.String()
}

// stop ends an idle process: it may finish within the grace, then it is killed.
func (p *process) stop(grace time.Duration) {
	p.signal(syscall.SIGTERM)
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.exited:
	case <-t.C:
		p.kill()
	}
	p.end()
}

// discard gives back what a process held, as far as there was one.
func (p *process) discard() {
	if p.client != nil {
		_ = p.client.Close()
	} else if p.conn != nil {
		_ = p.conn.Close()
	}
	if p.out != nil {
		p.out.close()
	}
	if p.port != 0 {
		p.ports.giveBack(p.port)
	}
	_ = removeTree(p.scratch)
}
