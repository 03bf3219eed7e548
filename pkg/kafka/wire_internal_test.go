package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func TestReadFrame(t *testing.T) {
	t.Parallel()
	frame := func(n int) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(n)), bytes.Repeat([]byte("x"), n)...)
	}

	t.Run("reads frames of any size, however they arrive", func(t *testing.T) {
		t.Parallel()
		for _, n := range []int{4, 5, firstRead - 1, firstRead, firstRead + 1, 5*firstRead + 7} {
			for _, buf := range [][]byte{nil, make([]byte, 0, 100), make([]byte, 10, 8*firstRead)} {
				got, err := readFrame(iotest.HalfReader(bytes.NewReader(frame(n))), buf)
				if err != nil || !bytes.Equal(got, frame(n)[4:]) {
					t.Errorf("%d bytes, error %v, want %d", len(got), err, n)
				}
				if cap(buf) >= n && &got[0] != &buf[:1][0] {
					t.Errorf("%d bytes were read into new memory", n)
				}
			}
		}
	})

	for _, n := range []int{-1, 0, 3, maxFrame + 1, 1 << 30} {
		t.Run(fmt.Sprint("refuses a length of ", n), func(t *testing.T) {
			t.Parallel()
			head := binary.BigEndian.AppendUint32(nil, uint32(int32(n)))
			if _, err := readFrame(bytes.NewReader(append(head, 1, 2, 3, 4)), nil); err == nil || !strings.Contains(err.Error(), "not a Kafka broker") {
				t.Errorf("error %v", err)
			}
		})
	}

	t.Run("tells a closed connection from a broken answer", func(t *testing.T) {
		t.Parallel()
		for n, want := range map[int]error{0: io.EOF, 3: io.ErrUnexpectedEOF, 4: io.ErrUnexpectedEOF, 9: io.ErrUnexpectedEOF} {
			if _, err := readFrame(bytes.NewReader(frame(10)[:n]), nil); !errors.Is(err, want) || !Retriable(err) {
				t.Errorf("error %v after %d bytes, want %v", err, n, want)
			}
		}
	})
}

func TestResponse(t *testing.T) {
	t.Parallel()
	t.Run("gives zero after the first error, and keeps that", func(t *testing.T) {
		t.Parallel()
		r := &response{b: []byte{0, 0, 0}}
		if r.int32(); !errors.Is(r.err, errShortResponse) {
			t.Errorf("error %v", r.err)
		}
		r.fail(io.EOF)
		if r.int16() != 0 || r.int64() != 0 || r.bool() || r.string() != "" || r.compactString() != "" || r.array() != 0 || r.compactArray() != 0 || r.uvarint() != 0 {
			t.Error("something was read after an error")
		}
		if !errors.Is(r.err, errShortResponse) {
			t.Errorf("error %v, want the first", r.err)
		}
	})

	t.Run("knows an answer to another request", func(t *testing.T) {
		t.Parallel()
		if r := newResponse([]byte{0, 0, 0, 7}, 1); r.err == nil || r.err.Error() != "answer to request 7, want 1" {
			t.Errorf("error %v", r.err)
		}
	})
}

