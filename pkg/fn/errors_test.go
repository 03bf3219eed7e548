package fn_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

func TestErrors(t *testing.T) {
	t.Parallel()

	t.Run("keep what they wrap in their chain and its text in their message", func(t *testing.T) {
		t.Parallel()
		for want, err := range map[string]error{
			"EOF":                          &fn.HandlerError{Err: io.EOF},
			"start handler: EOF":           &fn.StartError{Err: io.EOF},
			"decode event of 7 bytes: EOF": &fn.EventError{Size: 7, Err: io.EOF},
			"encode result: EOF":           &fn.ResultError{Err: io.EOF},
			"panic: EOF":                   &fn.PanicError{Err: io.EOF},
			"too late: EOF":                &fn.DeadlineError{Reason: "too late", Err: io.EOF},
			"the instance is stopping: invoke again: EOF": &fn.StoppedError{Err: io.EOF},
		} {
			if err.Error() != want || !errors.Is(err, io.EOF) {
				t.Errorf("got %q, in the chain %v, want %q in the chain", err, errors.Is(err, io.EOF), want)
			}
		}
	})

	t.Run("of a deadline are context.DeadlineExceeded", func(t *testing.T) {
		t.Parallel()
		if err := (&fn.DeadlineError{Reason: "too late"}); !errors.Is(err, context.DeadlineExceeded) || err.Error() != "too late" {
			t.Errorf("got %v, want it to be context.DeadlineExceeded", err)
		}
	})

	t.Run("marked as broken keep their message and chain, and nil stays nil", func(t *testing.T) {
		t.Parallel()
		err := fn.Broken(io.EOF)
		if err.Error() != "EOF" || !errors.Is(err, io.EOF) || !errors.Is(err, fn.ErrBroken) {
			t.Errorf("got %v, want EOF marked as broken", err)
		}
		if err := fn.Broken(nil); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	})
}
