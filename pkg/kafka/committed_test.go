package kafka_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestCommit(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "2.0", "0.10.2"} {
		t.Run("to a broker "+version+" can be read back, offset and metadata", func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version, Topics: map[string]int32{"t": 3}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			want := map[int32]kafka.Committed{0: {Offset: 7, Metadata: "why"}, 1: {Offset: 0}, 2: {Offset: -1}}
			if err := c.Commit(deadline(t), "g", "t", map[int32]kafka.Committed{0: want[0], 1: want[1]}); err != nil {
				t.Fatal(err)
			}
			got, err := c.Committed(deadline(t), "g", "t", 0, 1, 2)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("error %v, committed (-want +got):\n%s", err, diff)
			}
		})
	}

	t.Run("claims no leader epoch, and no time to be kept for", func(t *testing.T) {
		t.Parallel()
		for _, version := range []string{"", "2.0"} {
			cluster := brokers(t, localkafka.Config{Version: version, Topics: map[string]int32{"t": 1}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			requests := make(chan *kmsg.OffsetCommitRequest, 1)
			observe(cluster.Fake(), func(request *kmsg.OffsetCommitRequest) { requests <- request })
			if err := c.Commit(deadline(t), "g", "t", map[int32]kafka.Committed{0: {Offset: 7}}); err != nil {
				t.Fatal(err)
			}
			got := <-requests
			if epoch := got.Topics[0].Partitions[0].LeaderEpoch; epoch != -1 {
				t.Errorf("leader epoch %d, want -1: a consumer would take it for a fact", epoch)
			}
			if got.RetentionTimeMillis != -1 || got.Generation != -1 {
				t.Errorf("retention %d, generation %d, want -1", got.RetentionTimeMillis, got.Generation)
			}
		}
	})

	t.Run("of nothing needs no broker", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		if err := c.Commit(deadline(t), "g", "t", nil); err != nil {
			t.Error(err)
		}
		if got, err := c.Committed(deadline(t), "g", "t"); len(got) != 0 || err != nil {
			t.Errorf("committed %v, error %v", got, err)
		}
	})

	t.Run("waits for a coordinator that loads or moves", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, commitError(14), commitError(15), commitError(16))
		if err := c.Commit(deadline(t), "g", "t", map[int32]kafka.Committed{0: {Offset: 7}}); err != nil {
			t.Error(err)
		}
		refuse(fake, func(request *kmsg.OffsetFetchRequest) kmsg.Response {
			response := request.ResponseKind().(*kmsg.OffsetFetchResponse)
			response.ErrorCode = 14
			return response
		})
		if got, err := c.Committed(deadline(t), "g", "t", 0); got[0].Offset != 7 || err != nil {
			t.Errorf("committed %v, error %v, want 7", got, err)
		}
	})

	t.Run("names the partition that was refused", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, commitError(12)) // OFFSET_METADATA_TOO_LARGE
		err := c.Commit(deadline(t), "g", "t", map[int32]kafka.Committed{0: {Offset: 7}})
		if err == nil || !strings.Contains(err.Error(), "commit offsets of group g, topic t: partition 0: ") {
			t.Errorf("error %v, want one that names group, topic and partition", err)
		}
	})

	t.Run("without an answer for a partition is an error", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, func(request *kmsg.OffsetCommitRequest) kmsg.Response { return request.ResponseKind() })
		refuse(fake, func(request *kmsg.OffsetFetchRequest) kmsg.Response { return request.ResponseKind() })
		if err := c.Commit(deadline(t), "g", "t", map[int32]kafka.Committed{0: {Offset: 7}}); err == nil {
			t.Error("no error")
		}
		if _, err := c.Committed(deadline(t), "g", "t", 0); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("error %v, want ErrUnknownTopic", err)
		}
	})

	t.Run("for a group with members is refused", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		group := join(t, c, kafka.GroupConfig{ID: "g", Topics: []string{"t"}, HeartbeatInterval: 100 * time.Millisecond})
		generation := next(t, group)
		defer generation.Release()
		err := c.Commit(deadline(t), "g", "t", map[int32]kafka.Committed{0: {Offset: 7}})
		if !errors.Is(err, kafka.ErrNotCoordinated) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrNotCoordinated", err)
		}
	})
}

