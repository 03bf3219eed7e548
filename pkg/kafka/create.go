package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// TopicSpec is a topic to be created.
type TopicSpec struct {
	Name        string
	Partitions  int               // at least 1
	Replication int               // 0: the broker's default.replication.factor
	Settings    map[string]string // topic configs, as in `kafka-configs --alter`
}

// CreateTopic creates a topic and waits until this client can use it.
// [ErrTopicExists] where there is one of that name, whatever its settings.
func (c *Client) CreateTopic(ctx context.Context, spec TopicSpec) error {
	err := c.createTopic(ctx, spec)
	// a broker that has run out of time has begun, and goes on by itself
	begun := errors.Is(err, kafkago.RequestTimedOut)
	if err != nil && !begun {
		return fmt.Errorf("create topic %s with %d partitions: %w", spec.Name, spec.Partitions, err)
	}
	if leaderless := c.awaitLeaders(ctx, spec.Name, 0, spec.Partitions, !begun); leaderless != nil {
		err := errors.Join(err, leaderless)
		return fmt.Errorf("await the leaders of new topic %s: %w", spec.Name, err)
	}
	return nil
}

func (c *Client) createTopic(ctx context.Context, spec TopicSpec) error {
	config, err := c.topicConfig(ctx, spec)
	if err != nil {
		return err
	}
	// a lost answer is not asked for again: it would say that the topic exists
	return c.repeat(ctx, whileAnswered, func(ctx context.Context) error {
		answer, err := c.client.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{config}})
		if err != nil {
			return err
		}
		return answer.Errors[spec.Name]
	})
}

// topicConfig is the specification in kafka-go's words.
func (c *Client) topicConfig(ctx context.Context, spec TopicSpec) (kafkago.TopicConfig, error) {
	replication, err := c.replication(ctx, spec)
	if err != nil {
		return kafkago.TopicConfig{}, err
	}
	config := kafkago.TopicConfig{Topic: spec.Name, NumPartitions: spec.Partitions, ReplicationFactor: replication}
	for key, value := range spec.Settings {
		config.ConfigEntries = append(config.ConfigEntries, kafkago.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	return config, nil
}

const (
	defaultReplication           = -1
	createTopicsWithDefaults     = 4 // the first version in which -1 is the broker's default (KIP-464, 2.4)
	defaultReplicationFactorName = "default.replication.factor"
)

// replication is what to ask for. A broker before 2.4 has to be asked for its
// own default first.
func (c *Client) replication(ctx context.Context, spec TopicSpec) (int, error) {
	switch {
	case spec.Replication != 0:
		return spec.Replication, nil
	case c.versions[protocol.CreateTopics] >= createTopicsWithDefaults:
		return defaultReplication, nil
	}
	var controller string
	err := c.repeat(ctx, whileAgain, func(ctx context.Context) error {
		answer, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{}})
		if err == nil {
			controller = strconv.Itoa(answer.Controller.ID)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	entries, err := c.describeConfigs(ctx, kafkago.ResourceTypeBroker, controller)
	if err != nil {
		return 0, fmt.Errorf("ask broker %s for its %s, because no replication factor is given: %w", controller, defaultReplicationFactorName, err)
	}
	i := slices.IndexFunc(entries, func(e kafkago.DescribeConfigResponseConfigEntry) bool {
		return e.ConfigName == defaultReplicationFactorName
	})
	if i < 0 {
		return 0, fmt.Errorf("broker %s does not tell its %s: give a replication factor", controller, defaultReplicationFactorName)
	}
	return strconv.Atoi(entries[i].ConfigValue)
}

// awaitLeaders returns once every new partition of a topic, from the first to
// before the end, has a leader that answers: creation is asynchronous in Kafka. created
// says that a broker has answered that they are made, so that it is worth waiting.
func (c *Client) awaitLeaders(ctx context.Context, topic string, first, end int, created bool) error {
	var partitions []int32
	for p := first; p < end; p++ {
		partitions = append(partitions, int32(p))
	}
	// why: repeat gives up early on what is unknown; where it has been created, brokers under load may take longer
	for begun := time.Now(); ; {
		err := c.repeat(ctx, whileAgain, func(ctx context.Context) error {
			_, err := c.listOffsetsOnce(ctx, topic, position{Latest, readUncommitted}, partitions)
			return err
		})
		if !created || !errors.Is(err, ErrUnknownTopic) || ctx.Err() != nil || time.Since(begun) > 2*c.config.RequestTimeout {
			return err
		}
	}
}

// DeleteTopic deletes a topic and all its records. Brokers do so a moment
// later: until then it may still be described, or its name be taken.
func (c *Client) DeleteTopic(ctx context.Context, name string) error {
	err := c.repeat(ctx, func(err error) bool { return whileAnswered(err) && whileAgainKnown(err) }, func(ctx context.Context) error {
		answer, err := c.client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: []string{name}})
		if err != nil {
			return err
		}
		return answer.Errors[name]
	})
	if err != nil {
		return fmt.Errorf("delete topic %s: %w", name, err)
	}
	return nil
}
