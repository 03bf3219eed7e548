package kafka

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// What a broker sends is not ours to trust: no bytes may panic, hang, or take
// more memory than they are worth.

// perByte bounds what parsing may allocate for a byte of input. The most is a
// described topic of 64 bytes with an error of 24, and growth doubles it.
const perByte = 64

func FuzzParseFetch(f *testing.F) {
	for version := int16(2); version <= 11; version++ {
		f.Add(fetchSeed(version), version)
	}
	f.Fuzz(func(t *testing.T, frame []byte, version int16) {
		if version < 2 || version > 11 {
			return
		}
		answer, refused, err := parseFetch(frame, version)
		if err != nil && (refused != nil || answer.Batches != nil) {
			t.Error("an answer that makes no sense was used")
		}
		if need := 16*len(answer.Aborted) + len(answer.Batches); need > len(frame) {
			t.Errorf("%d bytes of answer in a frame of %d", need, len(frame))
		}
		for range answer.Visible(true) { // no panic, no endless loop
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	f.Add(metadataSeed())
	f.Fuzz(func(t *testing.T, frame []byte) {
		answers, err := parseMetadata(frame)
		if err != nil {
			if answers != nil {
				t.Error("an answer that makes no sense was used")
			}
			return
		}
		need := 0
		for _, a := range answers {
			need += 24 + len(a.topic.Name) + 15*len(a.topic.Partitions)
		}
		if need > len(frame) {
			t.Errorf("%d bytes of answer in a frame of %d", need, len(frame))
		}
	})
}

func FuzzProduceReceive(f *testing.F) {
	for version := int16(3); version <= 8; version++ {
		f.Add(framed(produceSeed(version)), version)
	}
	f.Fuzz(func(t *testing.T, stream []byte, version int16) {
		if version < 3 || version > 8 {
			return
		}
		p := &produce{batches: []batch.Batch{{}}}
		err := p.receive(bytes.NewReader(stream), version, 0)
		if (err == nil) != (len(p.offsets) == 1) || err != nil && p.refused != nil {
			t.Errorf("error %v, refused %v, offsets %v", err, p.refused, p.offsets)
		}
		if cap(p.frame) > firstRead && cap(p.frame) > 2*len(stream) {
			t.Errorf("%d bytes of memory for %d of input", cap(p.frame), len(stream))
		}
	})
}

func FuzzParseGroups(f *testing.F) {
	for version := int16(0); version <= groupStatesVersion; version++ {
		f.Add(groupsSeed(version), version)
	}
	f.Fuzz(func(t *testing.T, frame []byte, version int16) {
		if version < 0 || version > groupStatesVersion {
			return
		}
		groups, refused, err := parseGroups(frame, version)
		if err != nil && (groups != nil || refused != nil) {
			t.Error("an answer that makes no sense was used")
		}
		need := 0
		for _, g := range groups {
			need += 3 + len(g.ID) + len(g.ProtocolType) + len(g.state)
		}
		if need > len(frame) {
			t.Errorf("%d bytes of answer in a frame of %d", need, len(frame))
		}
	})
}

func FuzzParseConsumerGroup(f *testing.F) {
	f.Add(consumerGroupSeed())
	f.Fuzz(func(t *testing.T, frame []byte) {
		group, refused, err := parseConsumerGroup(frame, "g")
		if (err != nil || refused != nil) && (group.State != "" || group.Members != nil) {
			t.Error("an answer that makes no sense, or a refusal, was used")
		}
		need := len(group.State)
		for _, m := range group.Members {
			need += 16 + len(m.ID) + len(m.ClientID) + len(m.Host) + assignedBytes(m.Assigned)
		}
		if need > len(frame) {
			t.Errorf("%d bytes of answer in a frame of %d", need, len(frame))
		}
	})
}

func FuzzParseAssignment(f *testing.F) {
	f.Add([]byte("\x00\x03\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		assigned, err := parseAssignment(b)
		if err != nil && assigned != nil {
			t.Error("an assignment that makes no sense was used")
		}
		if need := assignedBytes(assigned); need > len(b) {
			t.Errorf("%d bytes of assignment in %d", need, len(b))
		}
	})
}

func FuzzParseAltered(f *testing.F) {
	f.Add(alteredSeed())
	f.Fuzz(func(t *testing.T, frame []byte) {
		refused, err := parseAltered(frame, "t")
		if err != nil && refused != nil {
			t.Error("an answer that makes no sense was used")
		}
	})
}

func FuzzParseChecked(f *testing.F) {
	for version := int16(checkVersion); version <= checkVersionLast; version++ {
		f.Add(checkedSeed(version), version)
	}
	f.Fuzz(func(t *testing.T, frame []byte, version int16) {
		refused, err := parseChecked(frame, "t", version)
		if err != nil && refused != nil {
			t.Error("an answer that makes no sense was used")
		}
	})
}

// assignedBytes is the least that an assignment takes on the wire.
func assignedBytes(assigned map[string][]int32) int {
	need := 0
	for topic, partitions := range assigned {
		need += len(topic) + 4*len(partitions)
	}
	return need
}

// FuzzResponse reads fields of all kinds, in an order that the fuzzer chooses.
func FuzzResponse(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, metadataSeed())
	f.Fuzz(func(t *testing.T, fields, frame []byte) {
		r := &response{b: frame}
		for _, field := range fields {
			before, failed := len(r.b), r.err
			n := readField(r, field%14)
			if n > before || len(r.b) > before || r.err != nil && len(r.b) > 0 {
				t.Fatalf("field %d gives %d bytes of %d, error %v", field%14, n, before, r.err)
			}
			if failed != nil && (n > 0 || r.err != failed) {
				t.Fatalf("field %d was read after an error", field%14)
			}
		}
	})
}

// readField gives the bytes, or elements of at least one byte, that were read.
func readField(r *response, field byte) int {
	switch field {
	case 0:
		r.int16()
	case 1:
		r.int32()
	case 2:
		r.int64()
	case 3:
		r.bool()
	case 4:
		return len(r.string())
	case 5:
		r.skipString()
	case 6:
		return r.array()
	case 7:
		r.uvarint()
	case 8:
		return r.compactArray()
	case 9:
		return len(r.compactString())
	case 10:
		r.skipCompactString()
	case 11:
		r.skipTags()
	case 12:
		return len(r.take(int(r.int16())))
	case 13:
		return 4 * len(r.int32s(r.array()))
	}
	return 0
}

// Answers as another implementation writes them, without their length.

func fetchSeed(version int16) []byte {
	response := kmsg.NewFetchResponse()
	response.Version = version
	partition := kmsg.NewFetchResponseTopicPartition()
	partition.HighWatermark, partition.LastStableOffset, partition.LogStartOffset = 9, 8, 7
	partition.AbortedTransactions = []kmsg.FetchResponseTopicPartitionAbortedTransaction{{ProducerID: 3, FirstOffset: 4}}
	if version < 4 {
		partition.AbortedTransactions = nil
	}
	records, err := batch.Build(batch.Options{}, []batch.Record{{Value: []byte("value")}})
	if err != nil {
		panic(err) // why: a batch of one record
	}
	partition.RecordBatches = records
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic, topic.Partitions = "t", []kmsg.FetchResponseTopicPartition{partition}
	response.Topics = []kmsg.FetchResponseTopic{topic}
	return response.AppendTo(binary.BigEndian.AppendUint32(nil, fetchCorrelation))
}

func metadataSeed() []byte {
	response := kmsg.NewMetadataResponse()
	response.Version = metadataVersion
	response.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "h", Port: 9092}}
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.TopicID, topic.IsInternal = kmsg.StringPtr("t"), [16]byte{1}, true
	for i := range int32(3) {
		partition := kmsg.NewMetadataResponseTopicPartition()
		partition.Partition, partition.Leader, partition.LeaderEpoch, partition.Replicas = 2-i, 1, 5, []int32{1, 2}
		topic.Partitions = append(topic.Partitions, partition)
	}
	response.Topics = []kmsg.MetadataResponseTopic{topic}
	frame := binary.BigEndian.AppendUint32(nil, metadataCorrelation)
	return response.AppendTo(append(frame, 0)) // no tags in the header
}

