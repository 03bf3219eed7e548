package kafka

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// idle is a client that calls by hand, without a network, in a bubble.
func idle(ctx context.Context) *Client {
	background, stop := context.WithCancel(ctx)
	return &Client{
		config:     Config{RequestTimeout: 10 * time.Second, MetadataTTL: time.Second},
		background: background, stop: stop,
	}
}

// answers gives one error after the other, then the last for good.
func answers(calls *int, errs ...error) func(context.Context) error {
	return func(context.Context) error {
		err := errs[min(*calls, len(errs)-1)]
		*calls++
		return err
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	loading, fenced, lost, unknown := codeError(14), codeError(90), error(io.EOF), codeError(3)
	invalid, timedOut := codeError(48), codeError(7)
	for _, test := range []struct {
		requirement string
		policy      func(error) bool
		answers     []error
		want        error
		calls       int
	}{
		{"calls once where that is enough", whileAgain, []error{nil}, nil, 1},
		{"repeats what a broker asks to repeat", whileAgain, []error{loading, loading, nil}, nil, 3},
		{"repeats after a lost connection", whileAgain, []error{lost, nil}, nil, 2},
		{"gives the first error that repeating cannot help", whileAgain, []error{loading, fenced, nil}, fenced, 2},
		{"does not repeat what only a fence can help", whileAgain, []error{invalid, nil}, invalid, 1},
		{"repeats an unknown topic, which may be new", whileAgain, []error{unknown, nil}, nil, 2},
		{"takes an unknown topic for an answer where that is asked for", whileAgainKnown, []error{loading, unknown, nil}, unknown, 2},
		{"does not do twice what a lost answer may have done", whileAnswered, []error{loading, lost, nil}, lost, 2},
		{"does not do twice what timed out in the broker", whileAnswered, []error{timedOut, nil}, timedOut, 1},
	} {
		t.Run(test.requirement, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := idle(t.Context()).repeat(t.Context(), test.policy, answers(&calls, test.answers...))
				if !errors.Is(err, test.want) || calls != test.calls {
					t.Errorf("error %v after %d calls, want %v after %d", err, calls, test.want, test.calls)
				}
			})
		})
	}

	for _, test := range []struct {
		requirement string
		err         error
		least, most time.Duration
	}{
		{"gives up after twice the request time-out", loading, 19 * time.Second, 20 * time.Second},
		{"gives an unknown topic up sooner", unknown, 2 * time.Second, 3 * time.Second},
	} {
		t.Run(test.requirement, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls, begun := 0, time.Now()
				err := idle(t.Context()).repeat(t.Context(), whileAgain, answers(&calls, test.err))
				if spent := time.Since(begun); !errors.Is(err, test.err) || spent < test.least || spent > test.most {
					t.Errorf("error %v after %v, want %v after %v to %v", err, spent, test.err, test.least, test.most)
				}
			})
		})
	}

	t.Run("keeps the last error when the context ends between calls", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := idle(t.Context()).repeat(ctx, whileAgain, answers(&calls, loading))
			if !errors.Is(err, loading) || !errors.Is(err, context.DeadlineExceeded) || Retriable(err) {
				t.Errorf("error %v, want the broker's and the context's, not retriable", err)
			}
		})
	})
}

func TestCall(t *testing.T) {
	t.Parallel()
	wait := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}

	t.Run("ends a request after the request time-out, which is retriable", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			err := idle(t.Context()).call(t.Context(), 2*time.Second, wait)
			if !errors.Is(err, errRequestTimeout) || !Retriable(err) || time.Since(begun) != 12*time.Second {
				t.Errorf("error %v after %v, want a retriable time-out after 12s", err, time.Since(begun))
			}
		})
	})

	t.Run("ends a request with the caller's context, which is not", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := idle(t.Context()).call(ctx, 0, wait); !errors.Is(err, context.DeadlineExceeded) || Retriable(err) {
				t.Errorf("error %v, want the context's, not retriable", err)
			}
		})
	})

	t.Run("ends a request with the client", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := idle(t.Context())
			time.AfterFunc(time.Second, c.stop)
			if err := c.call(t.Context(), 0, wait); !errors.Is(err, ErrClosed) || Retriable(err) {
				t.Errorf("error %v, want ErrClosed, not retriable", err)
			}
			if err := c.call(t.Context(), 0, wait); !errors.Is(err, ErrClosed) {
				t.Errorf("error %v of a closed client, want ErrClosed", err)
			}
		})
	})

	t.Run("gives a broker's answer even where the context ended meanwhile", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			err := idle(t.Context()).call(ctx, 0, func(context.Context) error {
				cancel()
				return codeError(90)
			})
			if !errors.Is(err, ErrFenced) || errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want the broker's", err)
			}
		})
	})
}
