package kafka

import (
	"context"
	"fmt"
	"strconv"

	kafkago "github.com/segmentio/kafka-go"
)

// BrokerSettings gives the settings in force on a broker. [ErrAuthorization]
// where the user has no DESCRIBE_CONFIGS on the cluster, [ErrUnsupported]
// where the brokers are older than 0.11.
func (c *Client) BrokerSettings(ctx context.Context, broker int32) (map[string]string, error) {
	entries, err := c.describeConfigs(ctx, kafkago.ResourceTypeBroker, strconv.Itoa(int(broker)))
	if err != nil {
		return nil, fmt.Errorf("read settings of broker %d: %w", broker, err)
	}
	settings := make(map[string]string, len(entries))
	for _, entry := range entries {
		settings[entry.ConfigName] = entry.ConfigValue
	}
	return settings, nil
}
