package kafka

import (
	"context"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// CheckCreate asks the cluster whether it would create a topic, and creates
// nothing: the user's rights, the settings, the number of replicas and the
// administrator's policy are looked at. [ErrUnsupported] before 0.10.2.
func (c *Client) CheckCreate(ctx context.Context, spec TopicSpec) error {
	if c.versions[protocol.CreateTopics] < 1 {
		return fmt.Errorf("check whether topic %s could be created: %w", spec.Name, ErrUnsupported)
	}
	config, err := c.topicConfig(ctx, spec)
	if err == nil {
		err = c.repeat(ctx, whileAgain, func(ctx context.Context) error {
			answer, err := c.client.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{config}, ValidateOnly: true})
			if err != nil {
				return err
			}
			return answer.Errors[spec.Name]
		})
	}
	if err != nil {
		return fmt.Errorf("check whether topic %s could be created with %d partitions: %w", spec.Name, spec.Partitions, err)
	}
	return nil
}
