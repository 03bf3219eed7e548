package cos

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// call makes a request until it succeeds, fails for good, has been repeated
// often enough, or ctx ends. It counts the requests made. The error is nil or
// an *Error.
func (b *Bucket) call(
	ctx context.Context, op, key string, request func(context.Context) (*sdk.Response, error),
) (int, error) {
	pauses, renewed := b.pauses(), false
	for made := 1; ; made++ {
		answer, err := request(ctx)
		if err == nil {
			return made, nil
		}
		failed := b.failure(op, key, answer, err)
		if ctx.Err() != nil {
			failed.Cause = context.Cause(ctx)
			return made, failed
		}
		if b.expired(failed) && !renewed {
			renewed = true
			b.credentials.drop()
			continue
		}
		if !failed.again() || made > b.config.Retries {
			return made, failed
		}
		if err := pauses.wait(ctx); err != nil {
			failed.Cause = errors.Join(err, failed.Cause)
			return made, failed
		}
	}
}

// expired tells whether new credentials may help. The answer to a HEAD has no
// code, only 403.
func (b *Bucket) expired(e *Error) bool {
	return e.Status != 0 && (errors.Is(e.Kind, ErrExpired) || errors.Is(e.Kind, ErrAccess) && e.Code == "")
}

// pauses are the waits between repeats.
type pauses struct{ policy *backoff.ExponentialBackOff }

func (b *Bucket) pauses() pauses {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = b.config.BackOff, 25*b.config.BackOff
	policy.Multiplier = 2
	policy.Reset()
	return pauses{policy}
}

func (p pauses) wait(ctx context.Context) error {
	timer := time.NewTimer(p.policy.NextBackOff())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
