package fn

import (
	"errors"
	"log/slog"
	"time"
)

// Runtime are the settings that every function has beside its own. Only their keys begin with ETL_.
type Runtime struct {
	// DeadlineMargin is at most half of the time that an invocation has left when it arrives.
	DeadlineMargin time.Duration `env:"ETL_DEADLINE_MARGIN" envDefault:"1s" doc:"how long before the platform's deadline an invocation stops its work; at most half of the time it has"`
	LogLevel       slog.Level    `env:"ETL_LOG_LEVEL" envDefault:"info" doc:"the least severe log line to write"`
}

// Validate refuses a margin below zero.
func (r Runtime) Validate() error {
	if r.DeadlineMargin < 0 {
		return errors.New("ETL_DEADLINE_MARGIN must not be negative")
	}
	return nil
}
