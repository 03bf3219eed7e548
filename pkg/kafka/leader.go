package kafka

import (
	"context"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
)

// route chooses the broker of an exchange.
type route func(protocol.Cluster) (protocol.Broker, error)

// anyBroker routes to the bootstrap connection.
func anyBroker(protocol.Cluster) (protocol.Broker, error) { return protocol.Broker{ID: -1}, nil }

// toBroker routes to a broker by its id.
func toBroker(id int32) route {
	return func(protocol.Cluster) (protocol.Broker, error) { return protocol.Broker{ID: id}, nil }
}

// toLeader runs an exchange with the leader of a partition, once.
//
// kafka-go knows the topics that there were up to MetadataTTL ago, and of them
// those that the user may see. One that it has not heard of is asked for by
// name: a broker says where its leader is, or what is wrong.
func (c *Client) toLeader(ctx context.Context, key protocol.ApiKey, topic string, partition int32, talk func(io.ReadWriter, int16) error) error {
	via := func(to route) error { return c.roundTrip(ctx, &exchange{key: key, broker: to, talk: talk}) }
	err := via(leaderOf(topic, partition))
	if !unheard(err) {
		return err
	}
	leader, err := c.askLeader(ctx, topic, partition)
	if err != nil {
		return err
	}
	return via(toBroker(leader))
}

// leaderOf routes to the leader of a partition as kafka-go knows it.
func leaderOf(topic string, partition int32) route {
	none := protocol.Broker{ID: -1}
	return func(cluster protocol.Cluster) (protocol.Broker, error) {
		t, ok := cluster.Topics[topic]
		if !ok {
			return none, protocol.NewErrNoTopic(topic)
		}
		p, ok := t.Partitions[partition]
		if !ok {
			return none, protocol.NewErrNoPartition(topic, partition)
		}
		b, ok := cluster.Brokers[p.Leader]
		if !ok {
			return none, protocol.NewErrNoLeader(topic, partition)
		}
		return b, nil
	}
}

// askLeader gives the id of the broker that leads a partition now.
func (c *Client) askLeader(ctx context.Context, topic string, partition int32) (int32, error) {
	answers, err := c.describeOnce(ctx, []string{topic})
	if err != nil {
		return -1, err
	}
	if len(answers) != 1 {
		return -1, protocol.NewErrNoTopic(topic)
	}
	if err := answers[0].err; err != nil {
		return -1, err
	}
	partitions := answers[0].topic.Partitions
	i := slices.IndexFunc(partitions, func(p Partition) bool { return p.ID == partition })
	if i < 0 {
		return -1, protocol.NewErrNoPartition(topic, partition)
	}
	if partitions[i].Leader < 0 {
		return -1, protocol.NewErrNoLeader(topic, partition)
	}
	return partitions[i].Leader, nil
}
