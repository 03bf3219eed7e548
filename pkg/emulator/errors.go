package emulator

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of the platform itself: nothing was invoked or changed.
var (
	// ErrUnknownFunction means that no function of that name is deployed.
	ErrUnknownFunction = errors.New("no such function")
	// ErrUnknownQualifier means that the function has no version or alias of
	// that name.
	ErrUnknownQualifier = errors.New("no such version or alias")
	// ErrBadAlias means that an alias is one that the cloud refuses.
	ErrBadAlias = errors.New("refused as an alias")
	// ErrInUse means that something still refers to what was to be taken away,
	// or that the name is taken.
	ErrInUse = errors.New("in use")
	// ErrUnknownTrigger means that the function has no trigger of that name.
	ErrUnknownTrigger = errors.New("no such trigger")
	// ErrTriggerExists means that the function already has a trigger of that name.
	ErrTriggerExists = errors.New("the trigger exists already")
	// ErrImmutable means that a trigger's setting cannot be changed. As in the
	// cloud only retry, maxMsgNum, timeOut and enable of a CKafka trigger and
	// cron, argument and enable of a timer can: delete the trigger and create it
	// again.
	ErrImmutable = errors.New("cannot be changed: delete the trigger and create it again")
	// ErrEventTooLarge means that the event is above the platform's limit: 6 MB
	// for a synchronous invocation, 128 KB for an asynchronous one (583/11637).
	ErrEventTooLarge = errors.New("event too large")
	// ErrNoEvent means that the function has not had an event yet.
	ErrNoEvent = errors.New("it has had no event yet")
	// ErrBusy means that the function works on another event.
	ErrBusy = errors.New("it works on another event")
	// ErrClosed means that the platform was closed.
	ErrClosed = errors.New("the platform is closed")
	// ErrRunning means that Run was called twice.
	ErrRunning = errors.New("the platform is running already")
	// ErrNotRunning means that Run is not called, so that nothing is sent.
	ErrNotRunning = errors.New("the platform does not run")
)

// Kind says what made an invocation fail.
type Kind string

// The kinds of failure. A Kafka trigger sends the same batch again after any of
// them: after KindSystem with an exponential back-off until it works, after all
// others once in a retry interval and at most `retry` times. What becomes of an
// asynchronous event is said at [AsyncConfig].
const (
	// KindFunction is an error that the handler returned, or a panic.
	KindFunction Kind = "function"
	// KindTimeout is a process killed because it outlived its deadline.
	KindTimeout Kind = "timeout"
	// KindMemory is a process killed because it held more than its memory.
	KindMemory Kind = "memory"
	// KindExit is a process that ended by itself, or never came up.
	KindExit Kind = "exit"
	// KindResponse is an answer that is too large, or is none.
	KindResponse Kind = "response"
	// KindLimit is an invocation refused because as many as allowed are running.
	KindLimit Kind = "limit"
	// KindSystem is a fault of the platform, not of the function.
	KindSystem Kind = "system"
)

// FunctionError is how an invocation failed.
type FunctionError struct {
	Kind Kind `json:"kind"`
	// Type is the Go type of the handler's error, such as "errorString"; empty
	// for all kinds but KindFunction.
	Type string `json:"type,omitempty"`
	// Message is one line for a person.
	Message string `json:"message"`
	// Stack is where a handler panicked, innermost call first.
	Stack []Frame `json:"stack,omitempty"`
	// Exit is how the process ended, such as "exit status 3" or "signal:
	// killed"; empty where it goes on.
	Exit string `json:"exit,omitempty"`
	// LastLines are the last lines that the process wrote, at most ten; empty
	// where it goes on.
	LastLines string `json:"lastLines,omitempty"`
	// Err is what the platform met, for KindSystem.
	Err error `json:"-"`
}

// Frame is one call of a panic's stack.
type Frame struct {
	Path  string `json:"path"`
	Line  int32  `json:"line"`
	Label string `json:"label"`
}

// Error gives the message and, where the process ended, how it did and what it
// wrote last.
func (e *FunctionError) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Type != "" {
		fmt.Fprintf(&b, " (%s)", e.Type)
	}
	if e.Exit != "" {
		fmt.Fprintf(&b, "; the process ended with %s", e.Exit)
	}
	if e.LastLines != "" {
		fmt.Fprintf(&b, "; it last wrote:\n%s", e.LastLines)
	}
	return b.String()
}

// Unwrap gives what the platform met.
func (e *FunctionError) Unwrap() error { return e.Err }

// lastLines is what of a log goes into an error.
func lastLines(log []byte) string {
	const lines, size = 10, 2 << 10
	text := strings.TrimRight(string(log), "\n")
	if over := len(text) - size; over > 0 {
		text = text[over:]
	}
	all := strings.Split(text, "\n")
	if over := len(all) - lines; over > 0 {
		all = all[over:]
	}
	return strings.ToValidUTF8(strings.Join(all, "\n"), "\uFFFD")
}
