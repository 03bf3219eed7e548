package fn

import (
	"context"
	"fmt"
	"runtime/debug"
)

// PanicError is a panic of the handler or of New. It reaches scf-go-lib as a panic, so that the platform hears that
// the process is to be ended.
type PanicError struct {
	Err   error  // the panic's value
	Stack string // of the goroutine that panicked, as runtime/debug prints it
}

// Error is the panic's value as text.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Err) }

// Unwrap gives the panic's value if it was an error.
func (e *PanicError) Unwrap() error { return e.Err }

// guarded gives a panic a stable type and drops the handler, which may be in any state.
func (in *Instance[C, E, R]) guarded(next step) step {
	return func(ctx context.Context, c *call) ([]byte, error) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			in.warm.drop()
			// why a panic again and not an error: on the way up it keeps the stack that scf-go-lib reports
			panic(in.newPanicError(value))
		}()
		return next(ctx, c)
	}
}

func (in *Instance[C, E, R]) newPanicError(value any) *PanicError {
	err, ok := value.(error)
	if !ok {
		err = fmt.Errorf("%v", value)
	}
	return &PanicError{Err: in.redactor.clean(err), Stack: string(debug.Stack())}
}
