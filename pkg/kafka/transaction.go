package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Transactional is a producer with a transactional id, of which a cluster has
// one that counts: the newest. It is not safe for concurrent use.
//
// The order of calls is Produce and CommitOffsets, any number of times, then
// Commit or Abort. After any error the state of the transaction is unknown:
// call Fence, read the committed offsets back, and go on from there. Nothing
// is guessed.
type Transactional struct {
	c       *Client
	id      string
	timeout time.Duration

	producerID int64
	epoch      int16
	sequence   map[topicPartition]int32 // next sequence of each partition in this epoch
	added      map[topicPartition]bool  // partitions in the open transaction
	groups     map[string]bool          // consumer groups in the open transaction
}

type topicPartition struct {
	topic     string
	partition int32
}

// Transactional gives the producer of a transactional id after it has fenced
// every older one: their open transaction is aborted, their next call fails
// with [ErrFenced].
//
// timeout is how long the broker lets a transaction stay open; it must not be
// above the broker's transaction.max.timeout.ms (15 minutes by default).
func (c *Client) Transactional(ctx context.Context, id string, timeout time.Duration) (*Transactional, error) {
	if !c.SupportsTransactions() {
		return nil, fmt.Errorf("transactional producer %s: %w: transactions need Kafka 0.11 or later", id, ErrUnsupported)
	}
	t := &Transactional{c: c, id: id, timeout: timeout}
	return t, t.Fence(ctx)
}

// Fence takes the transactional id over: it ends whatever transaction is open,
// of this producer or an older one, and begins a new epoch. Once it has
// returned, [Client.Committed] gives the truth (measured: 300 of 300 times on
// a real 4.2.0 broker, where without it 111 of 300 were stale).
func (t *Transactional) Fence(ctx context.Context) error {
	err := t.c.retry(ctx, func(ctx context.Context) error {
		answer, err := t.c.client.InitProducerID(ctx, &kafkago.InitProducerIDRequest{
			TransactionalID:      t.id,
			TransactionTimeoutMs: int(t.timeout.Milliseconds()),
			ProducerID:           -1, // zero values are answered by error 49
			ProducerEpoch:        -1,
		})
		if err == nil {
			err = answer.Error
		}
		if err != nil {
			return translate(err)
		}
		t.producerID = int64(answer.Producer.ProducerID)
		t.epoch = int16(answer.Producer.ProducerEpoch)
		return nil
	})
	if err != nil {
		return fmt.Errorf("fence transactional id %s: %w", t.id, err)
	}
	t.sequence = map[topicPartition]int32{}
	t.clear()
	return nil
}

func (t *Transactional) clear() {
	t.added = map[topicPartition]bool{}
	t.groups = map[string]bool{}
}

// Produce stamps the batches in place as this producer's, in this transaction,
// and appends them to a partition in their order.
func (t *Transactional) Produce(ctx context.Context, topic string, partition int32, batches []batch.Batch) error {
	tp := topicPartition{topic, partition}
	if err := t.add(ctx, tp); err != nil {
		return err
	}
	for _, b := range batches {
		err := b.Stamp(batch.Producer{ID: t.producerID, Epoch: t.epoch, Sequence: t.sequence[tp], Transactional: true})
		if err != nil {
			return fmt.Errorf("stamp batch for %s/%d: %w", topic, partition, err)
		}
		t.sequence[tp] = batch.NextSequence(t.sequence[tp], b.Count())
	}
	_, err := t.c.ProduceBatches(ctx, topic, partition, t.id, batches)
	return err
}

// add puts a partition into the transaction. Every answer is checked before
// anything is produced: a batch in a partition that was not added would hang.
func (t *Transactional) add(ctx context.Context, tp topicPartition) error {
	if t.added[tp] {
		return nil
	}
	err := t.c.retry(ctx, func(ctx context.Context) error {
		answer, err := t.c.client.AddPartitionsToTxn(ctx, &kafkago.AddPartitionsToTxnRequest{
			TransactionalID: t.id, ProducerID: int(t.producerID), ProducerEpoch: int(t.epoch),
			Topics: map[string][]kafkago.AddPartitionToTxn{tp.topic: {{Partition: int(tp.partition)}}},
		})
		if err != nil {
			return translate(err)
		}
		results := answer.Topics[tp.topic]
		if len(results) != 1 {
			return fmt.Errorf("%d answers, want 1", len(results))
		}
		return translate(results[0].Error)
	})
	if err != nil {
		return fmt.Errorf("add %s/%d to transaction %s: %w", tp.topic, tp.partition, t.id, err)
	}
	t.added[tp] = true
	return nil
}

