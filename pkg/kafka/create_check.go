package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Versions of CreateTopics that checks are written in: those before the
// flexible ones, from the first that can check on.
const (
	checkVersion     = 1
	checkVersionLast = 4
	throttleVersion  = 2 // the first whose answer begins with the throttle time

	checkCorrelation = 1
)

// CheckCreate asks the cluster whether it would create a topic, and creates
// nothing: the user's rights, the settings, the number of replicas and the
// administrator's policy are looked at. [ErrUnsupported] before 0.10.2.
//
// The request is this package's own: kafka-go waits until a topic that was
// created is in its metadata, and does not see that this one was not.
func (c *Client) CheckCreate(ctx context.Context, spec TopicSpec) error {
	version := min(c.versions[protocol.CreateTopics], checkVersionLast)
	if version < checkVersion {
		return fmt.Errorf("check whether topic %s could be created: %w", spec.Name, ErrUnsupported)
	}
	replication, err := c.replication(ctx, spec)
	if err == nil {
		err = c.repeat(ctx, whileAgain, func(ctx context.Context) error {
			return c.checkOnce(ctx, spec, replication, version)
		})
	}
	if err != nil {
		return fmt.Errorf("check whether topic %s could be created with %d partitions: %w", spec.Name, spec.Partitions, err)
	}
	return nil
}

func (c *Client) checkOnce(ctx context.Context, spec TopicSpec, replication int, version int16) error {
	var refused error
	talk := converse(c.checkRequest(spec, replication, version), func(frame []byte) (err error) {
		refused, err = parseChecked(frame, spec.Name, version)
		return err
	})
	controller := func(cluster protocol.Cluster) (protocol.Broker, error) {
		return protocol.Broker{ID: cluster.Controller}, nil
	}
	if err := c.roundTrip(ctx, &exchange{key: protocol.CreateTopics, broker: controller, talk: talk}); err != nil {
		return err
	}
	return refused
}

// checkRequest writes a CreateTopics request that only checks.
func (c *Client) checkRequest(spec TopicSpec, replication int, version int16) []byte {
	r := newRequest(nil, int16(protocol.CreateTopics), version, checkCorrelation, c.config.ClientID)
	r.int32(1)
	r.string(spec.Name)
	r.int32(int32(spec.Partitions))
	r.int16(int16(replication))
	r.int32(0) // assignments
	r.int32(int32(len(spec.Settings)))
	for _, name := range slices.Sorted(maps.Keys(spec.Settings)) {
		r.string(name)
		r.string(spec.Settings[name])
	}
	r.int32(int32(c.config.RequestTimeout.Milliseconds()))
	r.int8(1) // only to check
	return r.finish(0)
}

// parseChecked reads a CreateTopics response for one topic. refused is what the
// broker says, err that the answer makes no sense.
func parseChecked(frame []byte, topic string, version int16) (refused, err error) {
	r := newResponse(frame, checkCorrelation)
	if version >= throttleVersion {
		r.int32()
	}
	r.one("topic")
	if name := r.string(); name != topic {
		r.fail(fmt.Errorf("answer for %q", name))
	}
	code, words := r.int16(), r.string()
	if r.err != nil {
		return nil, r.err
	}
	if code != 0 {
		return &brokerError{code: kafkago.Error(code), message: words}, nil
	}
	return nil, nil
}
