package extract

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Config is a job. Job, File and Target are needed; the zero value of the rest is a good
// default.
type Config struct {
	// Job names the cursor and the transactional id: see [Group]. Letters, digits, '_'
	// and '-'.
	Job    string
	File   *File
	Target *kafka.Client

	// CreateTopics creates missing topics, with so many Partitions (3 by default).
	CreateTopics bool
	Partitions   int

	// Codec compresses what is written.
	Codec batch.Codec

	// DeadLetters is the topic for records that cannot be mapped; without, the first of
	// them stops the job.
	DeadLetters string
	Function    string // that letters name
	Version     string // of the function

	// TransactionBytes is about how much of the source one transaction holds, at least a
	// page (8 MiB by default), and CommitInterval how long it stays open for more (a
	// second by default).
	TransactionBytes int64
	CommitInterval   time.Duration

	// TransactionTimeout is how long the cluster lets a transaction of a dead run stay
	// open (a minute by default).
	TransactionTimeout time.Duration

	// RetryFor bounds how long a run goes on trying where the cluster fails and a retry can
	// help (30 s by default).
	RetryFor time.Duration

	// Log gives the log for what is worth knowing and is no error; nil drops it.
	Log func(context.Context) *slog.Logger

	// Now is the clock, by which records without a time of their own get one.
	Now func() time.Time
}

const (
	defaultPartitions         = 3
	defaultTransactionBytes   = 8 << 20
	defaultCommitInterval     = time.Second
	defaultTransactionTimeout = time.Minute
)

func (c Config) withDefaults() (Config, error) {
	if err := CheckJob(c.Job); err != nil {
		return c, err
	}
	if c.File == nil || c.Target == nil {
		return c, errors.New("an extraction needs a file and a target cluster")
	}
	if c.Partitions <= 0 {
		c.Partitions = defaultPartitions
	}
	if c.TransactionBytes <= 0 {
		c.TransactionBytes = defaultTransactionBytes
	}
	if c.CommitInterval <= 0 {
		c.CommitInterval = defaultCommitInterval
	}
	if c.TransactionTimeout <= 0 {
		c.TransactionTimeout = defaultTransactionTimeout
	}
	if c.RetryFor <= 0 {
		c.RetryFor = defaultRetryFor
	}
	if c.Log == nil {
		c.Log = func(context.Context) *slog.Logger { return slog.New(slog.DiscardHandler) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}
