package fn

import (
	"errors"
	"fmt"
	"strings"
)

// The platform shows an error by its message and its Type, and scf-go-lib takes the Type from the name of the Go type
// of the error that Invoke returns or panics with. So what reaches it is always a pointer to one of the types below
// (or *ConfigError, *PanicError, *DeadlineError): names to alert on, which do not change with how a handler wraps.

// ErrBroken in the chain of a handler's error says that the handler must not be used again: it is closed, and built
// anew at the next invocation.
var ErrBroken = errors.New("handler is broken")

// ErrNoCredentials says that an invocation came without credentials.
var ErrNoCredentials = errors.New("no credentials in this invocation: attach an execution role to the function")

// errStopping is the cause of a context that ended because the process was told to stop.
var errStopping = errors.New("stopping")

// Broken marks err with [ErrBroken] and leaves its message as it is. Broken(nil) is nil.
func Broken(err error) error {
	if err == nil {
		return nil
	}
	return brokenError{err}
}

type brokenError struct{ error }

func (e brokenError) Unwrap() []error { return []error{e.error, ErrBroken} }

// HandlerError is an error that Handle returned.
type HandlerError struct{ Err error }

// Error is the message of the whole chain.
func (e *HandlerError) Error() string { return e.Err.Error() }

// Unwrap gives what Handle returned.
func (e *HandlerError) Unwrap() error { return e.Err }

// StartError says that the handler could not be built: New failed. The next invocation tries again.
type StartError struct{ Err error }

// Error is the message of the whole chain.
func (e *StartError) Error() string { return fmt.Sprintf("start handler: %v", e.Err) }

// Unwrap gives what New returned.
func (e *StartError) Unwrap() error { return e.Err }

// EventError says that the payload is not an event of this function. Nothing was started and nothing was done.
type EventError struct {
	Size int // of the payload, in bytes
	Err  error
}

// Error says what is wrong with the payload and never shows it.
func (e *EventError) Error() string {
	return fmt.Sprintf("decode event of %d bytes: %v", e.Size, e.Err)
}

// Unwrap gives the decoder's error.
func (e *EventError) Unwrap() error { return e.Err }

// ResultError says that Handle succeeded with a result that encoding/json cannot marshal. The work is done, but the
// platform hears of an error and may send the event again.
type ResultError struct{ Err error }

// Error names what could not be marshalled.
func (e *ResultError) Error() string { return fmt.Sprintf("encode result: %v", e.Err) }

// Unwrap gives the encoder's error.
func (e *ResultError) Unwrap() error { return e.Err }

// StoppedError answers an invocation that the process was told to stop in, or that came after that.
type StoppedError struct {
	Err error // what the handler returned when its context ended; nil if it was not called
}

// Error says what happened and what to do, and gives the whole chain of the handler's error.
func (e *StoppedError) Error() string {
	if e.Err == nil {
		return "the instance is stopping: invoke again"
	}
	return fmt.Sprintf("the instance is stopping: invoke again: %v", e.Err)
}

// Unwrap gives what the handler returned.
func (e *StoppedError) Unwrap() error { return e.Err }

// ConfigError lists every fault of a function's configuration. At an invocation it ends the instance, because an
// environment does not get better by waiting.
type ConfigError struct {
	Function string
	Faults   []Fault
}

// Error lists all faults on one line.
func (e *ConfigError) Error() string {
	texts := make([]string, len(e.Faults))
	for i, fault := range e.Faults {
		texts[i] = fault.String()
	}
	return fmt.Sprintf("configuration of %s: %s", e.Function, strings.Join(texts, "; "))
}
