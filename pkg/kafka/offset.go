package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
)

// Positions in a partition that are not offsets, for [Client.Offsets].
const (
	Earliest int64 = -2 // the first record that is still there
	Latest   int64 = -1 // the log end: the offset that the next record will get
)

// Offsets gives the offset of each partition at a position: [Earliest],
// [Latest], or a time in milliseconds, which gives the first record of that
// time or later, or the log end where there is none.
func (c *Client) Offsets(ctx context.Context, topic string, at int64, partitions ...int32) (map[int32]int64, error) {
	ctx, cancel := c.within(ctx, 0)
	defer cancel()
	offsets, err := c.listOffsets(ctx, topic, at, partitions)
	if err != nil {
		return nil, fmt.Errorf("list offsets of topic %s: %w", topic, translate(err))
	}
	var none []int32
	for p, offset := range offsets {
		if offset < 0 {
			none = append(none, p) // no record that late
		}
	}
	if len(none) == 0 {
		return offsets, nil
	}
	ends, err := c.listOffsets(ctx, topic, Latest, none)
	if err != nil {
		return nil, fmt.Errorf("list offsets of topic %s: %w", topic, translate(err))
	}
	for p, offset := range ends {
		offsets[p] = offset
	}
	return offsets, nil
}

func (c *Client) listOffsets(ctx context.Context, topic string, at int64, partitions []int32) (map[int32]int64, error) {
	requests := make([]kafkago.OffsetRequest, len(partitions))
	for i, p := range partitions {
		requests[i] = kafkago.OffsetRequest{Partition: int(p), Timestamp: at}
	}
	answer, err := c.client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{topic: requests}})
	if err != nil {
		return nil, err
	}
	offsets := make(map[int32]int64, len(partitions))
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("partition %d: %w", p.Partition, translate(p.Error))
		}
		switch at {
		case Earliest:
			offsets[int32(p.Partition)] = p.FirstOffset
		case Latest:
			offsets[int32(p.Partition)] = p.LastOffset
		default:
			offsets[int32(p.Partition)] = -1
			for offset := range p.Offsets {
				offsets[int32(p.Partition)] = offset
			}
		}
	}
	for _, p := range partitions {
		if _, ok := offsets[p]; !ok {
			return nil, fmt.Errorf("partition %d: no answer: %w", p, ErrUnknownTopic)
		}
	}
	return offsets, nil
}

// Committed is what a consumer group has committed for one partition.
type Committed struct {
	Offset   int64  // the next offset to consume; -1: none committed
	Metadata string // free text beside it
}

// Committed gives a group's committed offset for each partition.
//
// After a transaction has ended it may be stale (111 of 300 times on a real
// 4.2.0 broker): it is true once [Client.Transactional] or
// [Transactional.Fence] with the same transactional id has returned.
func (c *Client) Committed(ctx context.Context, group, topic string, partitions ...int32) (map[int32]Committed, error) {
	var offsets map[int32]Committed
	err := c.retry(ctx, func(ctx context.Context) error {
		numbers := make([]int, len(partitions))
		for i, p := range partitions {
			numbers[i] = int(p)
		}
		answer, err := c.client.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: numbers}})
		if err == nil {
			err = answer.Error
		}
		offsets = make(map[int32]Committed, len(partitions))
		if errors.Is(err, kafkago.GroupIdNotFound) { // real brokers answer with -1 instead
			for _, p := range partitions {
				offsets[p] = Committed{Offset: -1}
			}
			return nil
		}
		if err != nil {
			return translate(err)
		}
		for _, p := range answer.Topics[topic] {
			if p.Error != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, translate(p.Error))
			}
			offsets[int32(p.Partition)] = Committed{Offset: p.CommittedOffset, Metadata: p.Metadata}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read committed offsets of group %s, topic %s: %w", group, topic, err)
	}
	return offsets, nil
}

// Commit sets a group's committed offsets from outside of the group. A group
// with active members refuses it ([ErrNotCoordinated]).
func (c *Client) Commit(ctx context.Context, group, topic string, offsets map[int32]Committed) error {
	err := c.retry(ctx, func(ctx context.Context) error {
		var commits []kafkago.OffsetCommit
		for p, offset := range offsets {
			commits = append(commits, kafkago.OffsetCommit{Partition: int(p), Offset: offset.Offset, Metadata: offset.Metadata})
		}
		answer, err := c.client.OffsetCommit(ctx, &kafkago.OffsetCommitRequest{
			GroupID: group, GenerationID: -1, Topics: map[string][]kafkago.OffsetCommit{topic: commits},
		})
		if err != nil {
			return translate(err)
		}
		for _, p := range answer.Topics[topic] {
			if p.Error != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, translate(p.Error))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("commit offsets of group %s, topic %s: %w", group, topic, err)
	}
	return nil
}
