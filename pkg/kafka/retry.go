package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Back-off of requests that a broker asks to repeat: a coordinator that loads
// (14, 15, 16) needs tens of milliseconds, the markers of a transaction (51)
// two to five on a local 4.x broker.
const (
	firstBackOff = 2 * time.Millisecond
	maxBackOff   = 500 * time.Millisecond
)

func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = firstBackOff
	b.MaxInterval = maxBackOff
	return b
}

// retry repeats an idempotent call while its error is [Retriable], for at most
// twice the request time-out or until ctx ends. Each try has the request
// time-out for itself. The last error is returned.
func (c *Client) retry(ctx context.Context, call func(context.Context) error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		try, cancel := c.within(ctx, 0)
		defer cancel()
		err := call(try)
		if err != nil && (!Retriable(err) || ctx.Err() != nil) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(newBackOff()), backoff.WithMaxElapsedTime(2*c.config.RequestTimeout))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		return permanent.Err
	}
	return err
}
