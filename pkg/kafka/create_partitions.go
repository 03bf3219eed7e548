package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// CreatePartitions gives a topic so many partitions and waits until this client
// can use the new ones. Where it has as many already, nothing is done; where it
// has more, that is an error. Records stay where they are: a key may go to
// another partition than before. [ErrUnsupported] before 1.0.
func (c *Client) CreatePartitions(ctx context.Context, topic string, count int) error {
	described, err := c.Topic(ctx, topic)
	if err != nil {
		return fmt.Errorf("give topic %s %d partitions: %w", topic, count, err)
	}
	first := len(described.Partitions)
	switch {
	case count == first:
		return nil
	case count < first:
		return fmt.Errorf("give topic %s %d partitions: it has %d, and a topic cannot shrink: leave the number as it is, or delete the topic and create it again", topic, count, first)
	case !c.knows(protocol.CreatePartitions):
		return fmt.Errorf("give topic %s %d partitions: %w: from Kafka 1.0 on", topic, count, ErrUnsupported)
	}
	err = c.createPartitions(ctx, topic, count)
	// a broker that has run out of time has begun, and goes on by itself
	begun := errors.Is(err, kafkago.RequestTimedOut)
	if err != nil && !begun {
		return fmt.Errorf("give topic %s %d partitions: %w", topic, count, err)
	}
	if leaderless := c.awaitLeaders(ctx, topic, first, count, !begun); leaderless != nil {
		err := errors.Join(err, leaderless)
		return fmt.Errorf("await the leaders of new partitions of topic %s: %w", topic, err)
	}
	return nil
}

func (c *Client) createPartitions(ctx context.Context, topic string, count int) error {
	// a lost answer is not asked for again: it would say that they are there
	return c.repeat(ctx, whileAnswered, func(ctx context.Context) error {
		answer, err := c.client.CreatePartitions(ctx, &kafkago.CreatePartitionsRequest{
			Topics: []kafkago.TopicPartitionsConfig{{Name: topic, Count: int32(count)}},
		})
		if err != nil {
			return err
		}
		refused, ok := answer.Errors[topic]
		if !ok {
			return errors.New("the answer is not about the topic that was asked for")
		}
		return refused
	})
}
