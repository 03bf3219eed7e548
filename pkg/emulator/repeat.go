package emulator

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// Repeat invokes a function again with the event of its last invocation that has ended,
// whatever came of it. It is how a new version of a function is tried: to a function
// it is a second delivery, which the cloud may make as well. Nothing but the
// invocation is done: no offset is committed, and nothing is sent again if it fails.
//
// The error says that nothing ran: ErrUnknownFunction, ErrNoEvent without such an event,
// ErrBusy while the function works on another one, ErrClosed. It needs
// Config.KeepEvents. About the context see [Platform.Invoke].
func (p *Platform) Repeat(ctx context.Context, name string) (Invocation, error) {
	d, err := p.deployed(name)
	if err != nil {
		return Invocation{}, fmt.Errorf("repeat the last event of %s: %w", name, err)
	}
	last, err := p.events.last(d.id)
	if err != nil {
		return Invocation{}, fmt.Errorf("repeat the last event of %s: %w", name, err)
	}
	o := last.options
	// why no qualifier: a repeat is how new code is tried.
	o.repeat, o.Qualifier, o.RequestID = true, "", ""
	return p.invoke(ctx, name, last.event, o)
}

// events keep the last event of each function, and know what is under way. The zero value
// keeps nothing.
type events struct {
	keep bool

	mu      sync.Mutex
	ended   map[string]lastEvent
	running map[string]int // invocations by function, of all its versions
}

type lastEvent struct {
	event   []byte
	options InvokeOptions
}

// begin counts an invocation until its end is called, which keeps its event.
func (e *events) begin(function string, event []byte, o InvokeOptions) (end func()) {
	if !e.keep {
		return func() {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		e.running, e.ended = map[string]int{}, map[string]lastEvent{}
	}
	e.running[function]++
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.running[function]--
		// why a copy: a trigger fills the memory of its event again.
		e.ended[function] = lastEvent{bytes.Clone(event), o}
	}
}

func (e *events) last(function string) (lastEvent, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	last, known := e.ended[function]
	switch {
	case e.running[function] > 0:
		return lastEvent{}, ErrBusy
	case !known:
		return lastEvent{}, ErrNoEvent
	}
	return last, nil
}