func TestCommittedAll(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "2.4", "0.11.0"} { // kfake's 0.10.2 lacks the version that the real one has
		t.Run("gives what was committed to a broker "+version+", of all topics", func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version, Brokers: 2, Topics: map[string]int32{"t": 3, "u": 1, "untouched": 1}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			want := map[string]map[int32]kafka.Committed{
				"t": {0: {Offset: 7, Metadata: "why"}, 2: {Offset: 0}},
				"u": {0: {Offset: 3}},
			}
			for topic, offsets := range want {
				must(t, c.Commit(deadline(t), "g", topic, offsets))
			}
			got, err := c.CommittedAll(deadline(t), "g")
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("error %v, committed (-want +got):\n%s", err, diff)
			}
			if got, err := c.CommittedAll(deadline(t), "nobody"); got == nil || len(got) != 0 || err != nil {
				t.Errorf("committed %v, error %v of a group that there is not, want nothing", got, err)
			}
		})
	}

	t.Run("waits while a transaction that commits is open, and names the partition", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		hasty := connect(t, kafka.Config{Brokers: cluster.Brokers(), RequestTimeout: 300 * time.Millisecond})
		p := producer(t, c, "id")
		must(t, p.CommitOffsets(deadline(t), "g", "t", committed(3)), p.Commit(deadline(t)), p.CommitOffsets(deadline(t), "g", "t", committed(7)))
		_, err := hasty.CommittedAll(deadline(t), "g")
		if !kafka.Retriable(err) || !strings.HasPrefix(err.Error(), "read all committed offsets of group g: t/0: ") {
			t.Errorf("error %v, want one that says that the offset is not stable", err)
		}
		must(t, p.Commit(deadline(t)))
		if got, err := c.CommittedAll(deadline(t), "g"); err != nil || got["t"][0].Offset != 7 {
			t.Errorf("got %v, %v, want 7", got, err)
		}
	})

	for _, version := range []string{"", "2.4"} {
		t.Run("is refused as a whole where one partition is, by a broker "+version, func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			refuse(cluster.Fake(), fetchedOffsets(0, 14), fetchedOffsets(0, 29), fetchedOffsets(30, 0)) // loading, then TOPIC and GROUP_AUTHORIZATION_FAILED
			for range 2 {
				got, err := c.CommittedAll(deadline(t), "g")
				if got != nil || !errors.Is(err, kafka.ErrAuthorization) || !strings.Contains(err.Error(), "group g") {
					t.Errorf("committed %v, error %v, want ErrAuthorization", got, err)
				}
			}
		})
	}

	t.Run("cannot be asked of brokers before 0.10.2", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.10.1"})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		if _, err := c.CommittedAll(deadline(t), "g"); !errors.Is(err, kafka.ErrUnsupported) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})
}

// fetchedOffsets answers for a partition of topic t, with errors of the whole
// and of the partition.
func fetchedOffsets(whole, one int16) func(*kmsg.OffsetFetchRequest) kmsg.Response {
	return func(request *kmsg.OffsetFetchRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.OffsetFetchResponse)
		partition := kmsg.NewOffsetFetchResponseTopicPartition()
		partition.ErrorCode = one
		topic := kmsg.NewOffsetFetchResponseTopic()
		topic.Topic, topic.Partitions = "t", []kmsg.OffsetFetchResponseTopicPartition{partition}
		response.ErrorCode, response.Topics = whole, []kmsg.OffsetFetchResponseTopic{topic}
		return response
	}
}

// commitError answers a commit of partition 0 of topic t.
func commitError(code int16) func(*kmsg.OffsetCommitRequest) kmsg.Response {
	return func(request *kmsg.OffsetCommitRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.OffsetCommitResponse)
		response.Topics = []kmsg.OffsetCommitResponseTopic{{Topic: "t", Partitions: []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: code}}}}
		return response
	}
}
