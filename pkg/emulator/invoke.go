package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// InvokeOptions say how to invoke.
type InvokeOptions struct {
	// Async takes the event limit of an asynchronous invocation, 128 KB. Invoke
	// waits for the end all the same.
	Async bool
	// ClientContext is handed to the function; JSON, or nothing.
	ClientContext []byte
	// Trigger is the name to record as the source of the event.
	Trigger string
	// Qualifier is the version or alias to invoke; empty is $LATEST. An alias
	// chooses a version anew for each invocation.
	Qualifier string
	// RoutingKey is what an alias's matches look at; nil for none.
	RoutingKey map[string]string
	// RequestID names the invocation; empty for Config.NewRequestID.
	RequestID string

	repeat bool // see Repeat
}

// Invoke runs a function once and returns its record.
//
// The error says that nothing ran: ErrUnknownFunction, ErrUnknownQualifier,
// ErrEventTooLarge, ErrClosed. Whether what ran has succeeded is in Invocation.Error, which the
// caller has to look at. Nothing is repeated.
//
// The end of the context kills the instance: it is for giving up, as a function
// has its own deadline.
func (p *Platform) Invoke(ctx context.Context, name string, event []byte, o InvokeOptions) (Invocation, error) {
	most := scf.MaxSyncPayload
	if o.Async {
		most = scf.MaxAsyncPayload
	}
	if len(event) > most {
		return Invocation{}, fmt.Errorf("invoke %s: %w: %d bytes, allowed are %d", name, ErrEventTooLarge, len(event), most)
	}
	return p.invoke(ctx, name, event, o)
}

// invoke is Invoke without the limit on the event: a Kafka trigger sends one
// record of the limit's size whole, and then the event around it is larger.
func (p *Platform) invoke(ctx context.Context, name string, event []byte, o InvokeOptions) (Invocation, error) {
	done, err := p.begin()
	if err != nil {
		return Invocation{}, fmt.Errorf("invoke %s: %w", name, err)
	}
	defer done()
	f, err := p.resolve(name, o.Qualifier, o.RoutingKey)
	if err != nil {
		return Invocation{}, fmt.Errorf("invoke %s: %w", name, err)
	}
	defer p.events.begin(f.id(), event, o)()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.abort:
			cancel(ErrClosed)
		case <-ctx.Done():
		}
	}()
	i := Invocation{
		RequestID: o.RequestID, Function: f.Name, Namespace: f.Namespace, Version: f.version, Qualifier: o.Qualifier,
		Trigger: o.Trigger, Repeat: o.repeat, Start: p.config.Clock.Now(), MemoryMB: f.MemorySize, EventBytes: len(event),
	}
	if i.RequestID == "" {
		i.RequestID = p.config.NewRequestID()
	}
	for !p.run(ctx, f, event, o, &i) {
		// why: it was deployed anew in this moment, and runs as the new code.
		if f, err = p.resolve(f.id(), f.version, nil); err != nil {
			return Invocation{}, fmt.Errorf("invoke %s: %w", name, err)
		}
	}
	p.record(i)
	return i, nil
}

// run fills in what came of an invocation. It is false where the version takes
// no invocations any more.
func (p *Platform) run(ctx context.Context, f *function, event []byte, o InvokeOptions, i *Invocation) bool {
	req, err := p.request(ctx, f, event, o, i.RequestID)
	if err != nil {
		i.Error = systemError("prepare the invocation", err)
		return true
	}
	in, init, failed := f.pool.get(ctx)
	i.Init, i.Error = init, failed
	if failed != nil {
		return !errors.Is(failed, errRetired)
	}
	i.PID = in.pid()
	if init > 0 {
		i.InitLog = in.initLog
	}
	memory := int64(f.MemorySize) << 20
	out := in.call(ctx, req, callLimits{timeout: f.timeout(), memory: memory, sample: p.config.MemorySample})
	if out.ended {
		in = nil
	}
	f.pool.put(in)
	i.bill(out.duration)
	i.Payload, i.PayloadBytes = out.payload, len(out.payload)
	i.MaxRSS, i.Log, i.LogDropped, i.Error = out.peak, out.log, out.dropped, out.err
	return true
}

func (p *Platform) request(ctx context.Context, f *function, event []byte, o InvokeOptions, id string) (*messages.InvokeRequest, error) {
	var keys Credentials
	if p.config.Credentials != nil {
		var err error
		if keys, err = p.config.Credentials(ctx); err != nil {
			return nil, fmt.Errorf("get credentials: %w", err)
		}
	}
	env, err := json.Marshal(f.invokeEnv(keys))
	if err != nil {
		return nil, err
	}
	return &messages.InvokeRequest{
		Payload:               event,
		RequestId:             id,
		InvokedFunctionUnique: f.namespace() + "/" + f.Name + "/" + f.version,
		ClientContext:         o.ClientContext,
		Namespace:             f.namespace(),
		FunctionName:          f.Name,
		FunctionVersion:       f.version,
		MemoryLimitInMb:       int32(f.MemorySize),
		Environment:           string(env),
	}, nil
}

// record keeps an invocation and tells about it.
func (p *Platform) record(i Invocation) {
	p.history.add(i)
	if p.config.Hooks.Invoked != nil {
		p.config.Hooks.Invoked(i)
	}
	attrs := []any{
		"request_id", i.RequestID, "function", i.Function, "version", i.Version, "duration", i.Duration, "init", i.Init,
		"max_rss", i.MaxRSS, "event_bytes", i.EventBytes,
	}
	if i.Trigger != "" {
		attrs = append(attrs, "trigger", i.Trigger)
	}
	if i.Error == nil {
		p.config.Log.Debug("invoked", attrs...)
		return
	}
	p.config.Log.Warn("invocation failed", append(attrs, "kind", i.Error.Kind, "error", i.Error.Error())...)
}
