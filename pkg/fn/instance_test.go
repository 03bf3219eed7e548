package fn_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

// raw is an event that reads itself.
type raw struct{ payload []byte }

func (r *raw) UnmarshalJSON(payload []byte) error {
	r.payload = payload
	return nil
}

type echo struct{}

func (echo) Handle(_ context.Context, event raw) (string, error) { return string(event.payload), nil }

func TestAnEventThatReadsItself(t *testing.T) {
	t.Parallel()
	open := func(context.Context, struct{}) (fn.Handler[raw, string], error) { return echo{}, nil }
	// why no JSON: it shows that encoding/json does not look at it first
	got, err := fntest.Invoke(t, open, nil, []byte(" no JSON\n"))
	if err != nil || got != " no JSON\n" {
		t.Errorf("got %q, %v, want the payload as it came", got, err)
	}
}

// BenchmarkInvoke is what the contract costs around a handler that does nothing.
func BenchmarkInvoke(b *testing.B) {
	instance, err := fn.NewInstance("dump", newWorker(quiet), complete(), io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	ctx = fn.NewContext(ctx, fn.Invocation{RequestID: "rid"}, keys("token"))
	for b.Loop() {
		if _, err := instance.Invoke(ctx, do("work")); err != nil {
			b.Fatal(err)
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var log strings.Builder
		instance, err := fn.NewInstance("dump", newWorker(d.add), complete(), &log)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		answers := make(chan error, 2)
		for range 2 { // one runs, one waits in line
			go func() {
				_, err := instance.Invoke(fn.NewContext(ctx, fn.Invocation{}, nil), do("wait"))
				answers <- err
			}()
		}
		synctest.Wait()
		if err := instance.Close(); err != nil {
			t.Error(err)
		}
		_, err = instance.Invoke(fn.NewContext(ctx, fn.Invocation{}, nil), do("work"))
		for _, err := range []error{<-answers, <-answers, err} {
			var stopped *fn.StoppedError
			if !errors.As(err, &stopped) {
				t.Errorf("got %T %v, want a StoppedError", err, err)
			}
		}
		want := []string{"build", "begin wait", "end wait", "close"}
		if diff := cmp.Diff(want, d.entries); diff != "" {
			t.Errorf("want the running one to end before the handler is closed, the others not to begin; want -, got +:\n%s", diff)
		}
		if got := len(summaries(t, log.String())); got != 3 {
			t.Errorf("got %d summary lines, want one for each of 3 invocations", got)
		}
	})
}
