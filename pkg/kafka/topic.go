package kafka

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
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
	LeaderEpoch int32 // -1 where the broker does not say
	Replicas    int
}

// Topic describes one topic as the cluster knows it at this moment.
// It is [ErrUnknownTopic] where there is none of that name.
func (c *Client) Topic(ctx context.Context, name string) (Topic, error) {
	topics, err := c.describe(ctx, []string{name})
	if err != nil {
		return Topic{}, fmt.Errorf("describe topic %s: %w", name, err)
	}
	if len(topics) != 1 {
		return Topic{}, fmt.Errorf("describe topic %s: %w", name, ErrUnknownTopic)
	}
	return topics[0], nil
}

// Topics describes all topics that the user may see, in order of name.
func (c *Client) Topics(ctx context.Context) ([]Topic, error) {
	topics, err := c.describe(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	return topics, nil
}

const (
	metadataVersion    = 10 // the first with topic ids; kafka-go stops at 8
	metadataVersionOld = 7  // the first with leader epochs
)

// describe asks for the named topics, or all where names is nil. kafka-go
// would answer from its cache, and knows no ids.
func (c *Client) describe(ctx context.Context, names []string) ([]Topic, error) {
	if c.versions[protocol.Metadata] < metadataVersion {
		return c.describeOld(ctx, names)
	}
	ctx, cancel := c.within(ctx, 0)
	defer cancel()
	var topics []Topic
	err := c.roundTrip(ctx, &exchange{key: protocol.Metadata, broker: anyBroker, talk: func(conn io.ReadWriter, _ int16) error {
		if _, err := conn.Write(c.metadataRequest(names)); err != nil {
			return err
		}
		frame, err := readFrame(conn, nil)
		if err != nil {
			return err
		}
		topics, err = parseMetadata(frame)
		return err
	}})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(topics, func(a, b Topic) int { return cmp.Compare(a.Name, b.Name) })
	return topics, nil
}

func (c *Client) metadataRequest(names []string) []byte {
	r := newRequest(nil, int16(protocol.Metadata), metadataVersion, 1, c.config.ClientID)
	r.noTags()
	if names == nil {
		r.uvarint(0)
	} else {
		r.uvarint(uint64(len(names)) + 1)
	}
	for _, name := range names {
		r.b = append(r.b, make([]byte, 16)...) // topic id: none, we ask by name
		r.compactString(name)
		r.noTags()
	}
	r.int8(0) // do not create topics
	r.int8(0) // no authorized operations of the cluster
	r.int8(0) // nor of the topics
	r.noTags()
	return r.finish(0)
}

// parseMetadata reads a Metadata v10 response.
func parseMetadata(frame []byte) ([]Topic, error) {
	r := &response{b: frame}
	r.int32() // correlation id
	r.skipTags()
	r.int32() // throttle
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		r.int32()
		r.compactString()
		r.int32()
		r.compactString()
		r.skipTags()
	}
	r.compactString() // cluster id
	r.int32()         // controller
	var topics []Topic
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		code := r.int16()
		t := Topic{Name: r.compactString()}
		copy(t.ID[:], r.take(len(t.ID)))
		t.Internal = r.bool()
		t.Partitions = parsePartitions(r)
		r.int32() // authorized operations
		r.skipTags()
		if err := codeError(code); err != nil && r.err == nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		topics = append(topics, t)
	}
	return topics, r.err
}

func parsePartitions(r *response) []Partition {
	var partitions []Partition
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		r.int16() // a partition without leader has an error and leader -1
		p := Partition{ID: r.int32(), Leader: r.int32(), LeaderEpoch: r.int32()}
		for list := range 3 { // replicas, in sync, offline
			count := r.compactArray()
			if list == 0 {
				p.Replicas = count
			}
			r.take(4 * count)
		}
		r.skipTags()
		partitions = append(partitions, p)
	}
	slices.SortFunc(partitions, func(a, b Partition) int { return int(a.ID) - int(b.ID) })
	return partitions
}

