package emulator

import "time"

// backOff is the time to wait after a fault that is expected to pass: it
// doubles from the least to the most. It is without chance, so that what the
// screen shows is what happens.
type backOff struct {
	min, max time.Duration
	last     time.Duration
}

// next returns how long to wait now.
func (b *backOff) next() time.Duration {
	b.last = min(max(2*b.last, b.min), b.max)
	return b.last
}

// reset begins anew after a success.
func (b *backOff) reset() { b.last = 0 }

// attempts counts the deliveries of one batch against the trigger's rules: a
// failed function gets it again once an interval, and at most retry times; a
// fault of the platform does not count, and is waited out for ever.
type attempts struct {
	retry    int
	interval time.Duration
	system   backOff

	failed int
}

// after says what to do after a failure: wait, or give up.
func (a *attempts) after(k Kind) (pause time.Duration, giveUp bool) {
	if k == KindSystem {
		return a.system.next(), false
	}
	a.system.reset()
	a.failed++
	return a.interval, a.failed > a.retry
}
