package fn

import (
	"context"
	"errors"
	"time"
)

// Observation is one call of a handler, for metrics.
type Observation struct {
	Invocation Invocation
	Duration   time.Duration // of Handle
	Err        error         // nil: it is done
}

// ErrPanicked is the error of an observation whose handler did not return. What it panicked with is in the log, as
// [PanicError].
var ErrPanicked = errors.New("the handler panicked")

// Observe tells of each call of the handler, also where it panics. It adds nothing to the log, which has a line for
// each invocation already.
func Observe[E, R any](tell func(Observation)) Middleware[E, R] {
	return func(next Handler[E, R]) Handler[E, R] {
		return HandlerFunc[E, R](func(ctx context.Context, event E) (result R, err error) {
			invocation, _ := InvocationFrom(ctx)
			begun := time.Now()
			err = ErrPanicked // why without a recover: a panic that goes on by itself keeps its stack
			defer func() { tell(Observation{Invocation: invocation, Duration: time.Since(begun), Err: err}) }()
			result, err = next.Handle(ctx, event)
			return result, err
		})
	}
}
