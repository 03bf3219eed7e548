package fn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

func TestAHandler(t *testing.T) {
	t.Parallel()

	t.Run("is built at the first invocation and kept for the next ones", func(t *testing.T) {
		t.Parallel()
		var d diary
		f := fntest.Deploy(t, newWorker(d.add), complete())
		for range 2 {
			if _, err := f.Invoke(do("work")); err != nil {
				t.Fatal(err)
			}
		}
		f.Stop()
		want := []string{"build", "begin work", "end work", "begin work", "end work", "close"}
		if diff := cmp.Diff(want, d.entries); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("is kept after an ordinary error, whose chain and message come through", func(t *testing.T) {
		t.Parallel()
		var d diary
		f := fntest.Deploy(t, newWorker(d.add), complete())
		result, err := f.Invoke(do("fail"))
		var failed *fn.HandlerError
		if !errors.As(err, &failed) || err.Error() != "fetch t/0 at 7: connection reset" {
			t.Errorf("got %T %v, want a HandlerError with the whole chain", err, err)
		}
		if result.Builds != 1 {
			t.Errorf("got %+v, want what the handler returned beside its error", result)
		}
		if result, err := f.Invoke(do("work")); err != nil || result.Builds != 1 {
			t.Errorf("got %+v, %v, want the first handler", result, err)
		}
	})

	t.Run("is closed when broken and built anew at the next invocation", func(t *testing.T) {
		t.Parallel()
		var d diary
		f := fntest.Deploy(t, newWorker(d.add), complete())
		_, err := f.Invoke(do("break"))
		if !errors.Is(err, fn.ErrBroken) || err.Error() != "write t/0: broken pipe" {
			t.Errorf("got %v, want the handler's own message, marked as broken", err)
		}
		if result, err := f.Invoke(do("work")); err != nil || result.Builds != 2 {
			t.Errorf("got %+v, %v, want a second handler", result, err)
		}
		want := []string{"build", "begin break", "end break", "close", "build", "begin work", "end work"}
		if diff := cmp.Diff(want, d.entries); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("is closed and built anew when a setting of it changes, and not when something else does", func(t *testing.T) {
		t.Parallel()
		var d diary
		f := fntest.Deploy(t, newWorker(d.add), complete())
		for _, own := range []map[string]string{{}, {"PATH": "/elsewhere"}, {"SOURCE_BROKERS": "other:9092"}} {
			if _, err := f.Invoke(do("work"), fntest.WithEnvironment(own)); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"build", "begin work", "end work", "begin work", "end work", "close", "build", "begin work", "end work"}
		if diff := cmp.Diff(want, d.entries); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("that cannot be built fails the invocation and is tried again at the next", func(t *testing.T) {
		t.Parallel()
		f := fntest.Deploy(t, newWorker(quiet), complete())
		_, err := f.Invoke(do("work"), fntest.WithEnvironment(map[string]string{"SOURCE_BROKERS": "nowhere:9092"}))
		var start *fn.StartError
		if !errors.As(err, &start) {
			t.Fatalf("got %T %v, want a StartError", err, err)
		}
		contains(t, err.Error(), "connect to nowhere:9092", "no such host")
		lacks(t, err.Error()+f.Log(), password)
		if _, err := f.Invoke(do("work")); err != nil {
			t.Errorf("got %v, want a handler once there is a host", err)
		}
	})

	t.Run("that is neither there nor an error is a StartError and not a crash", func(t *testing.T) {
		t.Parallel()
		nothing := func(context.Context, struct{}) (fn.Handler[order, report], error) { return nil, nil }
		_, err := fntest.Invoke(t, nothing, nil, do("work"))
		var start *fn.StartError
		if !errors.As(err, &start) {
			t.Errorf("got %T %v, want a StartError", err, err)
		}
	})

	t.Run("is not called with a payload that is no event", func(t *testing.T) {
		t.Parallel()
		var d diary
		_, err := fntest.Invoke(t, newWorker(d.add), complete(), []byte(`{"do":7}`))
		var event *fn.EventError
		if !errors.As(err, &event) || event.Size != 8 {
			t.Errorf("got %T %v, want an EventError of 8 bytes", err, err)
		}
		if len(d.entries) > 0 {
			t.Errorf("got %v, want nothing built", d.entries)
		}
	})

	t.Run("whose result cannot be marshalled fails the invocation", func(t *testing.T) {
		t.Parallel()
		_, err := fntest.Invoke(t, newWorker(quiet), complete(), do("unsendable"))
		var result *fn.ResultError
		if !errors.As(err, &result) {
			t.Errorf("got %T %v, want a ResultError", err, err)
		}
	})
}
