package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	topicConfigSource      = 1 // DYNAMIC_TOPIC_CONFIG: set on the topic itself (KIP-226)
	describeConfigsSources = 1 // the first version that names the source, 1.1
)

// TopicSettings gives the settings in force on a topic, and the part of them
// that was set on the topic itself and is not a default of the broker.
// [ErrUnsupported] where the brokers are older than 0.11.
func (c *Client) TopicSettings(ctx context.Context, name string) (all, own map[string]string, err error) {
	entries, err := c.describeConfigs(ctx, kafkago.ResourceTypeTopic, name)
	if err != nil {
		return nil, nil, fmt.Errorf("read settings of topic %s: %w", name, err)
	}
	sources := c.versions[protocol.DescribeConfigs] >= describeConfigsSources
	all, own = map[string]string{}, map[string]string{}
	for _, entry := range entries {
		all[entry.ConfigName] = entry.ConfigValue
		if sources && entry.ConfigSource == topicConfigSource || !sources && !entry.IsDefault {
			own[entry.ConfigName] = entry.ConfigValue
		}
	}
	return all, own, nil
}

func (c *Client) describeConfigs(ctx context.Context, kind kafkago.ResourceType, name string) ([]kafkago.DescribeConfigResponseConfigEntry, error) {
	if !c.knows(protocol.DescribeConfigs) {
		return nil, fmt.Errorf("%w: settings can be read from Kafka 0.11 on", ErrUnsupported)
	}
	var entries []kafkago.DescribeConfigResponseConfigEntry
	err := c.repeat(ctx, whileAgainKnown, func(ctx context.Context) error {
		answer, err := c.client.DescribeConfigs(ctx, &kafkago.DescribeConfigsRequest{
			Resources: []kafkago.DescribeConfigRequestResource{{ResourceType: kind, ResourceName: name}},
		})
		switch {
		case err != nil:
			return err
		case len(answer.Resources) != 1:
			return errors.New("the answer is not about what was asked for")
		}
		entries = answer.Resources[0].ConfigEntries
		return answer.Resources[0].Error
	})
	return entries, err
}

// MaxMessageBytes gives the largest batch that a topic takes, in bytes.
func (c *Client) MaxMessageBytes(ctx context.Context, topic string) (int, error) {
	all, _, err := c.TopicSettings(ctx, topic)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(all["max.message.bytes"])
	if err != nil {
		return 0, fmt.Errorf("read settings of topic %s: max.message.bytes is %q, want a number", topic, all["max.message.bytes"])
	}
	return n, nil
}
