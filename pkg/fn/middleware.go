package fn

import (
	"context"
	"io"
)

// Middleware puts something around a handler. What every function needs is around it already: one log line, panics
// ([PanicError]), the deadline ([DeadlineError]). [Retry], [Idempotent], [RateLimit] and [Observe] are for functions
// that want them:
//
//	func main() {
//		fn.Start("notify", fn.With(New, fn.Observe(count), fn.Retry[event.Kafka, Result](deadletter.IsTransient)))
//	}
type Middleware[E, R any] func(next Handler[E, R]) Handler[E, R]

// HandlerFunc is a handler that is one function.
type HandlerFunc[E, R any] func(ctx context.Context, event E) (R, error)

// Handle calls f.
func (f HandlerFunc[E, R]) Handle(ctx context.Context, event E) (R, error) { return f(ctx, event) }

// With gives a constructor of handlers with middleware around them; the first one is the outermost. A handler that is
// an io.Closer is closed as it would be without.
func With[C, E, R any](build New[C, E, R], around ...Middleware[E, R]) New[C, E, R] {
	return func(ctx context.Context, config C) (Handler[E, R], error) {
		handler, err := build(ctx, config)
		if err != nil || handler == nil {
			return handler, err
		}
		wrapped := handler
		for i := len(around) - 1; i >= 0; i-- {
			wrapped = around[i](wrapped)
		}
		if closer, ok := handler.(io.Closer); ok {
			return closing[E, R]{wrapped, closer}, nil
		}
		return wrapped, nil
	}
}

// closing is a handler in middleware that is closed at its end.
type closing[E, R any] struct {
	Handler[E, R]
	io.Closer
}
