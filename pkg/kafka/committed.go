package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
	"github.com/segmentio/kafka-go/protocol/txnoffsetcommit"
)

// Committed is what a consumer group has committed for one partition.
type Committed struct {
	Offset   int64  // the next offset to consume; -1: none committed
	Metadata string // free text beside it
}

// noLeaderEpoch says that the epoch of the record at an offset is not known.
// kafka-go's own calls send 0, which a consumer takes for a fact: it would
// look for epoch 0 in the log, find that it ended before the offset, and
// believe that the log was truncated (KIP-320).
const noLeaderEpoch = -1

// simpleConsumer is the generation of who commits for a group without being in it.
const simpleConsumer = -1

// Committed gives a group's committed offset for each partition.
//
// After a transaction has ended a plain read may be stale: 111 of 300 times on
// a real 4.2.0 broker. So brokers from 2.5 are asked for stable offsets, and
// the call waits while a transaction that commits one is being ended. Older
// ones cannot say: there it is true once [Client.Transactional] or
// [Transactional.Fence] with the same transactional id has returned, but for
// the moment in which the coordinator applies what the transaction's marker
// has said already.
//
// A transaction that is left open, by a producer that has died, is waited for,
// too: fence it first, or ask for [Client.CommittedNow].
func (c *Client) Committed(ctx context.Context, group, topic string, partitions ...int32) (map[int32]Committed, error) {
	once := c.committedOnce
	if c.versions[protocol.OffsetFetch] >= stableVersion {
		once = c.stableTopicOnce
	}
	return c.committed(ctx, once, group, topic, partitions)
}

// CommittedNow gives what is committed at this moment, without waiting for
// transactions: while one that commits an offset is open, or is being ended,
// it is the offset before. It is for showing how far a group is; who goes on
// from the offset needs [Client.Committed].
func (c *Client) CommittedNow(ctx context.Context, group, topic string, partitions ...int32) (map[int32]Committed, error) {
	return c.committed(ctx, c.committedOnce, group, topic, partitions)
}

// committedRead asks for committed offsets once.
type committedRead func(ctx context.Context, group, topic string, partitions []int32) (map[int32]Committed, error)

func (c *Client) committed(ctx context.Context, once committedRead, group, topic string, partitions []int32) (map[int32]Committed, error) {
	if len(partitions) == 0 {
		return map[int32]Committed{}, nil
	}
	var offsets map[int32]Committed
	err := c.repeat(ctx, whileAgainKnown, func(ctx context.Context) (err error) {
		offsets, err = once(ctx, group, topic, partitions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read committed offsets of group %s, topic %s: %w", group, topic, err)
	}
	return offsets, nil
}

// committedOnce asks as kafka-go can, without waiting for transactions.
func (c *Client) committedOnce(ctx context.Context, group, topic string, partitions []int32) (map[int32]Committed, error) {
	numbers := make([]int, len(partitions))
	for i, p := range partitions {
		numbers[i] = int(p)
	}
	answer, err := c.client.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: numbers}})
	if err == nil {
		err = answer.Error
	}
	offsets := make(map[int32]Committed, len(partitions))
	if errors.Is(err, kafkago.GroupIdNotFound) { // real brokers answer with -1 instead
		return noneCommitted(partitions), nil
	}
	if err != nil {
		return nil, err
	}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("partition %d: %w", p.Partition, translate(p.Error))
		}
		offsets[int32(p.Partition)] = Committed{Offset: p.CommittedOffset, Metadata: p.Metadata}
	}
	return offsets, complete(offsets, partitions)
}

// noneCommitted is the answer for a group that does not exist.
func noneCommitted(partitions []int32) map[int32]Committed {
	offsets := make(map[int32]Committed, len(partitions))
	for _, p := range partitions {
		offsets[p] = Committed{Offset: -1}
	}
	return offsets
}

// Commit sets a group's committed offsets from outside of the group. A group
// with active members refuses it ([ErrNotCoordinated]). It is repeated like
// reads are.
func (c *Client) Commit(ctx context.Context, group, topic string, offsets map[int32]Committed) error {
	if len(offsets) == 0 {
		return nil
	}
	commits := make([]offsetcommit.RequestPartition, 0, len(offsets))
	for p, offset := range offsets {
		commits = append(commits, offsetcommit.RequestPartition{
			PartitionIndex: p, CommittedOffset: offset.Offset, CommittedMetadata: offset.Metadata,
			CommittedLeaderEpoch: noLeaderEpoch,
		})
	}
	err := c.repeat(ctx, whileAgain, func(ctx context.Context) error {
		message, err := c.send(ctx, &offsetcommit.Request{
			GroupID: group, GenerationID: simpleConsumer, RetentionTimeMs: brokersRetention,
			Topics: []offsetcommit.RequestTopic{{Name: topic, Partitions: commits}},
		})
		if err != nil {
			return err
		}
		codes := map[int32]int16{}
		for _, t := range message.(*offsetcommit.Response).Topics {
			for _, p := range t.Partitions {
				codes[p.PartitionIndex] = p.ErrorCode
			}
		}
		return commitResult(codes, offsets)
	})
	if err != nil {
		return fmt.Errorf("commit offsets of group %s, topic %s: %w", group, topic, err)
	}
	return nil
}

// brokersRetention leaves it to the broker how long an offset is kept
// (offsets.retention.minutes), where kafka-go's own call says a day.
const brokersRetention = -1

// commitOffsets puts offsets into the open transaction, once.
func (t *Transactional) commitOffsets(ctx context.Context, group, topic string, offsets map[int32]Committed) error {
	commits := make([]txnoffsetcommit.RequestPartition, 0, len(offsets))
	for p, offset := range offsets {
		commits = append(commits, txnoffsetcommit.RequestPartition{
			Partition: p, CommittedOffset: offset.Offset, CommittedMetadata: offset.Metadata, CommittedLeaderEpoch: noLeaderEpoch,
		})
	}
	message, err := t.c.send(ctx, &txnoffsetcommit.Request{
		TransactionalID: t.id, GroupID: group, ProducerID: t.producerID, ProducerEpoch: t.epoch, GenerationID: simpleConsumer,
		Topics: []txnoffsetcommit.RequestTopic{{Name: topic, Partitions: commits}},
	})
	if err != nil {
		return err
	}
	codes := map[int32]int16{}
	for _, topic := range message.(*txnoffsetcommit.Response).Topics {
		for _, p := range topic.Partitions {
			codes[p.Partition] = p.ErrorCode
		}
	}
	return commitResult(codes, offsets)
}

// commitResult is an error unless every partition was answered without one.
func commitResult(codes map[int32]int16, offsets map[int32]Committed) error {
	for p := range offsets {
		code, ok := codes[p]
		if !ok {
			return fmt.Errorf("partition %d: no answer", p)
		}
		if err := codeError(code); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
	}
	return nil
}
