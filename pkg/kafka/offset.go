package kafka

import (
	"context"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
)

// Positions in a partition that are not offsets, for [Client.Offsets].
const (
	Earliest int64 = -2 // the first record that is still there
	Latest   int64 = -1 // the high watermark: the offset that the next record will get
)

// Offsets gives the offset of each partition at a position: [Earliest],
// [Latest], or a time in milliseconds, which gives the first record of that
// time or later, or the end where there is none.
func (c *Client) Offsets(ctx context.Context, topic string, at int64, partitions ...int32) (map[int32]int64, error) {
	offsets, err := c.listOffsets(ctx, topic, position{at, readUncommitted}, partitions)
	if err != nil {
		return nil, err
	}
	var none []int32
	for p, offset := range offsets {
		if offset < 0 {
			none = append(none, p) // no record that late
		}
	}
	ends, err := c.listOffsets(ctx, topic, position{Latest, readUncommitted}, none)
	if err != nil {
		return nil, err
	}
	for p, offset := range ends {
		offsets[p] = offset
	}
	return offsets, nil
}

// StableOffsets gives the last stable offset of each partition: the end of what
// a reader of committed records may read now. It is the first offset of the
// oldest open transaction, or the high watermark where none is open. Brokers
// before 0.11 have no transactions and give the high watermark.
func (c *Client) StableOffsets(ctx context.Context, topic string, partitions ...int32) (map[int32]int64, error) {
	return c.listOffsets(ctx, topic, position{Latest, readCommitted}, partitions)
}

// position is a place in partitions, as ListOffsets takes it.
type position struct {
	at        int64 // Earliest, Latest or a time
	isolation int8
}

// notReplica is the replica id of a consumer.
const notReplica = -1

const (
	readUncommitted int8 = 0
	readCommitted   int8 = 1 // from ListOffsets 2 on, 0.11: kafka-go leaves it out before
)

// listOffsets gives -1 where no record is that late.
func (c *Client) listOffsets(ctx context.Context, topic string, where position, partitions []int32) (map[int32]int64, error) {
	if len(partitions) == 0 {
		return map[int32]int64{}, nil
	}
	var offsets map[int32]int64
	err := c.repeat(ctx, whileAgainKnown, func(ctx context.Context) (err error) {
		offsets, err = c.listOffsetsOnce(ctx, topic, where, partitions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list offsets of topic %s: %w", topic, err)
	}
	return offsets, nil
}

// listOffsetsOnce sends the request itself: kafka-go's own call gives offset 0
// for a partition that the broker has not answered for.
func (c *Client) listOffsetsOnce(ctx context.Context, topic string, where position, partitions []int32) (map[int32]int64, error) {
	requests := make([]listoffsets.RequestPartition, len(partitions))
	for i, p := range partitions {
		requests[i] = listoffsets.RequestPartition{Partition: p, CurrentLeaderEpoch: noLeaderEpoch, Timestamp: where.at}
	}
	message, err := c.send(ctx, &listoffsets.Request{
		ReplicaID: notReplica, IsolationLevel: where.isolation,
		Topics: []listoffsets.RequestTopic{{Topic: topic, Partitions: requests}},
	})
	if err != nil {
		return nil, err
	}
	offsets := make(map[int32]int64, len(partitions))
	for _, t := range message.(*listoffsets.Response).Topics {
		for _, p := range t.Partitions {
			if err := listOffsetsError(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("partition %d: %w", p.Partition, err)
			}
			if where.at < 0 && p.Offset < 0 {
				return nil, fmt.Errorf("partition %d: the broker gives the offset %d", p.Partition, p.Offset)
			}
			if t.Topic == topic {
				offsets[p.Partition] = p.Offset
			}
		}
	}
	return offsets, complete(offsets, partitions)
}

// listOffsetsError undoes what kafka-go v0.4.51 does to a request for several
// partitions: where some of the leaders cannot be reached, their partitions
// get the code -1.
func listOffsetsError(code int16) error {
	if kafkago.Error(code) == kafkago.Unknown {
		return errConnectionDropped
	}
	return codeError(code)
}

// complete is an error where an answer lacks a partition.
func complete[V any](answers map[int32]V, partitions []int32) error {
	for _, p := range partitions {
		if _, ok := answers[p]; !ok {
			return fmt.Errorf("partition %d: no answer: %w", p, ErrUnknownTopic)
		}
	}
	return nil
}
