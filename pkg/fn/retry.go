package fn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	firstRetry = 100 * time.Millisecond
	retryMost  = 5 * time.Second
)

// Retry calls the handler again where transient says that it may help: after a tenth of a second at first, then after
// longer, up to five seconds, with jitter. It ends where the next try would begin after the invocation's time, with the
// handler's last error. What the handler does has to bear repetition, as it has to under the platform's own retries,
// which come a minute later.
func Retry[E, R any](transient func(error) bool) Middleware[E, R] {
	return func(next Handler[E, R]) Handler[E, R] {
		return HandlerFunc[E, R](func(ctx context.Context, event E) (R, error) {
			wait := backoff.NewExponentialBackOff()
			wait.InitialInterval, wait.MaxInterval = firstRetry, retryMost
			for tries := 1; ; tries++ {
				result, err := next.Handle(ctx, event)
				if err == nil || ctx.Err() != nil || errors.Is(err, ErrBroken) || !transient(err) {
					return result, err
				}
				pause := wait.NextBackOff()
				if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
					return result, fmt.Errorf("after %d tries, and no time for another: %w", tries, err)
				}
				LoggerFrom(ctx).Debug("handler is called again", "tries", tries, "after", pause, "reason", err)
				select {
				case <-time.After(pause):
				case <-ctx.Done():
					return result, err
				}
			}
		})
	}
}
