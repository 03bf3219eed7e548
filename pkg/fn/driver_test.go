package fn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
)

// function is a process of the function's binary, driven as the platform does it.
type function struct {
	t              *testing.T
	cmd            *exec.Cmd
	port           string
	stdout, stderr safeBuffer
	exited         chan struct{} // closed when the process has ended
}

// launch starts the function's process with an environment, and args if it is run by hand.
func launch(t *testing.T, environment map[string]string, args ...string) *function {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := &function{t: t, cmd: exec.Command(binary, args...), port: freePort(t), exited: make(chan struct{})}
	f.cmd.Env = []string{inFunction + "=1", "GOCOVERDIR=" + t.TempDir()}
	if len(args) == 0 {
		f.cmd.Env = append(f.cmd.Env, "_LAMBDA_SERVER_PORT="+f.port)
	}
	for key, value := range environment {
		f.cmd.Env = append(f.cmd.Env, key+"="+value)
	}
	f.cmd.Stdout, f.cmd.Stderr = &f.stdout, &f.stderr
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.exited)
		_ = f.cmd.Wait() // the exit code is in ProcessState
	}()
	t.Cleanup(func() {
		f.kill()
		lacks(t, f.stdout.String()+f.stderr.String(), password, "DATA RACE")
	})
	return f
}

// kill ends the process as the platform does; after it all that the process wrote is there to be read.
func (f *function) kill() {
	_ = f.cmd.Process.Kill()
	<-f.exited
}

// ports counts the ports given out, so that no two tests get the same.
var ports atomic.Int32

// freePort gives a port below those that the system hands out by itself, which would be taken again in no time.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(12_000 + (os.Getpid()*37+int(ports.Add(1)))%20_000)
		listener, err := net.Listen("tcp", "localhost:"+port)
		if err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// exitCode waits for the process to end.
func (f *function) exitCode() int {
	f.t.Helper()
	select {
	case <-f.exited:
		return f.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		f.t.Fatalf("the process runs on; its stderr:\n%s", f.stderr.String())
		return 0
	}
}

// connect waits for the process to listen, and pings it.
func (f *function) connect() *rpc.Client {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		connection, err := net.Dial("tcp", "localhost:"+f.port)
		if err == nil {
			client := rpc.NewClient(connection)
			f.t.Cleanup(func() { client.Close() })
			if err := client.Call("Function.Ping", &messages.PingRequest{}, &messages.PingResponse{}); err != nil {
				f.t.Fatalf("ping: %v", err)
			}
			return client
		}
		select {
		case <-again.C:
		case <-f.exited:
			f.t.Fatalf("the process ended; its stderr:\n%s", f.stderr.String())
		case <-ctx.Done():
			f.t.Fatalf("the process does not listen: %v", err)
		}
	}
}

// request is an invocation with a minute of time.
func request(what string, environment map[string]string) *messages.InvokeRequest {
	deadline := time.Now().Add(time.Minute)
	encoded, err := json.Marshal(environment)
	if err != nil {
		panic(err)
	}
	return &messages.InvokeRequest{
		Payload:         do(what),
		RequestId:       "rid-1",
		Namespace:       "default",
		FunctionName:    "etl-dev-dump",
		FunctionVersion: "$LATEST",
		MemoryLimitInMb: 128,
		TimeLimitInMs:   60_000,
		Deadline:        messages.InvokeRequest_Timestamp{Seconds: deadline.Unix(), Nanos: int64(deadline.Nanosecond())},
		Environment:     string(encoded),
	}
}

// answer is what the platform hears of an invocation.
type answer struct {
	report
	failure *messages.InvokeResponse_Error
}

func call(t *testing.T, client *rpc.Client, request *messages.InvokeRequest) answer {
	t.Helper()
	got, err := tryCall(client, request)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tryCall(client *rpc.Client, request *messages.InvokeRequest) (answer, error) {
	var response messages.InvokeResponse
	if err := client.Call("Function.Invoke", request, &response); err != nil {
		return answer{}, err
	}
	got := answer{failure: response.Error}
	if response.Error == nil {
		return got, json.Unmarshal(response.Payload, &got.report)
	}
	return got, nil
}

// failed fails the test unless the platform heard of a failure of a type, and of whether to end the process.
func (a answer) failed(t *testing.T, wantType string, wantExit bool, wantTexts ...string) {
	t.Helper()
	if a.failure == nil {
		t.Fatalf("got %+v, want a failure of type %s", a.report, wantType)
	}
	if a.failure.Type != wantType || a.failure.ShouldExit != wantExit {
		t.Errorf("got %+v, want type %s and should exit %v", a.failure, wantType, wantExit)
	}
	contains(t, a.failure.Message, wantTexts...)
	lacks(t, a.failure.Message, password)
}

func keys(token string) map[string]string {
	return map[string]string{
		"TENCENTCLOUD_SECRETID":     "the-secret-id",
		"TENCENTCLOUD_SECRETKEY":    "the-secret-key",
		"TENCENTCLOUD_SESSIONTOKEN": token,
	}
}

// safeBuffer is written by the process's copier while the test reads.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// await waits until the process has written text.
func (b *safeBuffer) await(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !strings.Contains(b.String(), text) {
		select {
		case <-again.C:
		case <-timeout:
			t.Fatal(errors.New("the process does not write " + text))
		}
	}
}
