package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// What IncrementalAlterConfigs does with a setting (KIP-339).
const (
	settingSet    = 0
	settingDelete = 1
)

const alterCorrelation = 1

// AlterTopicSettings sets settings of a topic, and removes those of its own, so
// that the broker's default is in force again; all that are not named stay as
// they are. All are changed or none. Removing one that the topic does not have
// is no error. It is repeated like reads are. [ErrUnsupported] before 2.3,
// whose brokers can only replace all settings at once.
func (c *Client) AlterTopicSettings(ctx context.Context, topic string, set map[string]string, remove []string) error {
	if len(set)+len(remove) == 0 {
		return nil
	}
	if !c.knows(protocol.IncrementalAlterConfigs) {
		return fmt.Errorf("change settings of topic %s: %w: from Kafka 2.3 on", topic, ErrUnsupported)
	}
	err := c.repeat(ctx, whileAgainKnown, func(ctx context.Context) error {
		return c.alterOnce(ctx, topic, set, remove)
	})
	if err != nil {
		return fmt.Errorf("change settings of topic %s: %w", topic, err)
	}
	return nil
}

func (c *Client) alterOnce(ctx context.Context, topic string, set map[string]string, remove []string) error {
	var refused error
	talk := converse(c.alterRequest(topic, set, remove), func(frame []byte) (err error) {
		refused, err = parseAltered(frame, topic)
		return err
	})
	if err := c.roundTrip(ctx, &exchange{key: protocol.IncrementalAlterConfigs, broker: anyBroker, talk: talk}); err != nil {
		return err
	}
	return refused
}

// alterRequest writes an IncrementalAlterConfigs request, version 0. kafka-go's
// own writes an empty value as null, which brokers refuse.
func (c *Client) alterRequest(topic string, set map[string]string, remove []string) []byte {
	r := newRequest(nil, int16(protocol.IncrementalAlterConfigs), 0, alterCorrelation, c.config.ClientID)
	r.int32(1)
	r.int8(int8(kafkago.ResourceTypeTopic))
	r.string(topic)
	r.int32(int32(len(set) + len(remove)))
	for _, name := range slices.Sorted(maps.Keys(set)) {
		r.string(name)
		r.int8(settingSet)
		r.string(set[name])
	}
	for _, name := range remove {
		r.string(name)
		r.int8(settingDelete)
		r.nullableString("")
	}
	r.int8(0) // not only to check them
	return r.finish(0)
}

// parseAltered reads an IncrementalAlterConfigs response, version 0, for one
// topic. refused is what the broker says, err that the answer makes no sense.
func parseAltered(frame []byte, topic string) (refused, err error) {
	r := newResponse(frame, alterCorrelation)
	r.int32() // throttle
	r.one("resource")
	code, words := r.int16(), r.string()
	r.take(1) // type
	if name := r.string(); name != topic {
		r.fail(fmt.Errorf("answer for %q", name))
	}
	if r.err != nil {
		return nil, r.err
	}
	if code != 0 {
		return &brokerError{code: kafkago.Error(code), message: words}, nil
	}
	return nil, nil
}
