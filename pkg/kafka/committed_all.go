package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// allTopicsVersion is the first OffsetFetch that can ask for all topics
// (KIP-88, Kafka 0.10.2).
const allTopicsVersion = 2

// CommittedAll gives everything that a group has committed, by topic and
// partition; nothing where there is no such group. Topics that the user may not
// describe are left out by the broker. [ErrUnsupported] before 0.10.2.
//
// Brokers from 2.5 are asked for stable offsets, as [Client.Committed] does:
// the call waits while a transaction that commits one is open or being ended.
// A first commit of a partition that is in an open transaction is not there
// yet.
func (c *Client) CommittedAll(ctx context.Context, group string) (map[string]map[int32]Committed, error) {
	once := c.committedAllOnce
	switch version := c.versions[protocol.OffsetFetch]; {
	case version < allTopicsVersion:
		return nil, fmt.Errorf("read all committed offsets of group %s: %w: from Kafka 0.10.2 on", group, ErrUnsupported)
	case version >= stableVersion:
		once = func(ctx context.Context, group string) (map[string]map[int32]Committed, error) {
			return c.stableOnce(ctx, group, nil)
		}
	}
	var offsets map[string]map[int32]Committed
	err := c.repeat(ctx, whileAgainKnown, func(ctx context.Context) (err error) {
		offsets, err = once(ctx, group)
		if errors.Is(err, kafkago.GroupIdNotFound) { // real brokers answer with nothing instead
			offsets, err = map[string]map[int32]Committed{}, nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read all committed offsets of group %s: %w", group, err)
	}
	return offsets, nil
}

// committedAllOnce asks as kafka-go can, without waiting for transactions.
func (c *Client) committedAllOnce(ctx context.Context, group string) (map[string]map[int32]Committed, error) {
	message, err := c.send(ctx, &offsetfetch.Request{GroupID: group}) // null topics: all
	if err != nil {
		return nil, err
	}
	answer := message.(*offsetfetch.Response)
	if err := codeError(answer.ErrorCode); err != nil {
		return nil, err
	}
	offsets := map[string]map[int32]Committed{}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if err := codeError(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("%s/%d: %w", t.Name, p.PartitionIndex, err)
			}
			note(offsets, t.Name, p.PartitionIndex, Committed{Offset: p.CommittedOffset, Metadata: p.Metadata})
		}
	}
	return offsets, nil
}

// note adds the committed offset of a partition.
func note(offsets map[string]map[int32]Committed, topic string, partition int32, committed Committed) {
	if offsets[topic] == nil {
		offsets[topic] = map[int32]Committed{}
	}
	offsets[topic][partition] = committed
}
