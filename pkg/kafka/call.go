package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// call runs one request, bounded by the request time-out and extra, by ctx and
// by Close. Its error is translated; where ctx or Close ended it, it says so
// and is not [Retriable].
func (c *Client) call(ctx context.Context, extra time.Duration, request func(context.Context) error) error {
	if c.background.Err() != nil {
		return ErrClosed
	}
	limit := c.config.RequestTimeout + extra
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer context.AfterFunc(c.background, cancel)()
	err := translate(request(bounded))
	if misrouted(err) {
		c.routes.forget()
	}
	var code kafkago.Error
	switch {
	case err == nil || errors.As(err, &code) || errors.Is(err, ErrAuthentication):
		return err // whatever ended meanwhile, this is the answer
	case c.background.Err() != nil:
		return &endedError{cause: ErrClosed, err: err}
	case Ended(ctx) != nil:
		return &endedError{cause: Ended(ctx), err: err}
	case Ended(bounded) != nil:
		return fmt.Errorf("%w after %v: %w", errRequestTimeout, limit, err)
	}
	return err
}

// Ended gives the cause of a context that has ended, or is about to: kafka-go
// hands deadlines to connections, which may be a moment faster.
func Ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// send runs a request of kafka-go's own, routed as its type says.
func (c *Client) send(ctx context.Context, message protocol.Message) (protocol.Message, error) {
	return c.routes.RoundTrip(ctx, c.client.Addr, message)
}

// Back-off of requests that a broker asks to repeat: a coordinator that loads
// (14, 15, 16) needs tens of milliseconds, the markers of a transaction (51)
// two to five on a local 4.x broker.
const (
	firstBackOff = 2 * time.Millisecond
	maxBackOff   = 500 * time.Millisecond
)

// repeat makes calls while the policy wants another, for at most twice the
// request time-out or until ctx ends. Each call has the request time-out for
// itself. The last error is returned.
//
// A topic that is unknown may have been created a moment ago: where the policy
// lets it be asked for again, that is for unknownGrace and no longer.
func (c *Client) repeat(ctx context.Context, policy func(error) bool, request func(context.Context) error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = firstBackOff, maxBackOff
	for begun := time.Now(); ; {
		err := c.call(ctx, 0, request)
		if err == nil || !policy(err) {
			return err
		}
		pause, spent := wait.NextBackOff(), time.Since(begun)
		if spent+pause > 2*c.config.RequestTimeout || errors.Is(err, ErrUnknownTopic) && spent+pause > c.unknownGrace() {
			return err
		}
		if cause := sleep(ctx, pause); cause != nil {
			return &endedError{cause: cause, err: err}
		}
	}
}

// unknownGrace is how long it may take until all brokers, and kafka-go, know of
// a new topic.
func (c *Client) unknownGrace() time.Duration { return 2*c.config.MetadataTTL + time.Second }

// The policies of repeat.

// whileAgain suits what may be done twice.
func whileAgain(err error) bool { return retryOf(err) == again }

// whileAgainKnown suits reads of a topic: that it does not exist is an answer.
func whileAgainKnown(err error) bool {
	return retryOf(err) == again && !errors.Is(err, ErrUnknownTopic)
}

// whileAnswered suits what must not be done twice: the broker has refused the
// request, for now, and does not have it any more.
func whileAnswered(err error) bool { return retryOf(err) == again && answered(err) }

// sleep waits, or less where ctx ends: then it gives the cause.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
