package fn_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

func TestTheDeadline(t *testing.T) {
	t.Parallel()

	left := func(t *testing.T, limit time.Duration, own map[string]string) string {
		t.Helper()
		result, err := fntest.Invoke(t, newWorker(quiet), complete(), do("work"), fntest.WithTimeLimit(limit), fntest.WithEnvironment(own))
		if err != nil {
			t.Fatal(err)
		}
		return result.Left
	}

	t.Run("leaves the handler a margin of a second", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			if got := left(t, 30*time.Second, nil); got != "29s" {
				t.Errorf("got %s for the handler, want 29s of 30s", got)
			}
		})
	})

	t.Run("leaves the handler at least half of a short time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			if got := left(t, time.Second, nil); got != "500ms" {
				t.Errorf("got %s for the handler, want half of 1s", got)
			}
		})
	})

	t.Run("leaves the margin that is set", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			if got := left(t, time.Minute, map[string]string{"ETL_DEADLINE_MARGIN": "10s"}); got != "50s" {
				t.Errorf("got %s for the handler, want 50s of a minute", got)
			}
		})
	})

	t.Run("ends a handler that waits, and the error says so", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			_, err := fntest.Invoke(t, newWorker(quiet), complete(), do("wait"))
			var deadline *fn.DeadlineError
			if !errors.As(err, &deadline) || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %T %v, want a DeadlineError", err, err)
			}
			want := "out of time 1s before the deadline (ETL_DEADLINE_MARGIN): copy t/0: context deadline exceeded"
			if err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
		})
	})

	t.Run("that has passed is an error before anything is built", func(t *testing.T) {
		t.Parallel()
		var d diary
		_, err := fntest.Invoke(t, newWorker(d.add), complete(), do("work"), fntest.WithTimeLimit(-time.Second))
		var deadline *fn.DeadlineError
		if !errors.As(err, &deadline) || len(d.entries) > 0 {
			t.Errorf("got %T %v and %v, want a DeadlineError and nothing built", err, err, d.entries)
		}
	})
}
