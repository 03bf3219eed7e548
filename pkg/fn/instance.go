package fn

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
)

// Instance is one instance of a function, without the process around it: it takes payloads and gives answers as
// [Handler] promises. Start serves one with scf-go-lib; fntest calls one from a test.
//
// It is safe for concurrent use: invocations wait in line, each within its own deadline.
type Instance[C, E, R any] struct {
	name    string
	started map[string]string // environment at the start of the process
	logger  *slog.Logger
	level   *slog.LevelVar
	serve   step

	mu       sync.Mutex // guards the two below
	stopped  bool
	running  sync.WaitGroup // invocations in flight
	stop     chan struct{}  // closed when the instance is to stop
	redactor redactor

	turn     chan struct{} // holds a value while an invocation runs; who put it may touch what stands below
	settings settings[C]
	config   C
	runtime  Runtime
	secrets  []string // of the configuration
	warm     warm[C, E, R]
	warmed   bool // an invocation went before
}

// NewInstance prepares an instance of the function called name. environment is that of the process, which the
// environment of an invocation goes before; log takes the JSON lines. Nothing is built before the first invocation.
//
// It fails if C is no struct of settings that this package can read: a mistake in the code, not in the environment.
func NewInstance[C, E, R any](name string, new New[C, E, R], environment map[string]string, log io.Writer) (*Instance[C, E, R], error) {
	settings, err := newSettings[C](environment)
	if err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", name, err)
	}
	in := &Instance[C, E, R]{
		name:     name,
		started:  maps.Clone(environment),
		level:    &slog.LevelVar{},
		turn:     make(chan struct{}, 1),
		stop:     make(chan struct{}),
		settings: settings,
		warm:     warm[C, E, R]{new: new},
	}
	in.logger = newLogger(in.redactor.writer(log), in.level)
	in.serve = in.layers()
	return in, nil
}

// A step takes an invocation to its answer, a layer puts something around a step.
type (
	step  func(ctx context.Context, c *call) ([]byte, error)
	layer func(next step) step
)

// layers is everything that happens in an invocation, in this order: the first is the outermost.
func (in *Instance[C, E, R]) layers() step {
	return compose(
		in.summarised, // one log line, whatever happens below
		in.oneAtATime, // waits for its turn: the rest may touch the instance's state
		in.guarded,    // a panic gets its type and its stack
		in.configured, // reads the configuration if it is new; a fault ends the instance
		in.limited,    // no time left is an error; the context ends a margin before the deadline
		in.handled,    // decode, build if cold, handle, encode
	)
}

func compose(layers ...layer) step {
	var next step
	for i := len(layers) - 1; i >= 0; i-- {
		next = layers[i](next)
	}
	return next
}

// Invoke runs one invocation. ctx is that of scf-go-lib, or one of [NewContext], and carries the platform's deadline.
//
// An error is a pointer to one of the error types of this package. After a panic, and for a faulty configuration, it
// panics with a *PanicError or a *ConfigError: so scf-go-lib learns that the process is to be ended.
func (in *Instance[C, E, R]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	c := newCall(ctx, payload, in.started)
	if c.invocation.FunctionName == "" {
		c.invocation.FunctionName = in.name
	}
	c.logger = in.logger.With("request_id", c.invocation.RequestID, "function", c.invocation.FunctionName)
	ctx = context.WithValue(ctx, callKey{}, c)
	if !in.enter() {
		err := &StoppedError{}
		c.summary(ctx, 0, err)
		return nil, err
	}
	defer in.running.Done()
	answer, err := in.serve(ctx, c)
	if config, ok := err.(*ConfigError); ok {
		panic(config)
	}
	return answer, err
}

// enter counts an invocation as running, unless the instance was told to stop.
func (in *Instance[C, E, R]) enter() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.stopped {
		in.running.Add(1)
	}
	return !in.stopped
}

// Close ends the context of a running invocation, waits for it, and closes the handler. Invocations that come later,
// or still wait in line, are answered with a StoppedError.
//
// It waits for as long as the handler takes; what ignores its context is ended by a second signal or the platform.
func (in *Instance[C, E, R]) Close() error {
	in.mu.Lock()
	if !in.stopped {
		in.stopped = true
		close(in.stop)
	}
	in.mu.Unlock()
	in.running.Wait()
	in.turn <- struct{}{}
	defer func() { <-in.turn }()
	return in.warm.close()
}
