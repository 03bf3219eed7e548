package kafka

import (
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

const (
	metadataVersion     = 10 // the first with topic ids; kafka-go stops at 8
	metadataCorrelation = 1
)

func (c *Client) metadataRequest(names []string) []byte {
	r := newRequest(nil, int16(protocol.Metadata), metadataVersion, metadataCorrelation, c.config.ClientID)
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
func parseMetadata(frame []byte) ([]described, error) {
	r := newResponse(frame, metadataCorrelation)
	r.skipTags()
	r.int32() // throttle
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		r.int32()
		r.skipCompactString()
		r.int32()
		r.skipCompactString()
		r.skipTags()
	}
	r.skipCompactString() // cluster id
	r.int32()             // controller
	var answers []described
	for n := r.compactArray(); n > 0 && r.err == nil; n-- {
		err := codeError(r.int16())
		t := Topic{Name: r.compactString()}
		copy(t.ID[:], r.take(len(t.ID)))
		t.Internal = r.bool()
		t.Partitions = parsePartitions(r)
		r.int32() // authorized operations
		r.skipTags()
		answers = append(answers, described{topic: t, err: err})
	}
	if r.err != nil {
		return nil, r.err
	}
	return answers, nil
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
	sortPartitions(partitions)
	return partitions
}

func sortPartitions(partitions []Partition) {
	slices.SortFunc(partitions, func(a, b Partition) int { return int(a.ID) - int(b.ID) })
}

// describeOld asks a broker before 2.8, with kafka-go's own codec: it has no
// topic ids, and leader epochs from version 7 on.
func describeOld(conn io.ReadWriter, version int16, clientID string, names []string) ([]described, error) {
	request := &metadata.Request{TopicNames: names}
	if version < noCreationVersion {
		request.TopicNames = nil
	}
	message, err := protocol.RoundTrip(conn, version, metadataCorrelation, clientID, request)
	if err != nil {
		return nil, err
	}
	var answers []described
	for _, t := range message.(*metadata.Response).Topics {
		topic := Topic{Name: t.Name, Internal: t.IsInternal}
		for _, p := range t.Partitions {
			partition := Partition{ID: p.PartitionIndex, Leader: p.LeaderID, LeaderEpoch: p.LeaderEpoch, Replicas: len(p.ReplicaNodes)}
			if version < 7 {
				partition.LeaderEpoch = -1
			}
			topic.Partitions = append(topic.Partitions, partition)
		}
		sortPartitions(topic.Partitions)
		answers = append(answers, described{topic: topic, err: codeError(t.ErrorCode)})
	}
	if version < noCreationVersion && names != nil {
		return only(answers, names, func(d described) string { return d.topic.Name }, func(name string) described {
			return described{topic: Topic{Name: name}, err: codeError(unknownTopicCode)}
		}), nil
	}
	return answers, nil
}

// noCreationVersion is the first of Metadata in which a request can say that a
// topic must not be created (Kafka 0.11). Older brokers create one that they
// are asked for by name, unless auto.create.topics.enable is off: they are
// asked for all topics.
const noCreationVersion = 4

const unknownTopicCode = 3 // UNKNOWN_TOPIC_OR_PARTITION

// only gives the answers for the named topics, as a broker would that was asked
// for them by name; missing makes that of a topic which it does not have.
func only[T any](answers []T, names []string, nameOf func(T) string, missing func(name string) T) []T {
	named := make([]T, 0, len(names))
	for _, name := range names {
		if i := slices.IndexFunc(answers, func(t T) bool { return nameOf(t) == name }); i >= 0 {
			named = append(named, answers[i])
		} else {
			named = append(named, missing(name))
		}
	}
	return named
}
