package emulator

import (
	"bytes"
	"context"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Send takes an event for an asynchronous invocation and returns its request id
// at once. It is delivered and repeated as the events of timers are, under one
// request id; see [AsyncConfig]. The version is chosen anew for each try.
//
// The error says that the event was not taken: ErrUnknownFunction,
// ErrUnknownQualifier, ErrEventTooLarge above 128 KB, ErrNotRunning.
func (p *Platform) Send(_ context.Context, function string, event []byte, o InvokeOptions) (requestID string,
	err error) {
	if len(event) > scf.MaxAsyncPayload {
		return "", fmt.Errorf("send to %s: %w: %d bytes, allowed are %d", function, ErrEventTooLarge, len(event),
			scf.MaxAsyncPayload)
	}
	f, err := p.resolve(function, o.Qualifier, o.RoutingKey)
	if err != nil {
		return "", fmt.Errorf("send to %s: %w", function, err)
	}
	e := asyncEvent{
		function: f.id(), trigger: o.Trigger, qualifier: o.Qualifier, routing: o.RoutingKey, requestID: o.RequestID,
		payload: bytes.Clone(event), status: &asyncStatus{},
	}
	if e.requestID == "" {
		e.requestID = p.config.NewRequestID()
	}
	p.mu.Lock()
	run := p.async
	p.mu.Unlock()
	if run == nil || !run.offer(e) {
		return "", fmt.Errorf("send to %s: %w", function, ErrNotRunning)
	}
	return e.requestID, nil
}
