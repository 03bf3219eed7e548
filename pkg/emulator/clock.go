package emulator

import (
	"context"
	"time"
)

// Clock tells the platform the time and wakes it. Retries, back-off, batch
// windows and idle instances go by it, so that a test can move a minute in no
// time. A function's own deadline does not: the function lives in real time.
type Clock interface {
	Now() time.Time
	// After returns a channel that gets one value once d has passed, and a
	// function that ends the wait early.
	After(d time.Duration) (at <-chan time.Time, stop func())
}

// systemClock is the clock of the machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// wait blocks for d, or until the context ends; then it returns its error.
func wait(ctx context.Context, c Clock, d time.Duration) error {
	at, stop := c.After(d)
	defer stop()
	select {
	case <-at:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
