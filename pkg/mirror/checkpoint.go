package mirror

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Group is the consumer group in the target cluster that holds a job's checkpoints.
func Group(job string) string { return "etl." + job }

// transactionalID is the one producer of a (job, source partition).
func transactionalID(job, topic string, partition int32) string {
	return fmt.Sprintf("etl.%s.%s.%d", job, topic, partition)
}

// identity is kept beside the checkpoint's offset, as its metadata: which
// topics it was made with. An id is empty where the cluster has none.
type identity struct {
	Source string `json:"source,omitempty"`
	Target string `json:"target,omitempty"`
}

func (i identity) encode() string {
	text, err := json.Marshal(i)
	if err != nil {
		panic(err) // a struct of two strings
	}
	return string(text)
}

// decodeIdentity reads what encode wrote. Other text, as another tool that
// sets the offset leaves it, is no evidence of anything: all ids are unknown.
func decodeIdentity(text string) identity {
	var i identity
	if json.Unmarshal([]byte(text), &i) != nil {
		return identity{}
	}
	return i
}

// differs says that both ids are known and not the same.
func differs(then, now string) bool { return then != "" && now != "" && then != now }

// Checkpoint is how far a job has copied one partition.
type Checkpoint struct {
	Next int64 // next source offset; -1: nothing copied yet
}

// Checkpoints reads how far a job is, for the partitions of a source topic.
// Beside a running copy it may be a moment old.
func Checkpoints(ctx context.Context, target *kafka.Client, job, topic string, partitions ...int32) (map[int32]Checkpoint, error) {
	committed, err := target.Committed(ctx, Group(job), topic, partitions...)
	if err != nil {
		return nil, fmt.Errorf("checkpoints of job %s: %w", job, err)
	}
	checkpoints := make(map[int32]Checkpoint, len(committed))
	for p, c := range committed {
		checkpoints[p] = Checkpoint{Next: c.Offset}
	}
	return checkpoints, nil
}

// ResetCheckpoint makes a job go on at another offset of a source partition,
// with whatever topics are there now. It fences a copy that is running, so
// that the checkpoint cannot be overwritten by a transaction that is open.
func ResetCheckpoint(ctx context.Context, target *kafka.Client, job, topic string, partition int32, next int64) error {
	producer, err := target.Transactional(ctx, transactionalID(job, topic, partition), defaultTransactionTimeout)
	if err != nil {
		return fmt.Errorf("reset checkpoint of job %s: %w", job, err)
	}
	// without ids the next copy takes the topics as it finds them
	reset := map[int32]kafka.Committed{partition: {Offset: next}}
	if err := producer.CommitOffsets(ctx, Group(job), topic, reset); err != nil {
		return fmt.Errorf("reset checkpoint of job %s: %w", job, err)
	}
	if err := producer.Commit(ctx); err != nil {
		return fmt.Errorf("reset checkpoint of job %s: %w", job, err)
	}
	return producer.Fence(ctx) // returns once the commit can be read
}
