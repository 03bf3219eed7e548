package fn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// warm keeps the handler between invocations. It is not safe for concurrent use.
type warm[C, E, R any] struct {
	new     New[C, E, R]
	handler Handler[E, R] // nil: to be built
}

// get gives the kept handler, or builds it and says how long that took.
func (w *warm[C, E, R]) get(ctx context.Context, config C) (Handler[E, R], time.Duration, error) {
	if w.handler != nil {
		return w.handler, 0, nil
	}
	begin := time.Now()
	handler, err := w.new(ctx, config)
	if err != nil {
		return nil, time.Since(begin), err
	}
	if handler == nil {
		return nil, time.Since(begin), errors.New("New returned neither a handler nor an error")
	}
	w.handler = handler
	return handler, time.Since(begin), nil
}

// close ends the kept handler; the next get builds a new one, also if Close fails.
func (w *warm[C, E, R]) close() error {
	handler := w.handler
	w.handler = nil
	closer, ok := handler.(io.Closer)
	if !ok {
		return nil
	}
	if err := closer.Close(); err != nil {
		return fmt.Errorf("close handler: %w", err)
	}
	return nil
}

// drop forgets the kept handler without closing it.
func (w *warm[C, E, R]) drop() { w.handler = nil }
