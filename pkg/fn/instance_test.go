package fn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

// diary keeps what a handler of these tests did.
type diary struct{ entries []string }

func (d *diary) add(entry string) { d.entries = append(d.entries, entry) }

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

func TestAPanic(t *testing.T) {
	t.Parallel()

	t.Run("ends the instance, which starts cold without closing the handler", func(t *testing.T) {
		t.Parallel()
		var d diary
		f := fntest.Deploy(t, newWorker(d.add), complete())
		_, err := f.Invoke(do("index"))
		var panicked *fn.PanicError
		if !errors.As(err, &panicked) {
			t.Fatalf("got %T %v, want a PanicError", err, err)
		}
		contains(t, err.Error(), "panic: runtime error: index out of range [5] with length 1")
		contains(t, panicked.Stack, "fn_test.(*worker).Handle")
		if _, err := f.Invoke(do("work")); err != nil {
			t.Fatal(err)
		}
		lines := summaries(t, f.Log())
		if len(lines) != 2 || !*lines[0].ColdStart || !*lines[1].ColdStart {
			t.Errorf("got %s, want two cold starts", f.Log())
		}
		contains(t, lines[0].Stack, "fn_test.(*worker).Handle")
		want := []string{"build", "begin index", "end index", "build", "begin work", "end work"}
		if diff := cmp.Diff(want, d.entries); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("with a secret in its message shows none", func(t *testing.T) {
		t.Parallel()
		f := fntest.Deploy(t, newWorker(quiet), complete())
		_, err := f.Invoke(do("panic"))
		contains(t, err.Error(), "cannot go on with [redacted]")
		lacks(t, f.Log(), password)
	})
}

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

func TestCredentials(t *testing.T) {
	t.Parallel()

	t.Run("are those of the invocation, and never those of the one before", func(t *testing.T) {
		t.Parallel()
		f := fntest.Deploy(t, newWorker(quiet), complete())
		for _, token := range []string{"first-session-token", "second-session-token"} {
			result, err := f.Invoke(do("credentials"), fntest.WithCredentials("the-secret-id", "the-secret-key", token))
			if err != nil || result.Token != token {
				t.Errorf("got %q, %v, want %q", result.Token, err, token)
			}
		}
		if _, err := f.Invoke(do("credentials")); !errors.Is(err, fn.ErrNoCredentials) {
			t.Errorf("got %v, want ErrNoCredentials", err)
		}
		lacks(t, f.Log(), "the-secret-id", "the-secret-key", "session-token")
	})

	t.Run("are not shown by fmt and encoding/json", func(t *testing.T) {
		t.Parallel()
		credentials := fn.Credentials{SecretID: "the-secret-id", SecretKey: "the-secret-key", SessionToken: "the-session-token"}
		encoded, err := json.Marshal(credentials)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{string(encoded), fmt.Sprintf("%v %+v %#v %s %q", credentials, credentials, credentials, credentials, credentials)} {
			lacks(t, shown, "the-secret-id", "the-secret-key", "the-session-token")
		}
	})

	t.Run("are missing in a context of no invocation", func(t *testing.T) {
		t.Parallel()
		if _, err := fn.CredentialsFrom(t.Context()); !errors.Is(err, fn.ErrNoCredentials) {
			t.Errorf("got %v, want ErrNoCredentials", err)
		}
	})

	t.Run("that the process was started with serve an invocation that brings none", func(t *testing.T) {
		t.Parallel()
		started := complete()
		maps.Copy(started, map[string]string{"TENCENTCLOUD_SECRETID": "own-id", "TENCENTCLOUD_SECRETKEY": "own-key", "TENCENTCLOUD_SESSIONTOKEN": "own-token"})
		instance, err := fn.NewInstance("dump", newWorker(quiet), started, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		answer, err := instance.Invoke(fn.NewContext(ctx, fn.Invocation{}, nil), do("credentials"))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, string(answer), `"token":"own-token"`)
		// why: a temporary key with another set's token would be refused
		answer, err = instance.Invoke(fn.NewContext(ctx, fn.Invocation{}, map[string]string{"TENCENTCLOUD_SECRETID": "id", "TENCENTCLOUD_SECRETKEY": "key"}), do("credentials"))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, string(answer), `"token":""`)
	})
}

func TestConcurrentInvocations(t *testing.T) {
	t.Parallel()

	t.Run("are handled one after the other", func(t *testing.T) {
		t.Parallel()
		var d diary // why without a lock: the race detector is the test
		instance, err := fn.NewInstance("dump", newWorker(d.add), complete(), t.Output())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		failures := make(chan error)
		const calls = 16
		for range calls {
			go func() {
				_, err := instance.Invoke(fn.NewContext(ctx, fn.Invocation{}, nil), do("work"))
				failures <- err
			}()
		}
		for range calls {
			if err := <-failures; err != nil {
				t.Error(err)
			}
		}
		want := append([]string{"build"}, slices.Repeat([]string{"begin work", "end work"}, calls)...)
		if diff := cmp.Diff(want, d.entries); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("that wait longer than their deadline are answered with that", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			instance, err := fn.NewInstance("dump", newWorker(quiet), complete(), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			long, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			first := make(chan error)
			go func() {
				_, err := instance.Invoke(fn.NewContext(long, fn.Invocation{}, nil), do("wait"))
				first <- err
			}()
			synctest.Wait()
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = instance.Invoke(fn.NewContext(short, fn.Invocation{}, nil), do("work"))
			var deadline *fn.DeadlineError
			if !errors.As(err, &deadline) {
				t.Errorf("got %T %v, want a DeadlineError", err, err)
			}
			if err := <-first; !errors.As(err, &deadline) {
				t.Errorf("got %T %v for the one that ran, want it to run to its own deadline", err, err)
			}
		})
	})
}

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
