package kafka

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// Cluster is what one broker says of its cluster.
type Cluster struct {
	ID         string
	Controller int32 // broker id; -1 while there is none. KRaft clusters name any broker
	Brokers    []Broker
	Operations Operations // on the cluster itself
	Topics     []TopicHealth
}

// Broker is a broker under the address that clients are told to connect to.
type Broker struct {
	ID      int32
	Address string // host:port of its advertised listener
	Rack    string
}

// TopicHealth is a topic with the state of its replicas.
type TopicHealth struct {
	Name       string
	Err        error // why there is no more: [ErrUnknownTopic], [ErrAuthorization]
	Operations Operations
	Partitions []PartitionHealth // in order of their number
}

// PartitionHealth is one partition with its replicas.
type PartitionHealth struct {
	ID               int32
	Leader           int32 // -1: none, the partition is offline
	Replicas, InSync int   // how many there are, and how many have all records
}

// Cluster describes the cluster and the named topics, with what the user may
// do. Topics that cannot be described are in the answer with their error.
func (c *Client) Cluster(ctx context.Context, topics ...string) (Cluster, error) {
	var cluster Cluster
	err := c.repeat(ctx, whileAgain, func(ctx context.Context) (err error) {
		cluster, err = c.clusterOnce(ctx, topics)
		return err
	})
	if err != nil {
		return Cluster{}, fmt.Errorf("describe the cluster: %w", err)
	}
	return cluster, nil
}

// operationsVersion is the one Metadata version that kafka-go has and that
// tells operations of topics and of the cluster (8 to 10, KIP-430).
const operationsVersion = 8

func (c *Client) clusterOnce(ctx context.Context, topics []string) (Cluster, error) {
	request := &metadata.Request{
		TopicNames:                         append([]string{}, topics...), // nil asks for all
		IncludeClusterAuthorizedOperations: true, IncludeTopicAuthorizedOperations: true,
	}
	version := min(c.versions[protocol.Metadata], operationsVersion)
	if version < noCreationVersion {
		request.TopicNames = nil
	}
	var answer *metadata.Response
	talk := func(conn io.ReadWriter, _ int16) error {
		message, err := protocol.RoundTrip(conn, version, metadataCorrelation, c.config.ClientID, request)
		if err == nil {
			answer = message.(*metadata.Response)
		}
		return err
	}
	if err := c.roundTrip(ctx, &exchange{key: protocol.Metadata, broker: anyBroker, talk: talk}); err != nil {
		return Cluster{}, err
	}
	if version < operationsVersion {
		answer.ClusterAuthorizedOperations = operationsUnknown
	}
	cluster := Cluster{ID: answer.ClusterID, Controller: answer.ControllerID, Operations: newOperations(answer.ClusterAuthorizedOperations)}
	for _, b := range answer.Brokers {
		address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		cluster.Brokers = append(cluster.Brokers, Broker{ID: b.NodeID, Address: address, Rack: b.Rack})
	}
	slices.SortFunc(cluster.Brokers, func(a, b Broker) int { return cmp.Compare(a.ID, b.ID) })
	if version < noCreationVersion {
		nameOf := func(t metadata.ResponseTopic) string { return t.Name }
		answer.Topics = only(answer.Topics, topics, nameOf, func(name string) metadata.ResponseTopic {
			return metadata.ResponseTopic{Name: name, ErrorCode: unknownTopicCode}
		})
	}
	for _, t := range answer.Topics {
		if version < operationsVersion {
			t.TopicAuthorizedOperations = operationsUnknown
		}
		cluster.Topics = append(cluster.Topics, topicHealth(t))
	}
	return cluster, nil
}

func topicHealth(t metadata.ResponseTopic) TopicHealth {
	health := TopicHealth{Name: t.Name, Err: codeError(t.ErrorCode), Operations: newOperations(t.TopicAuthorizedOperations)}
	for _, p := range t.Partitions {
		health.Partitions = append(health.Partitions, PartitionHealth{
			ID: p.PartitionIndex, Leader: p.LeaderID, Replicas: len(p.ReplicaNodes), InSync: len(p.IsrNodes),
		})
	}
	slices.SortFunc(health.Partitions, func(a, b PartitionHealth) int { return cmp.Compare(a.ID, b.ID) })
	return health
}
