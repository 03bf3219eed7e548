package mirror

import (
	"context"
	"sync"
	"time"
)

// Rate bounds how much is copied a second, of all partitions together; zero is
// no bound.
type Rate struct{ Bytes, Records int64 }

// throttle keeps the average at a rate: who has taken more than its time
// allows waits before it takes again. A nil throttle bounds nothing.
type throttle struct {
	rate Rate
	mu   sync.Mutex
	free time.Time // when what was taken is paid for
}

func newThrottle(rate Rate) *throttle {
	if rate == (Rate{}) {
		return nil
	}
	return &throttle{rate: rate}
}

// wait returns once what was taken before is paid for.
func (t *throttle) wait(ctx context.Context) error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	free := t.free
	t.mu.Unlock()
	if d := time.Until(free); d > 0 {
		return pause(ctx, d)
	}
	return nil
}

// took adds what was taken.
func (t *throttle) took(bytes, records int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); t.free.Before(now) {
		t.free = now
	}
	t.free = t.free.Add(max(cost(bytes, t.rate.Bytes), cost(records, t.rate.Records)))
}

func cost(taken, rate int64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(taken) / float64(rate) * float64(time.Second))
}