func groupsSeed(version int16) []byte {
	response := kmsg.NewListGroupsResponse()
	response.Version = version
	response.Groups = []kmsg.ListGroupsResponseGroup{{Group: "g", ProtocolType: "consumer", GroupState: "Stable"}, {Group: "h"}}
	frame := binary.BigEndian.AppendUint32(nil, groupsCorrelation)
	if response.IsFlexible() {
		frame = append(frame, 0) // no tags in the header
	}
	return response.AppendTo(frame)
}

func consumerGroupSeed() []byte {
	response := kmsg.NewConsumerGroupDescribeResponse()
	group := kmsg.NewConsumerGroupDescribeResponseGroup()
	group.Group, group.State = "g", "Stable"
	member := kmsg.NewConsumerGroupDescribeResponseGroupMember()
	member.MemberID, member.ClientID, member.ClientHost, member.SubscribedTopics = "m", "c", "h", []string{"t"}
	member.Assignment.TopicPartitions = []kmsg.AssignmentTopicPartition{{Topic: "t", Partitions: []int32{0, 1}}}
	member.TargetAssignment.TopicPartitions = []kmsg.AssignmentTopicPartition{{Topic: "t", Partitions: []int32{0}}}
	group.Members = append(group.Members, member)
	response.Groups = append(response.Groups, group)
	return response.AppendTo(append(binary.BigEndian.AppendUint32(nil, consumerGroupCorrelation), 0))
}

