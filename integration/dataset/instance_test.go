package dataset

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
)

// instance is a process of the function, which a test ends when it likes.
type instance struct {
	command *exec.Cmd
	client  *rpc.Client
	output  strings.Builder
	ended   chan struct{}
}

// start starts an instance and waits until it answers.
func start(ctx context.Context, binary string, environment []string) (*instance, error) {
	var last error
	for range 20 { // the port may be taken before the instance has it
		i, err := try(ctx, binary, environment)
		if err == nil {
			return i, nil
		}
		last = err
	}
	return nil, last
}

func try(ctx context.Context, binary string, environment []string) (*instance, error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(address) // it is a listener's
	i := &instance{command: exec.Command(binary), ended: make(chan struct{})}
	i.command.Env = append(append(os.Environ(), "_LAMBDA_SERVER_PORT="+port), environment...)
	i.command.Stdout, i.command.Stderr = &i.output, &i.output
	if err := i.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = i.command.Wait() // it is killed
		close(i.ended)
	}()
	for until := time.Now().Add(time.Minute); ; {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			i.client = rpc.NewClient(conn)
			return i, nil
		}
		select {
		case <-i.ended:
			return nil, fmt.Errorf("the instance ended before it listened: %s", i.output.String())
		case <-time.After(3 * time.Millisecond):
		}
		if ctx.Err() != nil || time.Now().After(until) {
			i.kill()
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// invoke sends an event and waits for the answer.
func (i *instance) invoke(payload string) error {
	deadline := time.Now().Add(5 * time.Minute)
	request := &messages.InvokeRequest{
		Payload: []byte(
			payload,
		), RequestId: "by-hand", FunctionName: "load", FunctionVersion: "$LATEST", Namespace: "default",
		MemoryLimitInMb: 256, TimeLimitInMs: int32(time.Until(deadline).Milliseconds()),
		Deadline: messages.InvokeRequest_Timestamp{Seconds: deadline.Unix(), Nanos: int64(deadline.Nanosecond())},
	}
	var response messages.InvokeResponse
	if err := i.client.Call("Function.Invoke", request, &response); err != nil {
		return err
	}
	if response.Error != nil {
		return &failure{response.Error.Message}
	}
	return nil
}

// failure is what the function says, and no end of its process.
type failure struct{ message string }

func (f *failure) Error() string { return f.message }

// pause stops the process where it is, resume lets it go on.
func (i *instance) pause()  { _ = i.command.Process.Signal(syscall.SIGSTOP) }
func (i *instance) resume() { _ = i.command.Process.Signal(syscall.SIGCONT) }

// kill ends it, paused or not, and returns once it is gone.
func (i *instance) kill() {
	_ = i.command.Process.Kill() // it may be gone
	<-i.ended
}
