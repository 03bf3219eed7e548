package mirror

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestThrottle(t *testing.T) {
	t.Parallel()

	t.Run("who has taken more than a second's rate waits until it is paid for", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			throttle := newThrottle(Rate{Bytes: 1000})
			begun := time.Now()
			for range 5 {
				if err := throttle.wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				throttle.took(2000, 1)
			}
			if took := time.Since(begun); took != 8*time.Second {
				t.Errorf("10,000 bytes at 1,000 a second began for %v, want 8s and the last still to be paid", took)
			}
		})
	})

	t.Run("of two rates the slower one counts", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			throttle := newThrottle(Rate{Bytes: 1000, Records: 10})
			begun := time.Now()
			throttle.took(1000, 50)
			if err := throttle.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took != 5*time.Second {
				t.Errorf("50 records at 10 a second took %v", took)
			}
		})
	})

	t.Run("time that was not used is not saved up", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			throttle := newThrottle(Rate{Records: 10})
			time.Sleep(time.Hour)
			throttle.took(0, 10)
			begun := time.Now()
			if err := throttle.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took != time.Second {
				t.Errorf("waited for %v, want 1s", took)
			}
		})
	})

	t.Run("the end of the context ends a wait, and no rate is no wait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			throttle := newThrottle(Rate{Records: 1})
			throttle.took(0, 1000)
			if err := throttle.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v", err)
			}
			free := newThrottle(Rate{})
			free.took(1<<40, 1<<40)
			if err := free.wait(ctx); err != nil {
				t.Errorf("without a rate: %v", err)
			}
		})
	})
}
