package fn_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

// number is an event that is a number.
type (
	number  int
	numbers = fn.HandlerFunc[number, number]
)

var errAway = errors.New("a service is away")

func away(err error) bool { return errors.Is(err, errAway) }

// failing gives a handler that fails n times, and counts its calls.
func failing(n int, calls *int) fn.Handler[number, number] {
	return numbers(func(context.Context, number) (number, error) {
		if *calls++; *calls <= n {
			return 0, errAway
		}
		return 7, nil
	})
}

type closer struct {
	numbers
	closed *bool
}

func (c closer) Close() error { *c.closed = true; return nil }

func TestWith(t *testing.T) {
	t.Parallel()
	t.Run("goes from the first to the handler, which is closed as it would be without", func(t *testing.T) {
		t.Parallel()
		var order []string
		named := func(name string) fn.Middleware[number, number] {
			return func(next fn.Handler[number, number]) fn.Handler[number, number] {
				return numbers(func(ctx context.Context, n number) (number, error) {
					order = append(order, name)
					return next.Handle(ctx, n+1)
				})
			}
		}
		closed := false
		build := func(context.Context, struct{}) (fn.Handler[number, number], error) {
			return closer{func(_ context.Context, n number) (number, error) { return n, nil }, &closed}, nil
		}
		f := fntest.Deploy(t, fn.With(build, named("outer"), named("inner")), nil)
		if got, err := f.Invoke([]byte("1")); err != nil || got != 3 || !slices.Equal(order, []string{"outer", "inner"}) {
			t.Errorf("got %v, %v by %v", got, err, order)
		}
		if f.Stop(); !closed {
			t.Error("the handler was not closed")
		}
	})
	t.Run("an error of the constructor is that of the constructor", func(t *testing.T) {
		t.Parallel()
		build := func(context.Context, struct{}) (fn.Handler[number, number], error) { return nil, errAway }
		if _, err := fntest.Invoke(t, fn.With(build, fn.Retry[number, number](away)), nil, []byte("1")); !errors.Is(err, errAway) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		failures  int
		transient func(error) bool
		within    time.Duration
		calls     int
		done      bool
	}{
		{"calls again until it is done", 3, away, time.Minute, 4, true},
		{"does not call again what will not help", 3, func(error) bool { return false }, time.Minute, 1, false},
		{"ends before the time does", 1000, away, 250 * time.Millisecond, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()
				calls := 0
				got, err := fn.Retry[number, number](c.transient)(failing(c.failures, &calls)).Handle(ctx, 1)
				if (err == nil) != c.done || c.done != (got == 7) || c.calls > 0 && calls != c.calls {
					t.Errorf("%d calls, %v, %v", calls, got, err)
				}
				if ctx.Err() != nil || !c.done && !errors.Is(err, errAway) {
					t.Errorf("ended with %v (%v)", err, ctx.Err())
				}
			})
		})
	}
}

func TestIdempotent(t *testing.T) {
	t.Parallel()
	identity := func(n number) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	t.Run("an event is handled once, one that failed again, one without identity always", func(t *testing.T) {
		t.Parallel()
		calls := 0
		h := fn.Idempotent[number, number](identity, fn.NewMemory(10))(failing(1, &calls))
		for _, want := range []int{1, 2, 2, 2} {
			if _, err := h.Handle(t.Context(), 5); (err == nil) != (want == 2) || calls != want {
				t.Errorf("%d calls (%v), want %d", calls, err, want)
			}
		}
		for range 2 {
			_, _ = h.Handle(t.Context(), 0)
		}
		if calls != 4 {
			t.Errorf("%d calls, want 4", calls)
		}
	})
	t.Run("memory forgets the oldest", func(t *testing.T) {
		t.Parallel()
		calls := 0
		h := fn.Idempotent[number, number](identity, fn.NewMemory(2))(failing(0, &calls))
		for _, n := range []number{1, 2, 3, 3, 2, 1} {
			_, _ = h.Handle(t.Context(), n)
		}
		if calls != 4 {
			t.Errorf("%d calls, want 4: the first one is forgotten", calls)
		}
	})
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	t.Run("holds back what is too much, by weight", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			h := fn.RateLimit[number, number](10, func(n number) int { return int(n) })(failing(0, &calls))
			begun := time.Now()
			for _, n := range []number{10, 5, 35, 0} {
				if _, err := h.Handle(t.Context(), n); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begun); calls != 4 || took < 4*time.Second || took > 4100*time.Millisecond {
				t.Errorf("%d calls in %v of the test's clock, want 4 s: 50, of which 10 at once", calls, took)
			}
		})
	})
	t.Run("does not call a handler whose turn comes too late", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			calls := 0
			h := fn.RateLimit[number, number](1, func(n number) int { return int(n) })(failing(0, &calls))
			if _, err := h.Handle(ctx, 5); err == nil || calls != 0 || !strings.Contains(err.Error(), "limit of 1 a second") {
				t.Errorf("%d calls, %v", calls, err)
			}
		})
	})
}

func TestObserve(t *testing.T) {
	t.Parallel()
	t.Run("tells of what was done, what failed and what panicked", func(t *testing.T) {
		t.Parallel()
		var seen []fn.Observation
		build := func(context.Context, struct{}) (fn.Handler[number, number], error) {
			return numbers(func(_ context.Context, n number) (number, error) {
				switch n {
				case 1:
					return 0, errAway
				case 2:
					panic("two")
				}
				return n, nil
			}), nil
		}
		f := fntest.Deploy(t, fn.With(build, fn.Observe[number, number](func(o fn.Observation) { seen = append(seen, o) })), nil)
		for n := range 3 {
			_, _ = f.Invoke(fmt.Append(nil, n))
		}
		if len(seen) != 3 || seen[0].Err != nil || !errors.Is(seen[1].Err, errAway) || !errors.Is(seen[2].Err, fn.ErrPanicked) || seen[0].Invocation.FunctionName == "" {
			t.Errorf("saw %+v", seen)
		}
	})
}
