package fn

import (
	"container/list"
	"context"
	"fmt"
	"sync"
)

// Done remembers which events were handled.
type Done interface {
	// Handled says whether an event of an identity was handled to its end.
	Handled(ctx context.Context, identity string) (bool, error)
	// Finish remembers that one was. It is called after the handler, so an event whose process dies in between is handled
	// again.
	Finish(ctx context.Context, identity string) error
}

// Idempotent leaves out events that were handled before: the handler is not called, and the result is the zero value.
// identity names what an event brings, of a Kafka event its topics, partitions and offsets; "" is never left out.
//
// done may be [NewMemory], which spares what a warm instance is sent again; one that outlives instances is the
// function's own. For effects in Kafka, package job does better: they are committed together with the progress.
func Idempotent[E, R any](identity func(E) string, done Done) Middleware[E, R] {
	return func(next Handler[E, R]) Handler[E, R] {
		return HandlerFunc[E, R](func(ctx context.Context, event E) (result R, err error) {
			id := identity(event)
			if id == "" {
				return next.Handle(ctx, event)
			}
			handled, err := done.Handled(ctx, id)
			if err != nil {
				return result, fmt.Errorf("was %s handled before: %w", id, err)
			}
			if handled {
				LoggerFrom(ctx).Info("event was handled before", "identity", id)
				return result, nil
			}
			if result, err = next.Handle(ctx, event); err != nil {
				return result, err
			}
			if err := done.Finish(ctx, id); err != nil {
				return result, fmt.Errorf("remember that %s was handled, it may be handled again: %w", id, err)
			}
			return result, nil
		})
	}
}

// memory is a Done of the last events.
type memory struct {
	mu    sync.Mutex
	most  int
	order *list.List // of identities, the oldest first
	known map[string]bool
}

// NewMemory gives a Done that remembers the last most identities for as long as the process lives.
func NewMemory(most int) Done {
	return &memory{most: max(most, 1), order: list.New(), known: map[string]bool{}}
}

// Handled says whether it is one of the last.
func (m *memory) Handled(_ context.Context, identity string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[identity], nil
}

// Finish forgets the oldest where there is no room.
func (m *memory) Finish(_ context.Context, identity string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[identity] {
		return nil
	}
	m.known[identity] = true
	m.order.PushBack(identity)
	if m.order.Len() > m.most {
		oldest := m.order.Front()
		delete(m.known, m.order.Remove(oldest).(string))
	}
	return nil
}