func alteredSeed() []byte {
	response := kmsg.NewIncrementalAlterConfigsResponse()
	resource := kmsg.NewIncrementalAlterConfigsResponseResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, "t"
	resource.ErrorCode, resource.ErrorMessage = 40, kmsg.StringPtr("no such setting")
	response.Resources = append(response.Resources, resource)
	return response.AppendTo(binary.BigEndian.AppendUint32(nil, alterCorrelation))
}

func checkedSeed(version int16) []byte {
	response := kmsg.NewCreateTopicsResponse()
	response.Version = version
	topic := kmsg.NewCreateTopicsResponseTopic()
	topic.Topic, topic.ErrorCode, topic.ErrorMessage = "t", 44, kmsg.StringPtr("too few replicas")
	response.Topics = append(response.Topics, topic)
	return response.AppendTo(binary.BigEndian.AppendUint32(nil, checkCorrelation))
}

func produceSeed(version int16) []byte {
	response := kmsg.NewProduceResponse()
	response.Version = version
	partition := kmsg.NewProduceResponseTopicPartition()
	partition.ErrorCode, partition.BaseOffset = 87, 12
	record := kmsg.NewProduceResponseTopicPartitionErrorRecord()
	record.RelativeOffset, record.ErrorMessage = 3, kmsg.StringPtr("no key")
	partition.ErrorRecords = []kmsg.ProduceResponseTopicPartitionErrorRecord{record, record}
	partition.ErrorMessage = kmsg.StringPtr("refused")
	response.Topics = []kmsg.ProduceResponseTopic{{Topic: "t", Partitions: []kmsg.ProduceResponseTopicPartition{partition}}}
	return response.AppendTo(binary.BigEndian.AppendUint32(nil, 0))
}

func framed(answer []byte) []byte {
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer)
}

