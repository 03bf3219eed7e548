package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Config is read from the function's environment.
type Config struct {
	Migration string       `env:"MIGRATION" envDefault:"migration" doc:"name of the migration: etl migrate plan NAME makes it"`
	Shard     mirror.Shard `env:"SHARD" doc:"NUMBER/OF: the part of the partitions that this function copies, such as 1/3; empty for all"`
	Parallel  int          `env:"PARALLEL" envDefault:"4" doc:"partitions that are copied at a time"`
	Memory    int          `env:"MEMORY_BYTES" envDefault:"50331648" doc:"bytes of records in memory, of all partitions together"`

	BytesPerSecond   int64 `env:"BYTES_PER_SECOND" envDefault:"0" doc:"the most that is copied by the timer; 0 for no bound"`
	RecordsPerSecond int64 `env:"RECORDS_PER_SECOND" envDefault:"0" doc:"the most that is copied by the timer; 0 for no bound"`
	LagRecords       int64 `env:"LAG_RECORDS" envDefault:"10000" doc:"records that the copy may be behind to count as caught up"`

	GroupInterval time.Duration `env:"GROUP_INTERVAL" envDefault:"2s" doc:"how often positions of consumer groups are carried over"`

	Source  kafka.Config `envPrefix:"SOURCE_"`
	Target  kafka.Config `envPrefix:"TARGET_"`
	Target2 kafka.Config `envPrefix:"TARGET_2_"`
	Target3 kafka.Config `envPrefix:"TARGET_3_"`
}

// Validate checks what concerns more than one setting.
func (c Config) Validate() error {
	var faults []error
	if err := mirror.CheckJob(c.Migration); err != nil {
		faults = append(faults, fmt.Errorf("MIGRATION: %w", err))
	}
	if len(c.Source.Brokers) == 0 {
		faults = append(faults, errors.New("SOURCE_BROKERS is missing: host:port of the cluster to move from, comma separated"))
	}
	if len(c.Target.Brokers) == 0 {
		faults = append(faults, errors.New("TARGET_BROKERS is missing: host:port of the cluster to move to, comma separated"))
	}
	if c.Parallel < 0 || c.Parallel > 64 {
		faults = append(faults, fmt.Errorf("PARALLEL is %d: want at most 64, or 0 for the default", c.Parallel))
	}
	if c.GroupInterval < 0 {
		faults = append(faults, fmt.Errorf("GROUP_INTERVAL is %v: want 0 or more, 0 for the default", c.GroupInterval))
	}
	for key, value := range map[string]int64{
		"MEMORY_BYTES": int64(c.Memory), "BYTES_PER_SECOND": c.BytesPerSecond, "RECORDS_PER_SECOND": c.RecordsPerSecond, "LAG_RECORDS": c.LagRecords,
	} {
		if value < 0 {
			faults = append(faults, fmt.Errorf("%s is %d: want 0 or more", key, value))
		}
	}
	return errors.Join(faults...)
}
