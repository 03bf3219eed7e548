package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// consumerGroupDescribe describes groups of the protocol of KIP-848, from Kafka
// 3.7 on. kafka-go does not know it.
const consumerGroupDescribe protocol.ApiKey = 69

const consumerGroupCorrelation = 1

// consumerGroup asks for a group of the protocol of KIP-848. What is no such
// group is answered with GROUP_ID_NOT_FOUND, and everything with
// UNSUPPORTED_VERSION where the brokers have the protocol turned off
// (group.coordinator.rebalance.protocols): then it is dead.
func (c *Client) consumerGroup(ctx context.Context, id string) (group GroupDescription, err error) {
	var refused error
	talk := converse(c.consumerGroupRequest(id), func(frame []byte) (err error) {
		group, refused, err = parseConsumerGroup(frame, id)
		return err
	})
	if err := c.roundTrip(ctx, &exchange{key: consumerGroupDescribe, group: id, talk: talk}); err != nil {
		return GroupDescription{}, err
	}
	if errors.Is(refused, kafkago.UnsupportedVersion) {
		return GroupDescription{State: groupDead}, nil
	}
	return group, refused
}

// consumerGroupRequest writes a ConsumerGroupDescribe request, version 0.
func (c *Client) consumerGroupRequest(id string) []byte {
	r := newRequest(nil, int16(consumerGroupDescribe), 0, consumerGroupCorrelation, c.config.ClientID)
	r.noTags()
	r.uvarint(1 + 1)
	r.compactString(id)
	r.int8(0) // no authorized operations
	r.noTags()
	return r.finish(0)
}

// parseConsumerGroup reads a ConsumerGroupDescribe response, version 0. refused
// is what the broker says, err that the answer makes no sense.
func parseConsumerGroup(frame []byte, id string) (group GroupDescription, refused, err error) {
	r := newResponse(frame, consumerGroupCorrelation)
	r.skipTags()
	r.int32() // throttle
	if n := r.compactArray(); n != 1 {
		r.fail(fmt.Errorf("answer for %d groups, want 1", n))
	}
	code, words := r.int16(), r.compactString()
	if name := r.compactString(); name != id {
		r.fail(fmt.Errorf("answer for group %q", name))
	}
	group = GroupDescription{State: r.compactString(), ProtocolType: consumerProtocol}
	r.int32() // epoch
	r.int32() // assignment epoch
	r.skipCompactString()
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		group.Members = append(group.Members, parseConsumerGroupMember(r))
	}
	r.int32() // authorized operations
	r.skipTags()
	r.skipTags()
	if r.err != nil {
		return GroupDescription{}, nil, r.err
	}
	if code != 0 {
		return GroupDescription{}, &brokerError{code: kafkago.Error(code), message: words}, nil
	}
	return group, nil, nil
}

func parseConsumerGroupMember(r *response) GroupMember {
	member := GroupMember{ID: r.compactString()}
	r.skipCompactString() // instance id
	r.skipCompactString() // rack
	r.int32()             // epoch
	member.ClientID, member.Host = r.compactString(), r.compactString()
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		r.skipCompactString() // a topic that it subscribes to
	}
	r.skipCompactString() // or the pattern of them
	member.Assigned = parseConsumerGroupAssignment(r)
	parseConsumerGroupAssignment(r) // what it is to become
	r.skipTags()
	return member
}

func parseConsumerGroupAssignment(r *response) map[string][]int32 {
	var assigned map[string][]int32
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		r.take(len(TopicID{}))
		topic := r.compactString()
		assigned = assign(assigned, topic, r.int32s(r.compactArray()))
		r.skipTags()
	}
	r.skipTags()
	return assigned
}
