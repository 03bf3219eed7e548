package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Config is what is loaded, and where to. Source and Dataset are needed; the zero value of the rest is a good default.
type Config struct {
	// Job names the checkpoints of dead letters (load by default).
	Job     string
	Source  mirror.Source
	Dataset *dataset.Dataset

	// Schema is that of a schema file; nil: the dataset's, and where it has none, one that is inferred from the first
	// records, and then fixed.
	Schema *Schema
	// Change says what becomes of members that the schema does not have ([Refuse] by default).
	Change Change

	// Letters is the cluster with the dead-letter topic; nil: a record that does not fit stops its partition.
	Letters         *kafka.Client
	DeadLetterTopic string
	// Function and Version are named in letters.
	Function, Version string

	// FromEarliest begins a log at the first record that the source has, and not at the first range.
	FromEarliest bool
	// Gaps goes on behind records that the source has deleted, and notes them; else they are a [GapError].
	Gaps bool

	// RangeBytes is about how much of a partition's records one entry of the log has at most: keys, values and headers
	// (8 MiB by default). It has less where its rows would take more than twice that in memory. About ten times
	// RangeBytes is in memory for each partition that is loaded at a time.
	RangeBytes int
	// Folders is how many folders one entry has, at most (500 by default): each gets an object.
	Folders int
	// Parallel is how many partitions are loaded at a time (2 by default).
	Parallel int
	// RetryFor bounds how long a fetch that makes no progress is repeated (30 s by default).
	RetryFor time.Duration

	// MinAge is [MinAge], for tests that have no paused instance.
	MinAge time.Duration
	// Settled is how long ago the hour of a folder must have ended before it is compacted (one hour by default).
	Settled time.Duration
	// CompactDays is how many days back folders are compacted (7 by default).
	CompactDays int
	// ObjectBytes is about how large an object is that is merged of others (128 MiB by default).
	ObjectBytes int64

	// Now is the clock; nil for that of the machine.
	Now func() time.Time
	// Log gives the log for what is worth knowing and is no error; nil drops it.
	Log func(context.Context) *slog.Logger
}

const (
	defaultRangeBytes  = 8 << 20
	defaultFolders     = 500
	defaultParallel    = 2
	defaultRetryFor    = 30 * time.Second
	defaultSettled     = time.Hour
	defaultCompactDays = 7
	defaultObjectBytes = 128 << 20
)

func setDefault[T int | int64 | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}

func (c Config) withDefaults() (Config, error) {
	if c.Source == nil || c.Dataset == nil {
		return c, errors.New("a load needs a source and a dataset")
	}
	if c.Job == "" {
		c.Job = "load"
	}
	if err := mirror.CheckJob(c.Job); err != nil {
		return c, err
	}
	if c.Change == "" {
		c.Change = Refuse
	}
	if err := new(Change).UnmarshalText([]byte(c.Change)); err != nil {
		return c, fmt.Errorf("change %q: %w", c.Change, err)
	}
	if c.Schema != nil {
		if err := c.Schema.Check(); err != nil {
			return c, fmt.Errorf("schema: %w", err)
		}
	}
	setDefault(&c.RangeBytes, defaultRangeBytes)
	setDefault(&c.Folders, defaultFolders)
	setDefault(&c.Parallel, defaultParallel)
	setDefault(&c.RetryFor, defaultRetryFor)
	setDefault(&c.MinAge, MinAge)
	setDefault(&c.Settled, defaultSettled)
	setDefault(&c.CompactDays, defaultCompactDays)
	setDefault(&c.ObjectBytes, defaultObjectBytes)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = func(context.Context) *slog.Logger { return slog.New(slog.DiscardHandler) }
	}
	return c, nil
}
