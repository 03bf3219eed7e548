package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// process is one instance of the function dump without a platform, so that
// nothing kills it when its time is over.
type process struct {
	command *exec.Cmd
	client  *rpc.Client
	output  strings.Builder
	ended   chan struct{}
}

// startProcess starts an instance and waits until it answers. It is killed at
// the end of the test.
func (w *world) startProcess(t testing.TB, f scf.Function) *process {
	t.Helper()
	binary := filepath.Join(dumpPackage(t), "main")
	var p *process
	w.await(t, "an instance that listens", func() (up bool, err error) {
		// why again: the port may be taken before the instance has it
		if p, err = tryProcess(w.ctx, binary, f.Environment); err != nil {
			return false, err
		}
		return true, nil
	})
	t.Cleanup(p.kill)
	return p
}

// tryProcess starts an instance on a port that was free a moment ago.
func tryProcess(ctx context.Context, binary string, environment map[string]string) (*process, error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(address) // it is a listener's
	p := &process{command: exec.Command(binary), ended: make(chan struct{})}
	p.command.Env = append(os.Environ(), "_LAMBDA_SERVER_PORT="+port)
	for key, value := range environment {
		p.command.Env = append(p.command.Env, key+"="+value)
	}
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.command.Wait() // it is killed
		close(p.ended)
	}()
	if err := p.connect(ctx, address); err != nil {
		p.kill()
		return nil, fmt.Errorf("%w\n%s", err, p.output.String())
	}
	return p, nil
}

// connect dials the instance until it listens or has ended.
func (p *process) connect(ctx context.Context, address string) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			p.client = rpc.NewClient(conn)
			return p.client.Call("Function.Ping", &messages.PingRequest{}, &messages.PingResponse{})
		}
		select {
		case <-p.ended:
			return errors.New("the instance ended before it listened")
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}

// call is an invocation that is under way or over.
type call struct {
	done     chan struct{}
	response messages.InvokeResponse
	err      error
}

// over says whether the instance has answered.
func (c *call) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// failure is how the invocation has failed; nil where it has not.
func (c *call) failure() error {
	if c.err == nil && c.response.Error != nil {
		return errors.New(c.response.Error.Message)
	}
	return c.err
}

// invoke sends an event with a deadline, and does not wait for the answer.
func (p *process) invoke(payload []byte, deadline time.Time) *call {
	c := &call{done: make(chan struct{})}
	request := &messages.InvokeRequest{
		Payload: payload, RequestId: "by-hand", FunctionName: "dump", FunctionVersion: "$LATEST", Namespace: "default",
		MemoryLimitInMb: 512, TimeLimitInMs: int32(time.Until(deadline).Milliseconds()),
		Deadline: messages.InvokeRequest_Timestamp{Seconds: deadline.Unix(), Nanos: int64(deadline.Nanosecond())},
	}
	go func() {
		defer close(c.done)
		c.err = p.client.Call("Function.Invoke", request, &c.response)
	}()
	return c
}

// await waits for the answer.
func (c *call) await(ctx context.Context) error {
	select {
	case <-c.done:
		return c.failure()
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
}

// pause stops the process where it is, resume lets it go on.
func (p *process) pause() error  { return p.command.Process.Signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.command.Process.Signal(syscall.SIGCONT) }

// kill ends it, paused or not, and returns once it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may be gone
	<-p.ended
}
