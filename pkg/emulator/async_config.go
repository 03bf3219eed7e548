package emulator

import (
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// AsyncConfig is how events of asynchronous invocations are repeated. An event
// whose function fails, by whatever it does, is sent again twice and then given
// up (583/9708). One that could not be handed over is sent again for hours: as
// many invocations are running as may, or, [?], the platform itself has a fault.
type AsyncConfig struct {
	// RetryInterval is the time from a failure of the function to the next try;
	// 1 min [?].
	RetryInterval time.Duration
	// LimitInterval is the time between two tries to hand an event over, and
	// LimitFor how long after it was sent it is given up; a minute and 6 h, which
	// are the cloud's.
	LimitInterval, LimitFor time.Duration
}

func (c AsyncConfig) withDefaults() AsyncConfig {
	setDefault(&c.RetryInterval, time.Minute)
	setDefault(&c.LimitInterval, scf.AsyncLimitInterval)
	setDefault(&c.LimitFor, scf.AsyncLimitFor)
	return c
}

func (c AsyncConfig) check() error {
	for name, d := range map[string]time.Duration{
		"RetryInterval": c.RetryInterval, "LimitInterval": c.LimitInterval, "LimitFor": c.LimitFor,
	} {
		if d < 0 {
			return fmt.Errorf("%s is %v, it cannot be negative", name, d)
		}
	}
	return nil
}
