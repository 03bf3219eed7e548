package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// stableVersion is the first OffsetFetch that can ask for stable offsets
// (KIP-447, Kafka 2.5); kafka-go stops at 5.
const stableVersion = 7

const stableCorrelation = 1 // an exchange is one request

// stableOnce reads committed offsets that no transaction is about to change, of
// the partitions of each topic, or of all where topics is nil. While there is
// such a transaction, the broker answers 88, UNSTABLE_OFFSET_COMMIT.
func (c *Client) stableOnce(ctx context.Context, group string, topics map[string][]int32) (map[string]map[int32]Committed, error) {
	var (
		offsets map[string]map[int32]Committed
		refused error // by the broker: the connection is good
	)
	talk := converse(c.stableRequest(group, topics), func(frame []byte) (err error) {
		offsets, refused, err = parseStable(frame)
		return err
	})
	if err := c.roundTrip(ctx, &exchange{key: protocol.OffsetFetch, group: group, talk: talk}); err != nil {
		return nil, err
	}
	return offsets, refused
}

// stableTopicOnce reads them of one topic.
func (c *Client) stableTopicOnce(ctx context.Context, group, topic string, partitions []int32) (map[int32]Committed, error) {
	offsets, err := c.stableOnce(ctx, group, map[string][]int32{topic: partitions})
	if errors.Is(err, kafkago.GroupIdNotFound) { // real brokers answer with -1 instead
		return noneCommitted(partitions), nil
	}
	if err != nil {
		return nil, err
	}
	return offsets[topic], complete(offsets[topic], partitions)
}

// stableRequest writes an OffsetFetch v7 request.
func (c *Client) stableRequest(group string, topics map[string][]int32) []byte {
	r := newRequest(nil, int16(protocol.OffsetFetch), stableVersion, stableCorrelation, c.config.ClientID)
	r.noTags()
	r.compactString(group)
	if topics == nil {
		r.uvarint(0) // all
	} else {
		r.uvarint(uint64(len(topics)) + 1)
	}
	for topic, partitions := range topics {
		r.compactString(topic)
		r.uvarint(uint64(len(partitions)) + 1)
		for _, p := range partitions {
			r.int32(p)
		}
		r.noTags()
	}
	r.int8(1) // require stable
	r.noTags()
	return r.finish(0)
}

// parseStable reads an OffsetFetch v7 response. refused is what the broker
// says, err that the answer makes no sense.
func parseStable(frame []byte) (offsets map[string]map[int32]Committed, refused, err error) {
	r := newResponse(frame, stableCorrelation)
	r.skipTags()
	r.int32() // throttle
	offsets = map[string]map[int32]Committed{}
	for topics := r.compactArray(); topics > 0 && r.err == nil; topics-- {
		topic := r.compactString()
		for n := r.compactArray(); n > 0 && r.err == nil; n-- {
			p := r.int32()
			committed := Committed{Offset: r.int64()}
			r.int32() // leader epoch
			committed.Metadata = r.compactString()
			code := r.int16()
			r.skipTags()
			if err := codeError(code); err != nil && refused == nil {
				refused = fmt.Errorf("%s/%d: %w", topic, p, err)
			}
			note(offsets, topic, p, committed)
		}
		r.skipTags()
	}
	if err := codeError(r.int16()); err != nil {
		refused = err
	}
	r.skipTags()
	if r.err != nil {
		return nil, nil, r.err
	}
	return offsets, refused, nil
}
