package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Config is a copy job. Job, Target and one of Source and given records are
// needed; the zero value of the rest is a good default.
type Config struct {
	// Job names the checkpoints and the transactional ids: two jobs with
	// different names copy independently of each other. Letters, digits, '_'
	// and '-'.
	Job string

	Source *kafka.Client // nil where the records are given ([Copier.Write]), or From is set
	Target *kafka.Client

	// From is read instead of Source: batches that are in no cluster, as those of a
	// backup. It is Source where it is nil. A [Follower] needs a cluster.
	From Source

	// Topics maps a source topic to its target; others keep their name.
	Topics TopicMap

	// Codec re-encodes every batch; nil keeps each batch's own, and its bytes.
	Codec *batch.Codec

	// FromEarliest begins the first copy of a partition, the one that finds no
	// checkpoint, at the earliest record that the source has. Without it, it
	// begins at its range: what the source has before that is never copied.
	FromEarliest bool

	// CreateTopics creates a missing target topic with the source's partitions
	// and settings.
	CreateTopics bool

	// KeepPartitions keeps each record in the partition of its number, where else
	// a target with another number of partitions has them placed by key. A
	// partition that the target does not have is [ErrMissingPartition].
	KeepPartitions bool

	// Exact ends each range at its last record: of a batch that goes on behind it the
	// rest is left out. Else such a batch is copied whole, and is part of what comes next.
	Exact bool

	// OffsetMap keeps, in the target, which offset each record has there: see
	// [OffsetMaps]. There is none for partitions whose records are placed by key.
	OffsetMap bool

	// Exclusive says that the target topics hold nothing but the copy. Then a
	// missing checkpoint beside records is none of a first copy: it has expired or
	// was deleted, and copying from the beginning would double the records
	// ([ErrLostCheckpoint]).
	Exclusive bool

	// Begun says of which partitions a checkpoint was committed before the first
	// copy ([BeginAt]), so that a missing one is [ErrLostCheckpoint] too; nil: of
	// none.
	Begun func(topic string, partition int32) bool

	// Unchecked leaves out that batches which are built anew are decoded again and
	// compared with what was read, see check.go: integration/bench says what it
	// costs.
	Unchecked bool

	// Process gives the processor of a source partition, which makes of its records
	// what is written instead; nil: they are copied as they are. It is asked when a
	// partition is opened, which may be several times.
	Process func(topic string, partition int32) Processor

	// DeadLetters take what cannot be processed; without a topic, such a record
	// stops its partition.
	DeadLetters DeadLetters

	// ChunkBytes is about how much one fetch holds (4 MiB by default). Two
	// chunks a partition are in memory at a time.
	ChunkBytes int

	// TransactionBytes is about how much one transaction holds, at least a chunk
	// (32 MiB by default), and CommitInterval how long it stays open for more
	// (500 ms by default). What is in it is seen by nobody until it ends, and is
	// copied again after an accident; its end costs the target as much as
	// thousands of records (integration/bench).
	TransactionBytes int
	CommitInterval   time.Duration

	// Parallel is how many partitions are copied at a time (4 by default).
	Parallel int

	// TransactionTimeout is how long the target lets a transaction of a dead
	// copy stay open, at most its transaction.max.timeout.ms (a minute by default).
	TransactionTimeout time.Duration

	// RetryFor bounds how long a copy that makes no progress goes on trying
	// where a retry can help (30 s by default).
	RetryFor time.Duration

	// Log gives the log for what is worth knowing and is no error, by the
	// context of the call, so that lines name their invocation; nil drops it.
	Log func(context.Context) *slog.Logger
}

const (
	defaultChunkBytes       = 4 << 20
	defaultTransactionBytes = 32 << 20
	defaultCommitInterval   = 500 * time.Millisecond
	defaultParallel         = 4
	defaultRetryFor         = 30 * time.Second
)

// DefaultTransactionTimeout is [Config.TransactionTimeout] where it is zero.
const DefaultTransactionTimeout = time.Minute

// jobName keeps a job usable in group ids, transactional ids and commands.
var jobName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// CheckJob refuses what cannot be the name of a job, before anything is opened.
func CheckJob(name string) error {
	if !jobName.MatchString(name) {
		return fmt.Errorf("job name %q: want 1 to 100 letters, digits, '_' or '-'", name)
	}
	return nil
}

func (c Config) withDefaults() (Config, error) {
	if err := CheckJob(c.Job); err != nil {
		return c, err
	}
	if c.Target == nil {
		return c, errors.New("a copy needs a target cluster")
	}
	if c.From == nil && c.Source != nil {
		c.From = c.Source
	}
	if c.ChunkBytes <= 0 {
		c.ChunkBytes = defaultChunkBytes
	}
	if c.TransactionBytes <= 0 {
		c.TransactionBytes = defaultTransactionBytes
	}
	if c.Parallel <= 0 {
		c.Parallel = defaultParallel
	}
	if c.TransactionTimeout <= 0 {
		c.TransactionTimeout = DefaultTransactionTimeout
	}
	if c.CommitInterval <= 0 {
		c.CommitInterval = min(defaultCommitInterval, c.TransactionTimeout/2)
	}
	if c.CommitInterval >= c.TransactionTimeout {
		return c, fmt.Errorf("a commit interval of %v: want less than the transaction time-out, %v, after which the target aborts", c.CommitInterval, c.TransactionTimeout)
	}
	if c.RetryFor <= 0 {
		c.RetryFor = defaultRetryFor
	}
	if c.Log == nil {
		discard := slog.New(slog.DiscardHandler)
		c.Log = func(context.Context) *slog.Logger { return discard }
	}
	return c, nil
}
