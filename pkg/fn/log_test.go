package fn_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

func TestTheLog(t *testing.T) {
	t.Parallel()

	t.Run("has one line an invocation, with what identifies it, how long it took, and the attributes of event and result", func(t *testing.T) {
		t.Parallel()
		f := fntest.Deploy(t, newWorker(quiet), complete())
		for _, what := range []string{"work", "fail"} {
			_, _ = f.Invoke(do(what), fntest.WithRequestID("id-of-"+what))
		}
		lines := summaries(t, f.Log())
		if len(lines) != 2 || strings.Count(f.Log(), "\n") != 2 {
			t.Fatalf("got:\n%s\nwant two lines", f.Log())
		}
		cold, warm := lines[0], lines[1]
		if cold.DurationMS == nil || cold.BuildMS == nil || !*cold.ColdStart || *warm.ColdStart || warm.BuildMS != nil {
			t.Errorf("got:\n%s\nwant durations, and a cold start only at first", f.Log())
		}
		cold.DurationMS, cold.BuildMS, cold.ColdStart, warm.DurationMS, warm.ColdStart = nil, nil, nil, nil, nil
		want := []logLine{{
			Level: "INFO", Msg: "invocation done", RequestID: "id-of-work", Function: "function-under-test",
			Event: map[string]any{"do": "work"}, Result: map[string]any{"builds": 1.0},
		}, {
			Level: "ERROR", Msg: "invocation failed", RequestID: "id-of-fail", Function: "function-under-test",
			Event: map[string]any{"do": "fail"}, Result: map[string]any{"builds": 1.0},
			Error: "fetch t/0 at 7: connection reset", ErrorType: "HandlerError",
		}}
		if diff := cmp.Diff(want, []logLine{cold, warm}); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("is written from the level that is set", func(t *testing.T) {
		t.Parallel()
		for level, want := range map[string]int{"debug": 2, "info": 1, "error": 0} {
			f := fntest.Deploy(t, newWorker(quiet), complete())
			if _, err := f.Invoke(do("work"), fntest.WithEnvironment(map[string]string{"ETL_LOG_LEVEL": level})); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(f.Log(), "\n"); got != want {
				t.Errorf("got %d lines at level %s, want %d:\n%s", got, level, want, f.Log())
			}
		}
	})

	t.Run("shows no secret, not even one that an error or a careless line shows", func(t *testing.T) {
		t.Parallel()
		f := fntest.Deploy(t, newWorker(quiet), complete())
		debug := fntest.WithEnvironment(map[string]string{"ETL_LOG_LEVEL": "debug"})
		_, err := f.Invoke(do("leak"), debug)
		contains(t, err.Error(), "dial sasl://etl:[redacted]@target-1: refused")
		_, _ = f.Invoke(do("credentials"), fntest.WithCredentials("the-secret-id", "the-secret-key", "the-session-token"))
		contains(t, f.Log(), "at work", "signing", "[redacted]")
		lacks(t, f.Log(), password, "the-secret-id", "the-secret-key", "the-session-token")
	})

	t.Run("of a context without an invocation goes nowhere", func(t *testing.T) {
		t.Parallel()
		if fn.LoggerFrom(t.Context()).Enabled(t.Context(), 0) {
			t.Error("got a logger that writes")
		}
		if _, ok := fn.InvocationFrom(t.Context()); ok {
			t.Error("got an invocation")
		}
	})
}