// CommitOffsets puts offsets of a consumer group into the transaction: they
// are committed with the records, or not at all.
func (t *Transactional) CommitOffsets(ctx context.Context, group, topic string, offsets map[int32]Committed) error {
	if err := t.addGroup(ctx, group); err != nil {
		return err
	}
	var commits []kafkago.TxnOffsetCommit
	for p, offset := range offsets {
		commits = append(commits, kafkago.TxnOffsetCommit{Partition: int(p), Offset: offset.Offset, Metadata: offset.Metadata})
	}
	err := t.c.retry(ctx, func(ctx context.Context) error {
		answer, err := t.c.client.TxnOffsetCommit(ctx, &kafkago.TxnOffsetCommitRequest{
			TransactionalID: t.id, GroupID: group, ProducerID: int(t.producerID), ProducerEpoch: int(t.epoch),
			GenerationID: -1, // not as a member of the group
			Topics:       map[string][]kafkago.TxnOffsetCommit{topic: commits},
		})
		if err != nil {
			return translate(err)
		}
		results := answer.Topics[topic]
		if len(results) != len(commits) {
			return fmt.Errorf("%d answers, want %d", len(results), len(commits))
		}
		for _, p := range results {
			if p.Error != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, translate(p.Error))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("commit offsets of group %s, topic %s, in transaction %s: %w", group, topic, t.id, err)
	}
	return nil
}

func (t *Transactional) addGroup(ctx context.Context, group string) error {
	if t.groups[group] {
		return nil
	}
	err := t.c.retry(ctx, func(ctx context.Context) error {
		answer, err := t.c.client.AddOffsetsToTxn(ctx, &kafkago.AddOffsetsToTxnRequest{
			TransactionalID: t.id, ProducerID: int(t.producerID), ProducerEpoch: int(t.epoch), GroupID: group,
		})
		if err != nil {
			return translate(err)
		}
		return translate(answer.Error)
	})
	if err != nil {
		return fmt.Errorf("add group %s to transaction %s: %w", group, t.id, err)
	}
	t.groups[group] = true
	return nil
}

// Commit ends the transaction: its records and offsets become visible together.
// After an error it is unknown whether they did; fence and read back.
func (t *Transactional) Commit(ctx context.Context) error { return t.end(ctx, true) }

// Abort ends the transaction: none of its records and offsets will be seen.
func (t *Transactional) Abort(ctx context.Context) error { return t.end(ctx, false) }

func (t *Transactional) end(ctx context.Context, commit bool) error {
	if len(t.added) == 0 && len(t.groups) == 0 {
		return nil // the broker knows of no transaction
	}
	err := t.c.retry(ctx, func(ctx context.Context) error {
		answer, err := t.c.client.EndTxn(ctx, &kafkago.EndTxnRequest{
			TransactionalID: t.id, ProducerID: int(t.producerID), ProducerEpoch: int(t.epoch), Committed: commit,
		})
		if err == nil {
			err = answer.Error
		}
		if isIndefinite(err) {
			// EndTxn may have happened: repeating it is a guess
			return &indefiniteError{err: translate(err)}
		}
		return translate(err)
	})
	if err != nil {
		return fmt.Errorf("end transaction %s: %w", t.id, err)
	}
	t.clear()
	return nil
}

// isIndefinite says that a request may or may not have had its effect.
func isIndefinite(err error) bool {
	if err == nil {
		return false
	}
	var code kafkago.Error
	return !errors.As(err, &code) || code == kafkago.RequestTimedOut
}

// indefiniteError keeps a retry from repeating what may have happened, while
// the error stays one that [Retriable] knows, for who fences first.
type indefiniteError struct{ err error }

func (e *indefiniteError) Error() string { return "outcome unknown: " + e.err.Error() }
func (e *indefiniteError) Unwrap() error { return e.err }
