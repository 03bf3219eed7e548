package fn

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// DeadlineError says that an invocation had no time, or ran out of it: before the handler was called, or because the
// handler gave up when its context ended.
type DeadlineError struct {
	Reason string
	Err    error // what the handler returned; nil if it was not called
}

// Error gives the reason, and the whole chain of the handler's error.
func (e *DeadlineError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return fmt.Sprintf("%s: %v", e.Reason, e.Err)
}

// Unwrap gives context.DeadlineExceeded and what the handler returned.
func (e *DeadlineError) Unwrap() []error {
	if e.Err == nil {
		return []error{context.DeadlineExceeded}
	}
	return []error{context.DeadlineExceeded, e.Err}
}

// limited refuses an invocation that has no time left, and ends the context of others a margin before the deadline.
func (in *Instance[C, E, R]) limited(next step) step {
	return func(ctx context.Context, c *call) ([]byte, error) {
		left := time.Until(c.invocation.Deadline)
		// why 1970: scf-go-lib makes that of a request without a deadline
		if !c.invocation.Deadline.After(time.Unix(0, 0)) {
			return nil, &DeadlineError{Reason: "the invocation carries no deadline"}
		}
		if left <= 0 {
			return nil, &DeadlineError{Reason: fmt.Sprintf("the deadline passed %v before the handler was called", -left)}
		}
		margin := min(in.runtime.DeadlineMargin, left/2)
		reason := fmt.Sprintf("out of time %v before the deadline (ETL_DEADLINE_MARGIN)", margin)
		ctx, cancel := context.WithDeadlineCause(ctx, c.invocation.Deadline.Add(-margin), &DeadlineError{Reason: reason})
		defer cancel()
		return next(ctx, c)
	}
}

// outOfTime turns the error of a handler that stopped because its context ended into a DeadlineError; nil if it
// stopped for another reason.
func outOfTime(ctx context.Context, err error) *DeadlineError {
	var cause *DeadlineError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(context.Cause(ctx), &cause) {
		return nil
	}
	return &DeadlineError{Reason: cause.Reason, Err: err}
}
