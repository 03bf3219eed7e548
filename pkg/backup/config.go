package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"filippo.io/age"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Config is what a run backs up, and where to. Source and Store are needed; the zero
// value of the rest is a good default.
type Config struct {
	Source *kafka.Client
	Store  Store
	// Prefix is put before every key. The backup of a cluster is in a folder of its id.
	Prefix string

	// Topics says which topics are backed up; nil for all but those of Kafka's own.
	Topics func(topic string) bool
	// Groups says which consumer groups' positions are kept; nil for all.
	Groups func(group string) bool

	// Compress puts zstd around logs that are not compressed themselves.
	Compress bool
	// Recipients gives the age keys that a topic is encrypted for; nil, or none of them:
	// it is not encrypted.
	Recipients func(topic string) []age.Recipient

	// SegmentBytes is about how much of a log one object has (4 MiB by default). Four
	// times that and 2 MiB are in memory for each partition under way.
	SegmentBytes int
	// Parallel is how many partitions are backed up at a time (4 by default).
	Parallel int
	// CommitBytes and CommitInterval bound what a run that is killed has done for
	// nothing: a manifest is written when so much is done (1 GiB by default), or for so
	// long (a minute by default).
	CommitBytes    int64
	CommitInterval time.Duration
	// Margin is how long before the end of its context a run stops, to write its last
	// manifest (5 s by default).
	Margin time.Duration
	// RetryFor is how long a partition that makes no progress is tried, where a retry
	// can help (30 s by default).
	RetryFor time.Duration

	// Now is the clock; nil for that of the machine.
	Now func() time.Time
	// Log gives the log for what is worth knowing and is no error; nil drops it.
	Log func(context.Context) *slog.Logger
	// Progress is told how far a run is, by one goroutine at a time; nil: nobody.
	Progress func(Progress)
}

// Progress is how far a run, a restore or a verification is.
type Progress struct {
	Offsets, OffsetsTotal int64
	Bytes                 int64 // of logs
}

const (
	defaultSegmentBytes   = 4 << 20 // with a last batch it is sent as one part: see Place.Open
	defaultParallel       = 4
	defaultCommitBytes    = 1 << 30
	defaultCommitInterval = time.Minute
	defaultMargin         = 5 * time.Second
	defaultRetryFor       = 30 * time.Second
)

func (c Config) withDefaults() (Config, error) {
	if c.Source == nil || c.Store == nil {
		return c, errors.New("a backup needs a cluster and a store")
	}
	if c.SegmentBytes < 0 || c.SegmentBytes > maxSegment/2 {
		return c, fmt.Errorf("segments of %d bytes: want at most %d", c.SegmentBytes, maxSegment/2)
	}
	setDefault(&c.SegmentBytes, defaultSegmentBytes)
	setDefault(&c.Parallel, defaultParallel)
	setDefault(&c.CommitBytes, defaultCommitBytes)
	setDefault(&c.CommitInterval, defaultCommitInterval)
	setDefault(&c.Margin, defaultMargin)
	setDefault(&c.RetryFor, defaultRetryFor)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = discard
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}

func discard(context.Context) *slog.Logger { return slog.New(slog.DiscardHandler) }
