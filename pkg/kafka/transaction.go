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
// Commit or Abort. After any error the state of the transaction is unknown,
// and every further call but Fence and Abort is refused: call Fence, read the
// committed offsets back, and go on from there. Nothing is guessed.
//
// Requests are repeated only where a broker has answered that it did not take
// them. A lost answer is an error: a request that is still under way somewhere
// could otherwise reach into the next transaction. Fence makes it harmless.
type Transactional struct {
	c       *Client
	id      string
	timeout time.Duration

	// Retimed lets Produce write to topics that give records the time at which they
	// are appended, which is else [ErrTimestampReplaced].
	Retimed bool

	producerID int64
	epoch      int16
	sequence   map[topicPartition]int32 // next sequence of each partition in this epoch
	added      map[topicPartition]bool  // partitions in the open transaction
	groups     map[string]bool          // consumer groups in the open transaction
	failed     error                    // of an earlier call, until Fence
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
	t := &Transactional{c: c, id: id, timeout: timeout}
	if !c.SupportsTransactions() {
		return nil, fmt.Errorf("transactional producer %s: %w: transactions need Kafka 0.11 or later", id, ErrUnsupported)
	}
	if err := t.Fence(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// Fence takes the transactional id over: it ends whatever transaction is open,
// of this producer or an older one, and begins a new epoch. Once it has
// returned, no older producer's transaction can change what [Client.Committed]
// gives.
func (t *Transactional) Fence(ctx context.Context) error {
	var session *kafkago.ProducerSession
	err := t.c.repeat(ctx, whileAgain, func(ctx context.Context) error {
		answer, err := t.c.client.InitProducerID(ctx, &kafkago.InitProducerIDRequest{
			TransactionalID:      t.id,
			TransactionTimeoutMs: int(t.timeout.Milliseconds()),
			ProducerID:           -1, // zero values are answered by error 49
			ProducerEpoch:        -1,
		})
		if err != nil {
			return err
		}
		session = answer.Producer
		return answer.Error
	})
	if err != nil {
		return t.fail(fmt.Errorf("fence transactional id %s: %w", t.id, err))
	}
	t.producerID, t.epoch = int64(session.ProducerID), int16(session.ProducerEpoch)
	t.sequence = map[topicPartition]int32{}
	t.failed = nil
	t.clear()
	return nil
}

// clear begins the next transaction.
func (t *Transactional) clear() {
	t.added = map[topicPartition]bool{}
	t.groups = map[string]bool{}
}

// fail keeps the transaction from going on after an error.
func (t *Transactional) fail(err error) error {
	if t.failed == nil {
		t.failed = err
	}
	return err
}

// Failed is the error after which only Fence and Abort are left to call; nil
// where every request so far was answered well.
func (t *Transactional) Failed() error { return t.failed }

// usable is an error after an earlier one.
func (t *Transactional) usable() error {
	if t.failed == nil {
		return nil
	}
	return fmt.Errorf("transaction %s must be fenced first, after: %w", t.id, t.failed)
}

// Produce stamps the batches in place as this producer's, in this transaction,
// and appends them to a partition in their order. It gives the offset that the
// first record of each batch got; nobody who reads committed records sees
// them before Commit.
func (t *Transactional) Produce(ctx context.Context, topic string, partition int32, batches []batch.Batch) ([]int64, error) {
	if err := t.usable(); err != nil || len(batches) == 0 {
		return nil, err
	}
	tp := topicPartition{topic, partition}
	if err := t.add(ctx, tp); err != nil {
		return nil, t.fail(err)
	}
	for i, b := range batches {
		err := b.Stamp(batch.Producer{ID: t.producerID, Epoch: t.epoch, Sequence: t.sequence[tp], Transactional: true})
		if err != nil {
			return nil, t.fail(fmt.Errorf("stamp batch %d for %s/%d: %w", i, topic, partition, err))
		}
		t.sequence[tp] = batch.NextSequence(t.sequence[tp], b.Count())
	}
	offsets, err := t.c.produceBatches(ctx, &produce{
		c: t.c, topic: topic, partition: partition, transactionalID: t.id, batches: batches, retimed: t.Retimed,
	})
	if err != nil {
		return nil, t.fail(err)
	}
	return offsets, nil
}

// add puts a partition into the transaction. The partition's own answer is
// checked before anything is produced: a batch in a partition that was not
// added would hang.
func (t *Transactional) add(ctx context.Context, tp topicPartition) error {
	if t.added[tp] {
		return nil
	}
	err := t.c.repeat(ctx, whileAnswered, func(ctx context.Context) error {
		answer, err := t.c.client.AddPartitionsToTxn(ctx, &kafkago.AddPartitionsToTxnRequest{
			TransactionalID: t.id, ProducerID: int(t.producerID), ProducerEpoch: int(t.epoch),
			Topics: map[string][]kafkago.AddPartitionToTxn{tp.topic: {{Partition: int(tp.partition)}}},
		})
		if err != nil {
			return err
		}
		results := answer.Topics[tp.topic]
		if len(results) != 1 || results[0].Partition != int(tp.partition) {
			return errors.New("the answer is not about the partition that was asked for")
		}
		return results[0].Error
	})
	if err != nil {
		return fmt.Errorf("add %s/%d to transaction %s: %w", tp.topic, tp.partition, t.id, err)
	}
	t.added[tp] = true
	return nil
}

// CommitOffsets puts offsets of a consumer group into the transaction: they
// are committed with the records, or not at all. Brokers take offsets only of
// topics that exist in their own cluster, and else answer [ErrUnknownTopic].
func (t *Transactional) CommitOffsets(ctx context.Context, group, topic string, offsets map[int32]Committed) error {
	if err := t.usable(); err != nil || len(offsets) == 0 {
		return err
	}
	if err := t.addGroup(ctx, group); err != nil {
		return t.fail(err)
	}
	err := t.c.repeat(ctx, whileAnswered, func(ctx context.Context) error {
		return t.commitOffsets(ctx, group, topic, offsets)
	})
	if err != nil {
		return t.fail(fmt.Errorf("commit offsets of group %s, topic %s, in transaction %s: %w", group, topic, t.id, err))
	}
	return nil
}

func (t *Transactional) addGroup(ctx context.Context, group string) error {
	if t.groups[group] {
		return nil
	}
	err := t.c.repeat(ctx, whileAnswered, func(ctx context.Context) error {
		answer, err := t.c.client.AddOffsetsToTxn(ctx, &kafkago.AddOffsetsToTxnRequest{
			TransactionalID: t.id, ProducerID: int(t.producerID), ProducerEpoch: int(t.epoch), GroupID: group,
		})
		if err != nil {
			return err
		}
		return answer.Error
	})
	if err != nil {
		return fmt.Errorf("add group %s to transaction %s: %w", group, t.id, err)
	}
	t.groups[group] = true
	return nil
}

// Commit ends the transaction: its records and offsets become visible together.
// After an error it is unknown whether they did; fence and read back.
func (t *Transactional) Commit(ctx context.Context) error {
	if err := t.usable(); err != nil {
		return err
	}
	return t.end(ctx, true)
}

// Abort ends the transaction: none of its records and offsets will be seen.
// After an earlier error it is what Fence is.
func (t *Transactional) Abort(ctx context.Context) error {
	if t.failed != nil {
		return t.Fence(ctx)
	}
	return t.end(ctx, false)
}

func (t *Transactional) end(ctx context.Context, commit bool) error {
	if len(t.added) == 0 && len(t.groups) == 0 {
		return nil // the broker knows of no transaction
	}
	err := t.c.repeat(ctx, whileAnswered, func(ctx context.Context) error {
		answer, err := t.c.client.EndTxn(ctx, &kafkago.EndTxnRequest{
			TransactionalID: t.id, ProducerID: int(t.producerID), ProducerEpoch: int(t.epoch), Committed: commit,
		})
		if err != nil {
			return err
		}
		return answer.Error
	})
	if err != nil {
		if !answered(err) {
			err = fmt.Errorf("outcome unknown: %w", err)
		}
		return t.fail(fmt.Errorf("end transaction %s: %w", t.id, err))
	}
	t.clear()
	return nil
}
