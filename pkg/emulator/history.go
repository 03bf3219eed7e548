package emulator

import "sync"

// keptPayload is how much of a response a kept record has.
const keptPayload = 4 << 10

// history keeps the last invocations.
type history struct {
	limit int

	mu   sync.Mutex
	ring []Invocation
	next int
}

func (h *history) add(i Invocation) {
	if h.limit <= 0 {
		return
	}
	if len(i.Payload) > keptPayload {
		// why: a copy, so that the record does not hold the whole response.
		i.Payload = append([]byte(nil), i.Payload[:keptPayload]...)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ring) < h.limit {
		h.ring = append(h.ring, i)
		return
	}
	h.ring[h.next] = i
	h.next = (h.next + 1) % h.limit
}

// list returns the kept invocations, oldest first.
func (h *history) list() []Invocation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append(append([]Invocation(nil), h.ring[h.next:]...), h.ring[:h.next]...)
}