// TestAnswersAsKmsgWritesThem reads each seed of the fuzzers for what it says,
// and cut short at every byte for what it does not.
func TestAnswersAsKmsgWritesThem(t *testing.T) {
	t.Parallel()
	for version := int16(2); version <= 11; version++ {
		frame := fetchSeed(version)
		answer, refused, err := parseFetch(frame, version)
		if refused != nil || err != nil || answer.HighWatermark != 9 || len(answer.Batches) == 0 {
			t.Errorf("Fetch %d: %+v, %v, %v", version, answer, refused, err)
		}
		if version >= 4 && (answer.LastStable != 8 || len(answer.Aborted) != 1) || version >= 5 && answer.LogStart != 7 {
			t.Errorf("Fetch %d: %+v", version, answer)
		}
		for n := range frame {
			if _, _, err := parseFetch(frame[:n], version); err == nil {
				t.Errorf("Fetch %d: no error after %d of %d bytes", version, n, len(frame))
			}
		}
	}

	frame := metadataSeed()
	answers, err := parseMetadata(frame)
	if err != nil || len(answers) != 1 || answers[0].err != nil || answers[0].topic.ID != (TopicID{1}) || !answers[0].topic.Internal ||
		len(answers[0].topic.Partitions) != 3 || answers[0].topic.Partitions[2] != (Partition{ID: 2, Leader: 1, LeaderEpoch: 5, Replicas: 2}) {
		t.Errorf("Metadata: %+v, %v", answers, err)
	}
	for n := range len(frame) - 5 { // after it the cluster's authorized operations, which we do not ask for
		if _, err := parseMetadata(frame[:n]); err == nil && n > 5 {
			t.Errorf("Metadata: no error after %d of %d bytes", n, len(frame))
		}
	}

	for version := int16(0); version <= groupStatesVersion; version++ {
		frame := groupsSeed(version)
		groups, refused, err := parseGroups(frame, version)
		want := []listedGroup{{GroupListing: GroupListing{ID: "g", ProtocolType: "consumer"}}, {GroupListing: GroupListing{ID: "h"}}}
		if version >= groupStatesVersion {
			want[0].state = "Stable"
		}
		if !slices.Equal(groups, want) || refused != nil || err != nil {
			t.Errorf("ListGroups %d: %+v, %v, %v", version, groups, refused, err)
		}
		for n := range frame {
			if _, _, err := parseGroups(frame[:n], version); err == nil {
				t.Errorf("ListGroups %d: no error after %d of %d bytes", version, n, len(frame))
			}
		}
	}

	frame = consumerGroupSeed()
	group, refused, err := parseConsumerGroup(frame, "g")
	want := GroupDescription{State: "Stable", ProtocolType: "consumer", Members: []GroupMember{
		{ID: "m", ClientID: "c", Host: "h", Assigned: map[string][]int32{"t": {0, 1}}},
	}}
	if diff := cmp.Diff(want, group); diff != "" || refused != nil || err != nil {
		t.Errorf("ConsumerGroupDescribe: %v, %v, (-want +got):\n%s", refused, err, diff)
	}
	if _, _, err := parseConsumerGroup(frame, "h"); err == nil {
		t.Error("ConsumerGroupDescribe: no error of an answer about another group")
	}
	for n := range frame {
		if _, _, err := parseConsumerGroup(frame[:n], "g"); err == nil {
			t.Errorf("ConsumerGroupDescribe: no error after %d of %d bytes", n, len(frame))
		}
	}

	frame = alteredSeed()
	if refused, err := parseAltered(frame, "t"); err != nil || refused == nil || !strings.Contains(refused.Error(), "no such setting") {
		t.Errorf("IncrementalAlterConfigs: %v, %v", refused, err)
	}
	for n := range frame {
		if _, err := parseAltered(frame[:n], "t"); err == nil {
			t.Errorf("IncrementalAlterConfigs: no error after %d of %d bytes", n, len(frame))
		}
	}

	for version := int16(checkVersion); version <= checkVersionLast; version++ {
		frame := checkedSeed(version)
		if refused, err := parseChecked(frame, "t", version); err != nil || refused == nil || !strings.Contains(refused.Error(), "too few replicas") {
			t.Errorf("CreateTopics, version %d: %v, %v", version, refused, err)
		}
		for n := range frame {
			if _, err := parseChecked(frame[:n], "t", version); err == nil {
				t.Errorf("CreateTopics, version %d: no error after %d of %d bytes", version, n, len(frame))
			}
		}
	}

	for version := int16(3); version <= 8; version++ {
		p := &produce{batches: []batch.Batch{{}}}
		err := p.receive(bytes.NewReader(framed(produceSeed(version))), version, 0)
		if err != nil || p.refused == nil || p.offsets[0] != 12 {
			t.Errorf("Produce %d: %+v, %v", version, p, err)
		}
	}
	if err := (&produce{}).receive(bytes.NewReader(nil), 8, 0); err != io.EOF {
		t.Errorf("error %v of a closed connection", err)
	}
}

// TestParsingTakesLittleMemory: a hundred thousand elements that are claimed
// are not made, nor are the bytes of a long frame. It is not parallel, because
// memory is counted for the whole process.
func TestParsingTakesLittleMemory(t *testing.T) {
	claim := func(head ...byte) []byte { return append(head, bytes.Repeat([]byte{0xff, 0xff, 0xff, 0x07}, 100)...) }
	for name, test := range map[string]struct {
		parse func()
		most  uint64
	}{
		"a fetch":  {func() { parseFetch(claim(0, 0, 0, fetchCorrelation), 11) }, 404 * perByte},
		"metadata": {func() { parseMetadata(claim(0, 0, 0, metadataCorrelation)) }, 404 * perByte},
		"a produce": {func() {
			(&produce{batches: []batch.Batch{{}}}).receive(bytes.NewReader(framed(claim(0, 0, 0, 0))), 8, 0)
		}, 404 * perByte},
		"a list of groups": {func() { parseGroups(claim(0, 0, 0, groupsCorrelation), groupStatesVersion) }, 404 * perByte},
		"a group":          {func() { parseConsumerGroup(claim(0, 0, 0, consumerGroupCorrelation), "g") }, 404 * perByte},
		"a long frame": {func() {
			readFrame(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, maxFrame), make([]byte, 400)...)), nil)
		}, 2 * firstRead},
	} {
		if got := allocated(test.parse); got > test.most {
			t.Errorf("the answer to %s of 404 bytes takes %d bytes", name, got)
		}
	}
}

func FuzzParseStable(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x02\x02t\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		offsets, refused, err := parseStable(frame)
		if err != nil && (offsets != nil || refused != nil) {
			t.Error("an answer that makes no sense was used")
		}
		need := 0
		for topic, partitions := range offsets {
			need += len(topic) + 20*len(partitions)
		}
		if need > len(frame) {
			t.Errorf("%d bytes of answer in a frame of %d", need, len(frame))
		}
	})
}
