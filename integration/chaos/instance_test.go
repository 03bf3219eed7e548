package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
)

// instance is a process of the function dump without a platform, so that
// nothing kills it when its time is over.
type instance struct {
	command *exec.Cmd
	client  *rpc.Client
	output  bytes.Buffer // to be read when it is gone
	gone    chan struct{}
}

// startInstance starts a binary and waits until it answers.
func startInstance(ctx context.Context, binary string, environment ...string) (*instance, error) {
	var i *instance
	// why again: the port may be taken before the instance has it
	err := every(ctx, 10*time.Millisecond, "an instance that answers", func() (_ bool, err error) {
		i, err = tryInstance(ctx, binary, environment)
		return err == nil, err
	})
	return i, err
}

func tryInstance(ctx context.Context, binary string, environment []string) (*instance, error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	i := &instance{command: exec.Command(binary), gone: make(chan struct{})}
	i.command.Env = append(append(os.Environ(), environment...), fmt.Sprintf("_LAMBDA_SERVER_PORT=%d", address.Port))
	i.command.Stdout, i.command.Stderr = &i.output, &i.output
	if err := i.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = i.command.Wait() // it is killed
		close(i.gone)
	}()
	if err := i.connect(ctx, fmt.Sprintf("localhost:%d", address.Port)); err != nil {
		i.kill()
		return nil, fmt.Errorf("%w\n%s", err, &i.output)
	}
	return i, nil
}

// connect dials the instance until it listens or is gone.
func (i *instance) connect(ctx context.Context, address string) error {
	return every(ctx, 5*time.Millisecond, "an instance that listens", func() (done bool, err error) {
		select {
		case <-i.gone:
			return true, errors.New("the instance ended before it listened")
		default:
		}
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return false, err
		}
		i.client = rpc.NewClient(connection)
		return true, i.client.Call("Function.Ping", &messages.PingRequest{}, &messages.PingResponse{})
	})
}

// invoke sends an event with the time it has, and does not wait for the answer,
// which is nil where the event was handled.
func (i *instance) invoke(payload []byte, timeout time.Duration) <-chan error {
	deadline := time.Now().Add(timeout)
	request := &messages.InvokeRequest{
		Payload: payload, RequestId: "by-hand", FunctionName: "dump", FunctionVersion: "$LATEST", Namespace: "default",
		MemoryLimitInMb: 512, TimeLimitInMs: int32(timeout.Milliseconds()),
		Deadline: messages.InvokeRequest_Timestamp{Seconds: deadline.Unix(), Nanos: int64(deadline.Nanosecond())},
	}
	answer := make(chan error, 1)
	go func() {
		var response messages.InvokeResponse
		err := i.client.Call("Function.Invoke", request, &response)
		if err == nil && response.Error != nil {
			err = errors.New(response.Error.Message)
		}
		answer <- err
	}()
	return answer
}

func (i *instance) pause() error  { return i.command.Process.Signal(syscall.SIGSTOP) }
func (i *instance) resume() error { return i.command.Process.Signal(syscall.SIGCONT) }

// kill ends it, paused or not, and returns once it is gone.
func (i *instance) kill() {
	_ = i.command.Process.Kill() // it may be gone
	<-i.gone
}
