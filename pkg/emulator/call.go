package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"syscall"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// callLimits bound one call of a function.
type callLimits struct {
	timeout time.Duration
	memory  int64         // bytes; 0 means no limit
	sample  time.Duration // how often memory is looked at; 0 means never
}

// outcome is what came of one call.
type outcome struct {
	payload  []byte
	err      *FunctionError
	duration time.Duration
	peak     int64
	log      []byte
	dropped  int64
	ended    bool // the process is gone and cleaned up
}

// call invokes the function once. Where that fails in a way that leaves the
// process in an unknown state, the process is killed. The end of the context is
// such a failure: the cloud has no way to cancel an invocation either.
func (p *process) call(ctx context.Context, req *messages.InvokeRequest, limits callLimits) outcome {
	p.out.begin(req.RequestId)
	watch := watchMemory(p.pid(), limits)
	defer watch.stop()
	began := time.Now()
	deadline := began.Add(limits.timeout)
	req.Deadline = messages.InvokeRequest_Timestamp{Seconds: deadline.Unix(), Nanos: int64(deadline.Nanosecond())}
	req.TimeLimitInMs = int32(limits.timeout.Milliseconds())

	var resp messages.InvokeResponse
	done, returned := make(chan error, 1), make(chan struct{})
	// why: its own goroutine, because sending blocks too where the process does
	// not read.
	go func() {
		defer close(returned)
		done <- p.client.Call("Function.Invoke", req, &resp)
	}()
	err := p.await(ctx, done, &resp, limits, watch)
	o := outcome{duration: time.Since(began), peak: watch.stop(), err: err}
	switch {
	case err == nil:
		o.payload = resp.Payload
		o.log, o.dropped = p.out.end()
	case err.Kind == KindFunction && !respShouldExit(&resp):
		o.log, o.dropped = p.out.end()
	default:
		o.ended = true
		p.kill()
		o.log, err.Exit = p.end()
		<-returned // why: until then it may read the event
		if err.Kind != KindFunction {
			err.LastLines = lastLines(o.log)
		}
	}
	return o
}

func respShouldExit(r *messages.InvokeResponse) bool { return r.Error != nil && r.Error.ShouldExit }

// await waits for the answer, the deadline, the end of the process, too much
// memory or the end of the context, whichever is first. It reads resp only
// after the call is done.
func (p *process) await(ctx context.Context, done <-chan error, resp *messages.InvokeResponse, limits callLimits, watch *memoryWatch) *FunctionError {
	timer := time.NewTimer(limits.timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return p.judge(err, resp)
	case <-p.exited:
		// why: what it answered before it ended is still to be read.
		select {
		case err := <-done:
			return p.judge(err, resp)
		case <-time.After(exitGrace):
			return exitedError()
		}
	case <-timer.C:
		return &FunctionError{Kind: KindTimeout, Message: fmt.Sprintf("the invocation timed out after %v s", limits.timeout.Seconds())}
	case held := <-watch.over:
		return &FunctionError{Kind: KindMemory, Message: fmt.Sprintf(
			"the function held %d MB, its memory is %d MB", held>>20, limits.memory>>20)}
	case <-ctx.Done():
		return systemError("the invocation was given up", context.Cause(ctx))
	}
}

// exitGrace is how long a process whose connection broke may take to end, and
// an answer to be read whose process has ended.
const exitGrace = time.Second

func exitedError() *FunctionError {
	return &FunctionError{Kind: KindExit, Message: "the process ended during the invocation"}
}

// judge says what an answer means; nil means success.
func (p *process) judge(err error, resp *messages.InvokeResponse) *FunctionError {
	switch {
	case err != nil:
		return p.judgeTransport(err)
	case resp.Error != nil:
		return handlerError(resp.Error)
	case len(resp.Payload) > scf.MaxSyncPayload:
		return tooLarge(uint64(len(resp.Payload)))
	}
	return nil
}

func (p *process) judgeTransport(err error) *FunctionError {
	if n := p.guard.announced.Load(); n > 0 {
		return tooLarge(n)
	}
	var refused rpc.ServerError
	if errors.As(err, &refused) {
		return &FunctionError{Kind: KindResponse, Message: fmt.Sprintf("the process is no SCF function: %v", refused)}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, rpc.ErrShutdown) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		select {
		case <-p.exited:
			return exitedError()
		case <-time.After(exitGrace):
			return &FunctionError{Kind: KindResponse, Message: fmt.Sprintf("the process closed its connection without an answer: %v", err)}
		}
	}
	return &FunctionError{Kind: KindResponse, Message: fmt.Sprintf("%v: %v", errNoGob, err)}
}

func tooLarge(bytes uint64) *FunctionError {
	return &FunctionError{Kind: KindResponse, Message: fmt.Sprintf("the response has %d bytes, allowed are %d", bytes, scf.MaxSyncPayload)}
}

// handlerError is what the function itself reported.
func handlerError(e *messages.InvokeResponse_Error) *FunctionError {
	const longest = 16 << 10
	message := e.Message
	if len(message) > longest {
		message = message[:longest] + "... (cut)"
	}
	fe := &FunctionError{Kind: KindFunction, Type: e.Type, Message: message}
	for _, f := range e.StackTrace {
		if f != nil {
			fe.Stack = append(fe.Stack, Frame{Path: f.Path, Line: f.Line, Label: f.Label})
		}
	}
	return fe
}
