package fn

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// RateLimit lets so much through a second, in what weigh counts: records, calls of a service. A handler whose turn has
// not come within the invocation's time is not called, and the event comes again. The bound is one of an instance: of
// the function it is that times its instances, which a trigger has as many of as its topic has partitions.
func RateLimit[E, R any](perSecond float64, weigh func(E) int) Middleware[E, R] {
	burst := max(int(perSecond), 1)
	limiter := rate.NewLimiter(rate.Limit(perSecond), burst)
	return func(next Handler[E, R]) Handler[E, R] {
		return HandlerFunc[E, R](func(ctx context.Context, event E) (result R, err error) {
			weight := weigh(event)
			if deadline, ok := ctx.Deadline(); ok && float64(weight-burst) > perSecond*time.Until(deadline).Seconds() {
				return result, fmt.Errorf("%d are more than a limit of %v a second lets through in the time of an invocation: bring fewer in an event (maxMsgNum), or give it more time", weight, perSecond)
			}
			for rest := weight; rest > 0; rest -= burst {
				if err := limiter.WaitN(ctx, min(rest, burst)); err != nil {
					return result, fmt.Errorf("held back by a limit of %v a second: %w", perSecond, err)
				}
			}
			return next.Handle(ctx, event)
		})
	}
}
