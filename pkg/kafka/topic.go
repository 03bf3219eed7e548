package kafka

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
)

// TopicID is what tells a topic from another of the same name that was created
// after the first was deleted. Brokers before 2.8 have none: it is zero then.
type TopicID [16]byte

// String is the id in hexadecimal, empty where the broker has none.
func (id TopicID) String() string {
	if id == (TopicID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// Topic is what the cluster says of a topic now.
type Topic struct {
	Name       string
	ID         TopicID
	Internal   bool
	Partitions []Partition // in order of their number
}

// Partition is one partition of a topic.
type Partition struct {
	ID          int32
	Leader      int32 // broker id, -1 while there is none
	LeaderEpoch int32 // -1 where the broker does not say: before 2.1
	Replicas    int
}

// Topic describes one topic as the cluster knows it at this moment.
// It is [ErrUnknownTopic] where there is none of that name.
func (c *Client) Topic(ctx context.Context, name string) (Topic, error) {
	answers, err := c.describe(ctx, []string{name})
	if err == nil && (len(answers) != 1 || answers[0].topic.Name != name) {
		err = ErrUnknownTopic
	}
	if err == nil {
		err = answers[0].err
	}
	if err != nil {
		return Topic{}, fmt.Errorf("describe topic %s: %w", name, err)
	}
	return answers[0].topic, nil
}

// Topics describes all topics that the user may see, in order of name.
func (c *Client) Topics(ctx context.Context) ([]Topic, error) {
	answers, err := c.describe(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	topics := make([]Topic, 0, len(answers))
	for _, a := range answers {
		if errors.Is(a.err, ErrUnknownTopic) {
			continue // deleted while we asked
		}
		if a.err != nil {
			return nil, fmt.Errorf("list topics: %s: %w", a.topic.Name, a.err)
		}
		topics = append(topics, a.topic)
	}
	slices.SortFunc(topics, func(a, b Topic) int { return cmp.Compare(a.Name, b.Name) })
	return topics, nil
}

// described is the answer for one topic: the broker may refuse each by itself.
type described struct {
	topic Topic
	err   error
}

// describe asks for the named topics, or all where names is nil, until each
// has an answer that stands.
func (c *Client) describe(ctx context.Context, names []string) ([]described, error) {
	var answers []described
	err := c.repeat(ctx, whileAgainKnown, func(ctx context.Context) (err error) {
		if answers, err = c.describeOnce(ctx, names); err != nil {
			return err
		}
		for _, a := range answers {
			if whileAgainKnown(a.err) {
				return fmt.Errorf("topic %s: %w", a.topic.Name, a.err)
			}
		}
		return nil
	})
	return answers, err
}

// describeOnce asks a broker: kafka-go would answer from what it heard up to
// MetadataTTL ago.
func (c *Client) describeOnce(ctx context.Context, names []string) ([]described, error) {
	var answers []described
	talk := func(conn io.ReadWriter, _ int16) (err error) {
		if c.versions[protocol.Metadata] < metadataVersion {
			answers, err = describeOld(conn, min(c.versions[protocol.Metadata], protocol.Metadata.MaxVersion()), c.config.ClientID, names)
			return err
		}
		if _, err := conn.Write(c.metadataRequest(names)); err != nil {
			return err
		}
		frame, err := readFrame(conn, nil)
		if err != nil {
			return err
		}
		answers, err = parseMetadata(frame)
		return err
	}
	err := c.roundTrip(ctx, &exchange{key: protocol.Metadata, broker: anyBroker, talk: talk})
	return answers, err
}
