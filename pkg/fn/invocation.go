package fn

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"
)

// regionKey is the environment key in which SCF tells a process its region.
const regionKey = "TENCENTCLOUD_REGION"

// Invocation is what the platform says about the invocation that a context belongs to.
type Invocation struct {
	RequestID       string
	FunctionName    string // as deployed: service-stage-name
	FunctionVersion string // a number or $LATEST
	Namespace       string
	Region          string        // in which the function runs, such as ap-guangzhou
	MemoryMB        int           // limit of the instance
	TimeLimit       time.Duration // configured time-out
	Deadline        time.Time     // when the platform kills; the context ends a margin earlier
}

// InvocationFrom gives the invocation that ctx belongs to, and false for a context that is none of [Instance.Invoke].
func InvocationFrom(ctx context.Context) (Invocation, bool) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return Invocation{}, false
	}
	return c.invocation, true
}

// LoggerFrom gives the logger of the invocation that ctx belongs to: JSON lines to the platform's log with
// request_id and function. For a context without an invocation it is one that discards everything.
func LoggerFrom(ctx context.Context) *slog.Logger {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return slog.New(slog.DiscardHandler)
	}
	return c.logger
}

// NewContext gives ctx the invocation and its environment as scf-go-lib does before it calls [Instance.Invoke]. It is
// for callers of Invoke that are not the platform, as fntest. The deadline is taken from ctx, not from invocation.
func NewContext(ctx context.Context, invocation Invocation, environment map[string]string) context.Context {
	return functioncontext.NewContext(ctx, &functioncontext.FunctionContext{
		RequestID:       invocation.RequestID,
		FunctionName:    invocation.FunctionName,
		FunctionVersion: invocation.FunctionVersion,
		Namespace:       invocation.Namespace,
		MemoryLimitInMb: int32(invocation.MemoryMB),
		TimeLimitInMs:   int32(invocation.TimeLimit.Milliseconds()),
		Environment:     environment,
	})
}

// call is one invocation on its way through the layers, and what they learn about it for the summary line.
type call struct {
	invocation Invocation
	payload    []byte
	started    map[string]string // environment at the start of the process
	own        map[string]string // environment that came with the invocation
	logger     *slog.Logger

	coldStart bool          // first invocation of the process
	built     time.Duration // how long New took; 0 when the handler was warm
	event     []slog.Attr
	result    []slog.Attr
}

type callKey struct{}

// newCall reads what scf-go-lib put into ctx. The environment is taken from there and not from the process, into
// which the library sets it too: two invocations at once would read each other's.
func newCall(ctx context.Context, payload []byte, started map[string]string) *call {
	c := &call{payload: payload, started: started}
	c.invocation.Region = started[regionKey]
	c.invocation.Deadline, _ = ctx.Deadline()
	platform, ok := functioncontext.FromContext(ctx)
	if !ok {
		return c
	}
	c.own = platform.Environment
	c.invocation.Region = cmp.Or(c.own[regionKey], c.invocation.Region)
	c.invocation.RequestID = platform.RequestID
	c.invocation.FunctionName = platform.FunctionName
	c.invocation.FunctionVersion = platform.FunctionVersion
	c.invocation.Namespace = platform.Namespace
	c.invocation.MemoryMB = int(platform.MemoryLimitInMb)
	c.invocation.TimeLimit = time.Duration(platform.TimeLimitInMs) * time.Millisecond
	return c
}
