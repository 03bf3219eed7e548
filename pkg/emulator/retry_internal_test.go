package emulator

import (
	"testing"
	"time"
)

func TestBackOff(t *testing.T) {
	t.Parallel()
	t.Run("it doubles from the least to the most and begins anew after a success", func(t *testing.T) {
		t.Parallel()
		b := backOff{min: time.Second, max: 5 * time.Second}
		for round := range 2 {
			for n, want := range []time.Duration{1, 2, 4, 5, 5} {
				if got := b.next(); got != want*time.Second {
					t.Errorf("round %d, wait %d: got %v, want %v s", round, n, got, int(want))
				}
			}
			b.reset()
		}
	})
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	t.Run("only failures of the function use up retries, and they begin the back-off anew", func(t *testing.T) {
		t.Parallel()
		a := attempts{retry: 1, interval: time.Minute, system: backOff{min: time.Second, max: time.Hour}}
		for n, step := range []struct {
			kind   Kind
			pause  time.Duration
			giveUp bool
		}{
			{KindSystem, time.Second, false}, {KindSystem, 2 * time.Second, false},
			{KindFunction, time.Minute, false},
			{KindSystem, time.Second, false},
			{KindTimeout, time.Minute, true},
		} {
			if pause, giveUp := a.after(step.kind); pause != step.pause || giveUp != step.giveUp {
				t.Errorf("step %d, %s: got %v, %v, want %v, %v", n, step.kind, pause, giveUp, step.pause, step.giveUp)
			}
		}
	})
	t.Run("with retry 0 the first failure is the last", func(t *testing.T) {
		t.Parallel()
		if _, giveUp := (&attempts{}).after(KindLimit); !giveUp {
			t.Error("it is repeated")
		}
	})
}
