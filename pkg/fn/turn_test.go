package fn_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

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
