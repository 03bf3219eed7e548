package fn_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

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
