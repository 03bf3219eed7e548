package kafka_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestStableCommits(t *testing.T) {
	t.Parallel()

	t.Run("are asked for, and waited for while a transaction is being ended", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		must(t, c.Commit(deadline(t), "g", "t", committed(7)))
		var asked atomic.Int32
		cluster.Fake().ControlKey(int16(kmsg.OffsetFetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
			fetch := request.(*kmsg.OffsetFetchRequest)
			cluster.Fake().KeepControl()
			if !fetch.RequireStable {
				t.Errorf("OffsetFetch v%d without stable offsets", fetch.Version)
			}
			if asked.Add(1) > 3 {
				return nil, nil, false
			}
			response := fetch.ResponseKind().(*kmsg.OffsetFetchResponse)
			topic := kmsg.NewOffsetFetchResponseTopic()
			topic.Topic = "t"
			partition := kmsg.NewOffsetFetchResponseTopicPartition()
			partition.ErrorCode = kerr.UnstableOffsetCommit.Code
			topic.Partitions = append(topic.Partitions, partition)
			response.Topics = append(response.Topics, topic)
			return response, nil, true
		})
		got, err := c.Committed(deadline(t), "g", "t", 0)
		if err != nil || got[0].Offset != 7 {
			t.Errorf("got %v, %v, want 7", got, err)
		}
		if asked.Load() != 4 {
			t.Errorf("asked %d times, want 4", asked.Load())
		}
	})

	t.Run("wait for a transaction that is left open, until it is fenced", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		hasty := connect(t, kafka.Config{Brokers: cluster.Brokers(), RequestTimeout: 300 * time.Millisecond})
		p := producer(t, c, "id")
		must(t, p.CommitOffsets(deadline(t), "g", "t", committed(3)), p.Commit(deadline(t)), p.CommitOffsets(deadline(t), "g", "t", committed(7)))
		if _, err := hasty.Committed(deadline(t), "g", "t", 0); !kafka.Retriable(err) || !strings.Contains(err.Error(), "broker error 88") {
			t.Errorf("error %v, want one that says that the offset is not stable", err)
		}
		if got, err := hasty.CommittedNow(deadline(t), "g", "t", 0); err != nil || got[0].Offset != 3 {
			t.Errorf("now it is %v, %v, want 3", got, err)
		}
		must(t, p.Fence(deadline(t)))
		if got, err := c.Committed(deadline(t), "g", "t", 0); err != nil || got[0].Offset != 3 {
			t.Errorf("got %v, %v, want 3", got, err)
		}
	})

	t.Run("are not asked of a broker that does not know them", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "2.3", Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		must(t, c.Commit(deadline(t), "g", "t", committed(7)))
		if got, err := c.Committed(deadline(t), "g", "t", 0); err != nil || got[0].Offset != 7 {
			t.Errorf("got %v, %v, want 7", got, err)
		}
	})
}
