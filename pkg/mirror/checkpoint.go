package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// CheckpointGroup is the consumer group in the target cluster that holds the
// checkpoint of one source partition, as the offset committed for partition 0
// of the target topic. It is also the transactional id of the partition's one
// producer. A job's name has no dot, so no two partitions share a group.
//
// Why not one group a job, with the source's topics and partitions: a broker
// commits offsets only for partitions that it has (KafkaApis, all versions),
// and the target may know the topic by another name or have fewer partitions.
func CheckpointGroup(job, topic string, partition int32) string {
	return fmt.Sprintf("etl.%s.%s.%d", job, topic, partition)
}

// checkpointPartition is the partition of every target topic that exists.
const checkpointPartition = 0

// identity is kept beside the checkpoint's offset, as its metadata: which
// topics it was made with. An id is empty where the cluster has none.
type identity struct {
	Source string `json:"source,omitempty"`
	Target string `json:"target,omitempty"`
	Epoch  int32  `json:"epoch,omitempty"` // leader epoch of the last source batch, where there are no ids
}

// note is the metadata of a checkpoint.
type note struct {
	identity
	mapState
	At     int64 `json:"at,omitempty"`     // when it was committed, in seconds since 1970
	Closed bool  `json:"closed,omitempty"` // nothing may be copied any more

	Trying *attempt `json:"trying,omitempty"` // what a job is about to process; see isolate.go
}

func (n note) encode() string {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(text)
}

// decodeNote reads what encode wrote. Other text, as another tool that sets the
// offset leaves it, is no evidence of anything: all ids are unknown.
func decodeNote(text string) note {
	var n note
	if json.Unmarshal([]byte(text), &n) != nil {
		return note{}
	}
	return n
}

// differs says that both ids are known and not the same.
func differs(then, now string) bool { return then != "" && now != "" && then != now }

// Checkpoint is how far a job has copied one partition.
type Checkpoint struct {
	Next int64 // next source offset; -1: nothing copied yet
}

// Checkpoints reads how far a job is, for partitions of a source topic that it
// copies to targetTopic. Beside a running copy it may be a moment old.
func Checkpoints(ctx context.Context, target *kafka.Client, job, topic, targetTopic string, partitions ...int32) (map[int32]Checkpoint, error) {
	checkpoints := make(map[int32]Checkpoint, len(partitions))
	for _, p := range partitions {
		offsets, err := target.CommittedNow(ctx, CheckpointGroup(job, topic, p), targetTopic, checkpointPartition)
		if err != nil {
			return nil, fmt.Errorf("checkpoint of job %s, %s/%d: %w", job, topic, p, err)
		}
		checkpoints[p] = Checkpoint{Next: offsets[checkpointPartition].Offset}
	}
	return checkpoints, nil
}

func committed(ctx context.Context, target *kafka.Client, group, targetTopic string) (kafka.Committed, error) {
	offsets, err := target.Committed(ctx, group, targetTopic, checkpointPartition)
	if err != nil {
		return kafka.Committed{}, err
	}
	checkpoint, ok := offsets[checkpointPartition]
	if !ok {
		return kafka.Committed{}, fmt.Errorf("the coordinator of group %s gave no answer for topic %s", group, targetTopic)
	}
	return checkpoint, nil
}

// ResetCheckpoint makes a job go on at another offset of a source partition,
// with whatever topics are there now. It fences a copy that is running, so
// that the checkpoint cannot be overwritten by a transaction that is open. A
// copy that is tried again and again, as a trigger does with one that has
// stopped, fences the reset in turn: then the reset is repeated, for as long as
// a copy would be.
func ResetCheckpoint(ctx context.Context, target *kafka.Client, job, topic, targetTopic string, partition int32, next int64) error {
	of := subject{name: job, topic: topic, number: partition, to: targetTopic}
	_, err := takeOver(ctx, target, of, func(producer *kafka.Transactional, now kafka.Committed) (*kafka.Committed, error) {
		offsets, err := cutMap(ctx, producer, target, of, decodeNote(now.Metadata), next)
		// without ids the next copy takes the topics as it finds them
		return &kafka.Committed{Offset: next, Metadata: note{mapState: offsets, At: time.Now().Unix()}.encode()}, err
	})
	if err != nil {
		return fmt.Errorf("reset checkpoint of job %s, %s/%d: %w", job, topic, partition, err)
	}
	return nil
}

