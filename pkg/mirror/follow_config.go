package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// FollowConfig is a job that copies whole topics as they grow. Source is
// needed; FromEarliest and KeepPartitions hold whatever Config says.
type FollowConfig struct {
	Config

	Select Selection // the source topics to copy
	Shard  Shard     // the part of their partitions that is this instance's

	// Admit is asked before a topic is created or copied by this follower for the
	// first time. Its error is the topic's fault, and nothing of the topic is
	// copied; it is asked again. nil: all topics are admitted.
	Admit func(ctx context.Context, topic, target string) error

	// Rate bounds what is read from the source.
	Rate Rate

	// TurnBytes is about how much of one partition is copied before the others
	// that have something to copy get their turn; TransactionBytes by default.
	TurnBytes int

	// Memory is how many bytes of records may be in memory, of all partitions
	// together (48 MiB by default). ChunkBytes follows from it.
	Memory int

	// ACLs has those of the source topics carried over, without the writers': see
	// [CarryACLs].
	ACLs bool

	// KeepSettings leaves the settings of target topics as they are.
	KeepSettings bool

	// Discover is how often topics and partitions are looked at (5 s by default),
	// Settings how often those of a topic are (30 s by default), and Poll how often
	// the ends of the partitions are (250 ms by default).
	Discover, Settings, Poll time.Duration

	// Retry is how long a partition that has stopped with an error is left alone
	// (10 s by default).
	Retry time.Duration
}

const (
	defaultMemory   = 48 << 20
	defaultDiscover = 5 * time.Second
	defaultSettings = 30 * time.Second
	defaultPoll     = 250 * time.Millisecond
	defaultRetry    = 10 * time.Second

	// a partition that cannot go on would keep its turn from others for as long
	defaultFollowRetryFor = 3 * time.Second
	// pollTimeout bounds the look at where the partitions of one topic end, and
	// polls is how many topics are looked at at a time
	pollTimeout = 5 * time.Second
	polls       = 8

	leastChunkBytes = 64 << 10

	// fencedRest is how long a partition is left to another instance: it may have
	// been the last thing that one did
	fencedRest = time.Second
	// mostFenced is how many turns in a row may end so before it is a fault like
	// others: two functions may have the same part of the same job
	mostFenced = 5
)

func (c FollowConfig) withDefaults() (FollowConfig, error) {
	if c.Source == nil {
		return c, errors.New("a job that follows topics needs a source cluster")
	}
	c.FromEarliest, c.KeepPartitions = true, true
	setDefault(&c.Discover, defaultDiscover)
	setDefault(&c.Settings, defaultSettings)
	setDefault(&c.Poll, defaultPoll)
	setDefault(&c.Retry, defaultRetry)
	setDefault(&c.RetryFor, defaultFollowRetryFor)
	setDefault(&c.Parallel, defaultParallel)
	setDefault(&c.Memory, defaultMemory)
	setDefault(&c.ChunkBytes, defaultChunkBytes)
	// two fetched chunks a partition, and what is built anew from one
	c.ChunkBytes = min(c.ChunkBytes, c.Memory/(3*c.Parallel))
	if c.ChunkBytes < leastChunkBytes {
		return c, fmt.Errorf("%d bytes of memory for %d partitions at a time: want %d at least", c.Memory, c.Parallel, 3*c.Parallel*leastChunkBytes)
	}
	setDefault(&c.TransactionBytes, defaultTransactionBytes)
	setDefault(&c.TurnBytes, c.TransactionBytes)
	return c, nil
}

func setDefault[T int | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}
