package fn

import "context"

// oneAtATime lets one invocation through and has the others wait, within their deadline and until the instance is
// told to stop. SCF sends an instance one at a time, but net/rpc serves whatever comes, each in a goroutine.
func (in *Instance[C, E, R]) oneAtATime(next step) step {
	return func(ctx context.Context, c *call) ([]byte, error) {
		if err := in.takeTurn(ctx); err != nil {
			return nil, err
		}
		defer func() { <-in.turn }()
		select {
		case <-in.stop:
			return nil, &StoppedError{}
		default:
		}
		c.coldStart, in.warmed = !in.warmed, true

		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go func() {
			select {
			case <-in.stop:
				cancel(errStopping)
			case <-ctx.Done():
			}
		}()
		return next(ctx, c)
	}
}

func (in *Instance[C, E, R]) takeTurn(ctx context.Context) error {
	// why first without ctx: one that is over already is reported by the layer that knows why
	select {
	case in.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case in.turn <- struct{}{}:
		return nil
	case <-in.stop:
		return &StoppedError{}
	case <-ctx.Done():
		return &DeadlineError{Reason: "the deadline passed while another invocation was running in this instance"}
	}
}