// BeginAt commits where the first copy of a partition begins, unless there is a
// checkpoint already.
func BeginAt(ctx context.Context, target *kafka.Client, job, topic, targetTopic string, partition int32, next int64) error {
	of := subject{name: job, topic: topic, number: partition, to: targetTopic}
	_, err := takeOver(ctx, target, of, func(_ *kafka.Transactional, now kafka.Committed) (*kafka.Committed, error) {
		if now.Offset >= 0 {
			return nil, nil
		}
		mapped := next
		return &kafka.Committed{Offset: next, Metadata: note{mapState: mapState{Mapped: &mapped}, At: time.Now().Unix()}.encode()}, nil
	})
	if err != nil {
		return fmt.Errorf("begin job %s, %s/%d: %w", job, topic, partition, err)
	}
	return nil
}

// CloseCopy ends the copy of a partition for good: once it has returned nobody
// copies any further ([ErrClosed]), whoever is at it. It gives the checkpoint,
// which stays; -1 where nothing was ever copied. The target topic must exist.
// [ResetCheckpoint] opens it again.
func CloseCopy(ctx context.Context, target *kafka.Client, job, topic, targetTopic string, partition int32) (next int64, err error) {
	of := subject{name: job, topic: topic, number: partition, to: targetTopic}
	before, err := takeOver(ctx, target, of, func(_ *kafka.Transactional, now kafka.Committed) (*kafka.Committed, error) {
		n := decodeNote(now.Metadata)
		if n.Closed {
			return nil, nil
		}
		n.Closed, n.At = true, time.Now().Unix()
		return &kafka.Committed{Offset: max(now.Offset, 0), Metadata: n.encode()}, nil
	})
	if err != nil {
		return -1, fmt.Errorf("close job %s, %s/%d: %w", job, topic, partition, err)
	}
	return before.Offset, nil
}

// takeOver fences whoever copies a partition, and commits what change makes of
// the checkpoint; nil leaves it. It gives the checkpoint before. Who is fenced
// in turn has committed nothing, and tries again.
func takeOver(ctx context.Context, target *kafka.Client, of subject,
	change func(producer *kafka.Transactional, now kafka.Committed) (*kafka.Committed, error)) (before kafka.Committed, err error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = time.Millisecond, 100*time.Millisecond
	for since := time.Now(); ; {
		producer, before, err := takeOverOnce(ctx, target, of, change)
		if err == nil {
			if err := producer.Fence(ctx); err != nil { // returns once the commit can be read
				return before, fmt.Errorf("the checkpoint is changed, but may be read a moment late: %w", err)
			}
			return before, nil
		}
		if !errors.Is(err, kafka.ErrFenced) || time.Since(since) > defaultRetryFor || pause(ctx, wait.NextBackOff()) != nil {
			return before, err
		}
	}
}

func takeOverOnce(ctx context.Context, target *kafka.Client, of subject,
	change func(producer *kafka.Transactional, now kafka.Committed) (*kafka.Committed, error)) (*kafka.Transactional, kafka.Committed, error) {
	producer, err := target.Transactional(ctx, of.group(), DefaultTransactionTimeout)
	if err != nil {
		return nil, kafka.Committed{}, err
	}
	now, err := committed(ctx, target, of.group(), of.to)
	if err != nil {
		return nil, now, err
	}
	next, err := change(producer, now)
	if err != nil || next == nil {
		return producer, now, err
	}
	if err := producer.CommitOffsets(ctx, of.group(), of.to, map[int32]kafka.Committed{checkpointPartition: *next}); err != nil {
		return nil, now, err
	}
	return producer, now, producer.Commit(ctx)
}
