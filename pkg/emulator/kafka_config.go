package emulator

import (
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// KafkaConfig is how Kafka triggers behave where the cloud's documents are
// silent, [?], or where waiting as long as the cloud does would be no use here.
type KafkaConfig struct {
	// RetryInterval is the time between two deliveries of a batch that failed.
	// The cloud's is a minute, and so is the default.
	RetryInterval time.Duration
	// AfterLastRetry is what happens to a batch that has failed once more than
	// the trigger's retry allows [?]. The default is Stall.
	AfterLastRetry Policy
	// Oversize is what happens to a record whose key and body are more than
	// 6 MB, which no event can hold [?]. The default is Stall.
	Oversize Policy
	// ReadUncommitted also delivers records of transactions that are open or
	// were aborted [?]. By default a trigger delivers committed records only.
	ReadUncommitted bool
	// EmptyNullKey delivers a record without a key with the key "" instead of
	// "None"; the cloud is seen to do either.
	EmptyNullKey bool
	// CapitalPartition names a record's partition "Partition" instead of
	// "partition"; the cloud is seen to do either.
	CapitalPartition bool
	// BackOffMin and BackOffMax bound the time between two tries after a fault
	// of the platform or of Kafka, which doubles from one to the next; 1 s and
	// 1 min [?].
	BackOffMin, BackOffMax time.Duration
	// SessionTimeout is after how long a consumer group gives the partitions of
	// a killed platform to another; 6 s, the least that brokers allow by default.
	SessionTimeout time.Duration
	// PartitionWatch is how soon a new partition of the topic is read; 2 s.
	PartitionWatch time.Duration
}

// Policy is what to do with records that cannot be delivered.
type Policy = scf.Policy

const (
	// Stall keeps the partition where it is and says why in its status. Nothing
	// is lost, nothing behind it is delivered. A trigger that is closed and
	// opened again, or updated, tries again from the same record.
	Stall = scf.Stall
	// Drop commits past the records, counts them in the status and logs an
	// error: they are not delivered again.
	Drop = scf.Drop
)

func (c KafkaConfig) withDefaults() KafkaConfig {
	setDefault(&c.RetryInterval, scf.KafkaRetryInterval)
	setDefault(&c.AfterLastRetry, Stall)
	setDefault(&c.Oversize, Stall)
	setDefault(&c.BackOffMin, time.Second)
	setDefault(&c.BackOffMax, time.Minute)
	setDefault(&c.SessionTimeout, 6*time.Second)
	setDefault(&c.PartitionWatch, 2*time.Second)
	return c
}

// encoder makes an event encoder of the configured form.
func (c KafkaConfig) encoder() *event.KafkaEncoder {
	nullKey := event.NullKeyText
	if c.EmptyNullKey {
		nullKey = ""
	}
	e := event.NewKafkaEncoder(nullKey)
	if c.CapitalPartition {
		e.CapitalPartition()
	}
	return e
}

func (c KafkaConfig) check() error {
	for name, p := range map[string]Policy{"AfterLastRetry": c.AfterLastRetry, "Oversize": c.Oversize} {
		if p != Stall && p != Drop {
			return fmt.Errorf("%s is %q, allowed are %q and %q", name, p, Stall, Drop)
		}
	}
	for name, d := range map[string]time.Duration{
		"RetryInterval": c.RetryInterval, "BackOffMin": c.BackOffMin, "BackOffMax": c.BackOffMax,
		"SessionTimeout": c.SessionTimeout, "PartitionWatch": c.PartitionWatch,
	} {
		if d < 0 {
			return fmt.Errorf("%s is %v, it cannot be negative", name, d)
		}
	}
	return nil
}