// describeOld is for brokers before 2.8: no ids, and through kafka-go's cache,
// which is MetadataTTL old at most.
func (c *Client) describeOld(ctx context.Context, names []string) ([]Topic, error) {
	ctx, cancel := c.within(ctx, 0)
	defer cancel()
	answer, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: names})
	if err != nil {
		return nil, translate(err)
	}
	var topics []Topic
	for _, t := range answer.Topics {
		if t.Error != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, translate(t.Error))
		}
		topic := Topic{Name: t.Name, Internal: t.Internal}
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, Partition{ID: int32(p.ID), Leader: int32(p.Leader.ID), LeaderEpoch: -1, Replicas: len(p.Replicas)})
		}
		topics = append(topics, topic)
	}
	return topics, nil
}

// TopicSpec is a topic to be created.
type TopicSpec struct {
	Name        string
	Partitions  int               // at least 1
	Replication int               // 0: the broker's default (from 2.4)
	Settings    map[string]string // topic configs, as in `kafka-configs --alter`
}

// CreateTopic creates a topic and waits until this client can use it.
// [ErrTopicExists] where there is one of that name, whatever its settings.
func (c *Client) CreateTopic(ctx context.Context, spec TopicSpec) error {
	ctx, cancel := c.within(ctx, 0)
	defer cancel()
	config := kafkago.TopicConfig{Topic: spec.Name, NumPartitions: spec.Partitions, ReplicationFactor: spec.Replication}
	if spec.Replication == 0 {
		config.ReplicationFactor = -1
	}
	for key, value := range spec.Settings {
		config.ConfigEntries = append(config.ConfigEntries, kafkago.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	answer, err := c.client.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{config}})
	if err == nil {
		err = answer.Errors[spec.Name]
	}
	if err != nil {
		return fmt.Errorf("create topic %s with %d partitions: %w", spec.Name, spec.Partitions, translate(err))
	}
	return c.awaitLeaders(ctx, spec)
}

// awaitLeaders polls until every partition of a new topic has a leader and the
// transport knows it: creation is asynchronous in Kafka.
func (c *Client) awaitLeaders(ctx context.Context, spec TopicSpec) error {
	for {
		partitions := make([]int32, spec.Partitions)
		for i := range partitions {
			partitions[i] = int32(i)
		}
		_, err := c.Offsets(ctx, spec.Name, Latest, partitions...)
		if err == nil {
			return nil
		}
		if !Retriable(err) {
			return fmt.Errorf("await the leaders of topic %s: %w", spec.Name, err)
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return fmt.Errorf("await the leaders of topic %s: %w", spec.Name, err)
		}
	}
}

// DeleteTopic deletes a topic and all its records.
func (c *Client) DeleteTopic(ctx context.Context, name string) error {
	ctx, cancel := c.within(ctx, 0)
	defer cancel()
	answer, err := c.client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: []string{name}})
	if err == nil {
		err = answer.Errors[name]
	}
	if err != nil {
		return fmt.Errorf("delete topic %s: %w", name, translate(err))
	}
	return nil
}

// topicConfigSource is DYNAMIC_TOPIC_CONFIG: set on the topic itself (KIP-226).
const topicConfigSource = 1

// TopicSettings gives the settings in force on a topic, and the part of them
// that was set on the topic itself and is not a default of the broker.
func (c *Client) TopicSettings(ctx context.Context, name string) (all, own map[string]string, err error) {
	ctx, cancel := c.within(ctx, 0)
	defer cancel()
	answer, err := c.client.DescribeConfigs(ctx, &kafkago.DescribeConfigsRequest{
		Resources: []kafkago.DescribeConfigRequestResource{{ResourceType: kafkago.ResourceTypeTopic, ResourceName: name}},
	})
	if err == nil && len(answer.Resources) == 1 {
		err = answer.Resources[0].Error
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read settings of topic %s: %w", name, translate(err))
	}
	all, own = map[string]string{}, map[string]string{}
	for _, resource := range answer.Resources {
		for _, entry := range resource.ConfigEntries {
			all[entry.ConfigName] = entry.ConfigValue
			if entry.ConfigSource == topicConfigSource {
				own[entry.ConfigName] = entry.ConfigValue
			}
		}
	}
	return all, own, nil
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

// pause waits, or less where ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
