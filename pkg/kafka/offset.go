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
	Latest   int64 = -1 // the high watermark: the offset that the next record will get
)

// Offsets gives the offset of each partition at a position: [Earliest],
// [Latest], or a time in milliseconds, which gives the first record of that
// time or later, or the end where there is none.
func (c *Client) Offsets(ctx context.Context, topic string, at int64, partitions ...int32) (map[int32]int64, error) {
	offsets, err := c.listOffsets(ctx, topic, at, partitions)
	if err != nil {
		return nil, err
	}
	var none []int32
	for p, offset := range offsets {
		if offset < 0 {
			none = append(none, p) // no record that late
		}
	}
	ends, err := c.listOffsets(ctx, topic, Latest, none)
	if err != nil {
		return nil, err
	}
	for p, offset := range ends {
		offsets[p] = offset
	}
	return offsets, nil
}

// listOffsets gives -1 where no record is that late.
func (c *Client) listOffsets(ctx context.Context, topic string, at int64, partitions []int32) (map[int32]int64, error) {
	if len(partitions) == 0 {
		return map[int32]int64{}, nil
	}
	var offsets map[int32]int64
	err := c.repeat(ctx, whileAgainKnown, func(ctx context.Context) (err error) {
		offsets, err = c.listOffsetsOnce(ctx, topic, at, partitions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list offsets of topic %s: %w", topic, err)
	}
	return offsets, nil
}

func (c *Client) listOffsetsOnce(ctx context.Context, topic string, at int64, partitions []int32) (map[int32]int64, error) {
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
			return nil, fmt.Errorf("partition %d: %w", p.Partition, listOffsetsError(p.Error))
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
	return offsets, complete(offsets, partitions)
}

// listOffsetsError undoes what kafka-go v0.4.51 does to a request for several
// partitions: where some of the leaders cannot be reached, their partitions
// get the code -1.
func listOffsetsError(err error) error {
	if errors.Is(err, kafkago.Unknown) {
		return errConnectionDropped
	}
	return translate(err)
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
