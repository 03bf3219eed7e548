// Package fntest invokes a handler in a test as the platform would: through the whole contract of package fn, from
// the environment and the payload's bytes to the error that the platform hears of. There is no process and no port.
//
//	result, err := fntest.Invoke(t, dump.New, map[string]string{"SOURCE_BROKERS": addr}, payload)
package fntest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

// Function is a deployed function under test. Like an instance of the platform it keeps its handler warm between
// invocations, and starts cold again after one that ended the process: a panic or a faulty configuration.
//
// It is for one goroutine.
type Function[C, E, R any] struct {
	t           testing.TB
	new         fn.New[C, E, R]
	environment map[string]string
	log         *logBuffer

	instance *fn.Instance[C, E, R]
	result   R // what Handle returned last
	requests int
}

// Deploy makes new a function with an environment, which arrives with each invocation and is not taken from that of
// the test's process. Nothing of the handler runs before the first Invoke. At the end of the test the handler is
// closed; an error of Close fails the test.
func Deploy[C, E, R any](t testing.TB, new fn.New[C, E, R], environment map[string]string) *Function[C, E, R] {
	t.Helper()
	f := &Function[C, E, R]{t: t, new: new, environment: maps.Clone(environment), log: &logBuffer{out: t.Output()}}
	t.Cleanup(f.Stop)
	return f
}

// Invoke deploys new and invokes it once, cold. See [Function.Invoke].
func Invoke[C, E, R any](t testing.TB, new fn.New[C, E, R], environment map[string]string, payload []byte, options ...Option) (R, error) {
	t.Helper()
	return Deploy(t, new, environment).Invoke(payload, options...)
}

// Invoke runs one invocation with a payload in JSON, and gives what Handle returned, or what the platform would hear
// of instead: a pointer to one of the error types of package fn. A panic comes back as a *fn.PanicError.
//
// On an error of the handler the result is what it returned beside it.
func (f *Function[C, E, R]) Invoke(payload []byte, options ...Option) (result R, err error) {
	f.t.Helper()
	f.requests++
	i := invocation{
		Invocation: fn.Invocation{
			RequestID:       "request-" + strconv.Itoa(f.requests),
			FunctionName:    "function-under-test",
			FunctionVersion: "$LATEST",
			Namespace:       "default",
			MemoryMB:        128,
			TimeLimit:       time.Minute,
		},
		environment: maps.Clone(f.environment),
	}
	for _, option := range options {
		option(&i)
	}
	f.start()
	ctx, cancel := context.WithTimeout(f.t.Context(), i.TimeLimit)
	defer cancel()
	defer func() {
		if value := recover(); value != nil {
			result, err = f.result, f.ended(value)
		}
	}()
	var none R
	f.result = none
	// why a copy: an event may alias its payload, and the caller's bytes are the caller's
	_, err = f.instance.Invoke(fn.NewContext(ctx, i.Invocation, i.environment), bytes.Clone(payload))
	return f.result, err
}

// ended drops an instance that the platform would have ended, and gives the reason.
func (f *Function[C, E, R]) ended(value any) error {
	err, ok := value.(error)
	if !ok { // not of package fn, which gives every panic a type
		panic(value)
	}
	f.instance = nil
	return err
}

func (f *Function[C, E, R]) start() {
	f.t.Helper()
	if f.instance != nil {
		return
	}
	instance, err := fn.NewInstance("function-under-test", f.recorded, nil, f.log)
	if err != nil {
		f.t.Fatalf("deploy function: %v", err)
	}
	f.instance = instance
}

// Stop tells the instance to stop, as SIGTERM does, and closes the handler. The next Invoke starts cold.
func (f *Function[C, E, R]) Stop() {
	if f.instance == nil {
		return
	}
	if err := f.instance.Close(); err != nil {
		f.t.Errorf("stop function: %v", err)
	}
	f.instance = nil
}

// Log gives the lines that the function has logged so far, in JSON. They also stand in the test's output.
func (f *Function[C, E, R]) Log() string { return f.log.String() }

// recorded is new with handlers that show their results to f.
func (f *Function[C, E, R]) recorded(ctx context.Context, config C) (fn.Handler[E, R], error) {
	handler, err := f.new(ctx, config)
	if err != nil || handler == nil {
		return handler, err
	}
	return recorder[E, R]{Handler: handler, result: &f.result}, nil
}

type recorder[E, R any] struct {
	fn.Handler[E, R]
	result *R
}

func (r recorder[E, R]) Handle(ctx context.Context, event E) (R, error) {
	result, err := r.Handler.Handle(ctx, event)
	*r.result = result
	return result, err
}

func (r recorder[E, R]) Close() error {
	if closer, ok := r.Handler.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// logBuffer keeps what is written, for goroutines of the handler too.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	out  io.Writer
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(line)
	return b.out.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
