package emulator_test

import (
	"slices"
	"sync"
	"time"
)

// fakeClock stands still until it is moved, and knows who waits for how long.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []*fakeWait
	asked []time.Duration // every wait that was asked for
}

type fakeWait struct {
	at time.Time
	ch chan time.Time
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Unix(1_700_000_000, 0)} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &fakeWait{at: c.now.Add(d), ch: make(chan time.Time, 1)}
	c.waits = append(c.waits, w)
	c.asked = append(c.asked, d)
	return w.ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waits = slices.DeleteFunc(c.waits, func(o *fakeWait) bool { return o == w })
	}
}

// advance moves the time and wakes who waited for it.
func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = slices.DeleteFunc(c.waits, func(w *fakeWait) bool {
		if w.at.After(c.now) {
			return false
		}
		w.ch <- c.now
		return true
	})
}

// waiting reports whether somebody waits until exactly that long from now.
func (c *fakeClock) waiting(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.waits, func(w *fakeWait) bool { return w.at.Equal(c.now.Add(d)) })
}
