package main

import (
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config is read from the function's environment.
type Config struct {
	Identities secret.String `env:"AGE_IDENTITIES" doc:"secret keys of age, AGE-SECRET-KEY-1..., comma separated, where backups are encrypted"`
	Parallel   int           `env:"PARALLEL" envDefault:"4" doc:"partitions that are restored at a time"`

	Target kafka.Config `envPrefix:"TARGET_"`
	COS    backup.Place `envPrefix:"COS_"`
}

// Validate checks what concerns more than one setting.
func (c Config) Validate() error {
	var faults []error
	if len(c.Target.Brokers) == 0 {
		faults = append(
			faults,
			errors.New("TARGET_BROKERS is missing: host:port of the cluster to restore to, comma separated"),
		)
	}
	if _, err := backup.Identities(c.Identities); err != nil {
		faults = append(faults, fmt.Errorf("AGE_IDENTITIES: %w", err))
	}
	if c.Parallel < 0 || c.Parallel > 64 {
		faults = append(faults, fmt.Errorf("PARALLEL is %d: want at most 64, or 0 for the default", c.Parallel))
	}
	return errors.Join(faults...)
}
