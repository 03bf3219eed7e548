package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Config is read from the function's environment.
type Config struct {
	Include  []string    `env:"INCLUDE" envDefault:".*" doc:"regular expressions of topics that are backed up, comma separated; Kafka's own never are"`
	Exclude  []string    `env:"EXCLUDE" doc:"regular expressions of topics that are not"`
	Compress bool        `env:"COMPRESS" envDefault:"true" doc:"put zstd around what is not compressed"`
	Keys     backup.Keys `env:"AGE_RECIPIENTS" doc:"public keys of age that topics are encrypted for: age1... for all, PATTERN=age1... for some, comma separated"`

	SegmentBytes int `env:"SEGMENT_BYTES" envDefault:"4194304" doc:"about how much of a log one object has"`
	Parallel     int `env:"PARALLEL" envDefault:"4" doc:"partitions that are backed up at a time"`

	KeepCount int64         `env:"KEEP_COUNT" envDefault:"0" doc:"after each run, remove backups but the newest so many; 0: keep all"`
	KeepAge   time.Duration `env:"KEEP_AGE" envDefault:"0" doc:"after each run, remove backups that are older, as 720h; one that either setting keeps is kept; 0: keep all"`

	Source kafka.Config `envPrefix:"SOURCE_"`
	COS    backup.Place `envPrefix:"COS_"`
}

// Validate checks what concerns more than one setting.
func (c Config) Validate() error {
	var faults []error
	if len(c.Source.Brokers) == 0 {
		faults = append(
			faults,
			errors.New("SOURCE_BROKERS is missing: host:port of the cluster to back up, comma separated"),
		)
	}
	if _, err := mirror.NewSelection(c.Include, c.Exclude); err != nil {
		faults = append(faults, fmt.Errorf("INCLUDE, EXCLUDE: %w", err))
	}
	if c.Parallel < 0 || c.Parallel > 64 {
		faults = append(faults, fmt.Errorf("PARALLEL is %d: want at most 64, or 0 for the default", c.Parallel))
	}
	if c.SegmentBytes < 0 || c.SegmentBytes > 256<<20 {
		faults = append(
			faults,
			fmt.Errorf("SEGMENT_BYTES is %d: want at most 268435456, or 0 for the default", c.SegmentBytes),
		)
	}
	if c.KeepCount < 0 || c.KeepAge < 0 {
		faults = append(faults, fmt.Errorf("KEEP_COUNT is %d and KEEP_AGE %v: want 0 or more", c.KeepCount, c.KeepAge))
	}
	return errors.Join(faults...)
}