// TestRequestsAreAsKmsgReadsThem checks the requests of this package against an
// implementation of the protocol that is not ours.
func TestRequestsAreAsKmsgReadsThem(t *testing.T) {
	t.Parallel()
	c := &Client{config: Config{ClientID: "client", RequestTimeout: 8e9}}

	for version := int16(2); version <= 11; version++ {
		t.Run(fmt.Sprint("Fetch ", version), func(t *testing.T) {
			t.Parallel()
			var got kmsg.FetchRequest
			parseRequest(t, c.fetchRequest(FetchRequest{Topic: "t", Partition: 3, Offset: 1 << 40, MaxBytes: 5, MinBytes: 6, MaxWait: 7e6, ReadCommitted: true}, version), version, &got)
			want := kmsg.NewFetchRequest()
			want.Version, want.ReplicaID, want.MaxWaitMillis, want.MinBytes = version, -1, 7, 6
			want.SessionEpoch = -1
			if version >= 4 {
				want.IsolationLevel = 1
			}
			topic, partition := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
			partition.Partition, partition.FetchOffset, partition.PartitionMaxBytes = 3, 1<<40, 5
			topic.Topic, topic.Partitions = "t", []kmsg.FetchRequestTopicPartition{partition}
			want.Topics = []kmsg.FetchRequestTopic{topic}
			if diff := cmp.Diff(want.AppendTo(nil), got.AppendTo(nil)); diff != "" {
				t.Errorf("request (-want +got):\n%+v\n%+v\n%s", want, got, diff)
			}
		})
	}

	t.Run("OffsetFetch 7", func(t *testing.T) {
		t.Parallel()
		for topic, wanted := range map[string][]kmsg.OffsetFetchRequestTopic{"": nil, "t": {{Topic: "t", Partitions: []int32{3, 4}}}} {
			var topics map[string][]int32
			if topic != "" {
				topics = map[string][]int32{topic: {3, 4}}
			}
			var got kmsg.OffsetFetchRequest
			parseRequest(t, c.stableRequest("g", topics), stableVersion, &got)
			want := kmsg.OffsetFetchRequest{Version: stableVersion, Group: "g", RequireStable: true, Topics: wanted}
			if diff := cmp.Diff(want.AppendTo(nil), got.AppendTo(nil)); diff != "" {
				t.Errorf("request (-want +got):\n%+v\n%+v\n%s", want, got, diff)
			}
		}
	})

	for version := int16(0); version <= groupStatesVersion; version++ {
		t.Run(fmt.Sprint("ListGroups ", version), func(t *testing.T) {
			t.Parallel()
			var got kmsg.ListGroupsRequest
			parseRequest(t, c.groupsRequest(version), version, &got)
			want := kmsg.ListGroupsRequest{Version: version}
			if diff := cmp.Diff(want.AppendTo(nil), got.AppendTo(nil)); diff != "" {
				t.Errorf("request (-want +got):\n%+v\n%+v\n%s", want, got, diff)
			}
		})
	}

	t.Run("IncrementalAlterConfigs 0", func(t *testing.T) {
		t.Parallel()
		var got kmsg.IncrementalAlterConfigsRequest
		parseRequest(t, c.alterRequest("t", map[string]string{"b": "2", "a": ""}, []string{"c"}), 0, &got)
		empty, two := "", "2"
		want := kmsg.IncrementalAlterConfigsRequest{Resources: []kmsg.IncrementalAlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "t",
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{
				{Name: "a", Op: kmsg.IncrementalAlterConfigOpSet, Value: &empty},
				{Name: "b", Op: kmsg.IncrementalAlterConfigOpSet, Value: &two},
				{Name: "c", Op: kmsg.IncrementalAlterConfigOpDelete},
			},
		}}}
		if diff := cmp.Diff(want.AppendTo(nil), got.AppendTo(nil)); diff != "" {
			t.Errorf("request (-want +got):\n%+v\n%+v\n%s", want, got, diff)
		}
	})

	t.Run("ConsumerGroupDescribe 0", func(t *testing.T) {
		t.Parallel()
		var got kmsg.ConsumerGroupDescribeRequest
		parseRequest(t, c.consumerGroupRequest("g"), 0, &got)
		want := kmsg.ConsumerGroupDescribeRequest{Groups: []string{"g"}}
		if diff := cmp.Diff(want.AppendTo(nil), got.AppendTo(nil)); diff != "" {
			t.Errorf("request (-want +got):\n%+v\n%+v\n%s", want, got, diff)
		}
	})

	t.Run("Metadata 10", func(t *testing.T) {
		t.Parallel()
		for _, names := range [][]string{nil, {}, {"t", "u"}} {
			var got kmsg.MetadataRequest
			parseRequest(t, c.metadataRequest(names), metadataVersion, &got)
			want := kmsg.MetadataRequest{Version: metadataVersion}
			if names != nil {
				want.Topics = []kmsg.MetadataRequestTopic{}
			}
			for _, name := range names {
				want.Topics = append(want.Topics, kmsg.MetadataRequestTopic{Topic: &name})
			}
			if diff := cmp.Diff(want.AppendTo(nil), got.AppendTo(nil)); diff != "" {
				t.Errorf("request (-want +got):\n%+v\n%+v\n%s", want, got, diff)
			}
		}
	})

	for version := int16(3); version <= 8; version++ {
		t.Run(fmt.Sprint("Produce ", version), func(t *testing.T) {
			t.Parallel()
			var sent bytes.Buffer
			p := &produce{c: c, topic: "t", partition: 3, transactionalID: "id", batches: []batch.Batch{batch.Batch("batch")}}
			if err := p.send(&sent, version, 0); err != nil {
				t.Fatal(err)
			}
			var got kmsg.ProduceRequest
			parseRequest(t, sent.Bytes(), version, &got)
			id := "id"
			partition := kmsg.ProduceRequestTopicPartition{Partition: 3, Records: []byte("batch")}
			want := kmsg.ProduceRequest{Version: version, TransactionID: &id, Acks: -1, TimeoutMillis: 4000,
				Topics: []kmsg.ProduceRequestTopic{{Topic: "t", Partitions: []kmsg.ProduceRequestTopicPartition{partition}}}}
			if diff := cmp.Diff(want.AppendTo(nil), got.AppendTo(nil)); diff != "" {
				t.Errorf("request (-want +got):\n%+v\n%+v\n%s", want, got, diff)
			}
		})
	}
}

// parseRequest reads a request with its length and header.
func parseRequest(t *testing.T, frame []byte, version int16, into kmsg.Request) {
	t.Helper()
	into.SetVersion(version)
	r := &response{b: frame}
	if n := int(r.int32()); n != len(r.b) {
		t.Fatalf("the length is %d, of %d bytes", n, len(r.b))
	}
	if key, got := r.int16(), r.int16(); key != into.Key() || got != version {
		t.Fatalf("API %d version %d, want %d and %d", key, got, into.Key(), version)
	}
	r.int32()
	if id := r.string(); id != "client" {
		t.Fatalf("client id %q", id)
	}
	if into.IsFlexible() {
		r.skipTags()
	}
	if err := into.ReadFrom(r.b); err != nil || r.err != nil {
		t.Fatal(err)
	}
	if got := into.AppendTo(nil); !bytes.Equal(got, r.b) { // nothing is left over
		t.Fatalf("the request is %x, of which %x was read", r.b, got)
	}
}

// allocated gives the bytes that a call allocates.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
