package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// stableVersion is the first OffsetFetch that can ask for stable offsets
// (KIP-447, Kafka 2.5); kafka-go stops at 5.
const stableVersion = 7

const stableCorrelation = 1 // an exchange is one request

// stableOnce reads committed offsets that no transaction is about to change.
// While one is, the broker answers 88, UNSTABLE_OFFSET_COMMIT.
func (c *Client) stableOnce(ctx context.Context, group, topic string, partitions []int32) (map[int32]Committed, error) {
	var (
		offsets map[int32]Committed
		refused error // by the broker: the connection is good
	)
	talk := func(conn io.ReadWriter, _ int16) error {
		if _, err := conn.Write(c.stableRequest(group, topic, partitions)); err != nil {
			return err
		}
		frame, err := readFrame(conn, nil)
		if err != nil {
			return err
		}
		offsets, refused, err = parseStable(frame, topic)
		return err
	}
	err := c.roundTrip(ctx, &exchange{key: protocol.OffsetFetch, group: group, talk: talk})
	if err == nil {
		err = refused
	}
	if errors.Is(err, kafkago.GroupIdNotFound) { // real brokers answer with -1 instead
		return noneCommitted(partitions), nil
	}
	if err != nil {
		return nil, err
	}
	return offsets, complete(offsets, partitions)
}

// stableRequest writes an OffsetFetch v7 request.
func (c *Client) stableRequest(group, topic string, partitions []int32) []byte {
	r := newRequest(nil, int16(protocol.OffsetFetch), stableVersion, stableCorrelation, c.config.ClientID)
	r.noTags()
	r.compactString(group)
	r.uvarint(1 + 1)
	r.compactString(topic)
	r.uvarint(uint64(len(partitions)) + 1)
	for _, p := range partitions {
		r.int32(p)
	}
	r.noTags()
	r.int8(1) // require stable
	r.noTags()
	return r.finish(0)
}

// parseStable reads an OffsetFetch v7 response for one topic. refused is what
// the broker says, err that the answer makes no sense.
func parseStable(frame []byte, topic string) (offsets map[int32]Committed, refused, err error) {
	r := newResponse(frame, stableCorrelation)
	r.skipTags()
	r.int32() // throttle
	offsets = map[int32]Committed{}
	for topics := r.compactArray(); topics > 0 && r.err == nil; topics-- {
		mine := r.compactString() == topic
		for n := r.compactArray(); n > 0 && r.err == nil; n-- {
			p := r.int32()
			committed := Committed{Offset: r.int64()}
			r.int32() // leader epoch
			committed.Metadata = r.compactString()
			code := r.int16()
			r.skipTags()
			if err := codeError(code); err != nil && refused == nil {
				refused = fmt.Errorf("partition %d: %w", p, err)
			}
			if mine {
				offsets[p] = committed
			}
		}
		r.skipTags()
	}
	if err := codeError(r.int16()); err != nil {
		refused = err
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	return offsets, refused, nil
}
