package kafka_test

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// TestVersions drives brokers of each age with everything that they can do,
// and looks at the versions of the requests that this package writes itself.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		release                  string
		fetch, produce, metadata []int16 // kafka-go's own metadata requests too
		transactions             bool
	}{
		{"0.10.2", []int16{3}, nil, []int16{2}, false},
		{"0.11.0", []int16{5}, []int16{3}, []int16{4}, true},
		{"1.1", []int16{7}, []int16{5}, []int16{5}, true},
		{"2.3", []int16{11}, []int16{7}, []int16{8}, true},
		{"2.8", []int16{11}, []int16{8}, []int16{8, 10}, true},
		{"4.0", []int16{11}, []int16{8}, []int16{8, 10}, true},
	} {
		t.Run("suit a broker of "+test.release, func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: test.release, Topics: map[string]int32{"t": 1}})
			used := watchVersions(cluster.Fake(), kmsg.Fetch, kmsg.Produce, kmsg.Metadata)
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})

			if c.SupportsTransactions() != test.transactions {
				t.Errorf("transactions: %t, want %t", c.SupportsTransactions(), test.transactions)
			}
			if !test.transactions {
				refuse(cluster.Fake(), stored(build(t, batch.None, values("%d", 3)...)))
			} else {
				_, err := c.ProduceBatches(deadline(t), "t", 0, "", []batch.Batch{build(t, batch.Gzip, values("%d", 3)...)})
				must(t, err)
				p := producer(t, c, "id")
				must(t, put(t, p, "t", 0, one(t, "aborted")), p.Abort(deadline(t)))
				must(t, put(t, p, "t", 0, one(t, "a")), p.CommitOffsets(deadline(t), "g", "t", committed(7)), p.Commit(deadline(t)))
				wantValues(t, c, "t", "0", "1", "2", "a")
			}
			got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", MinBytes: 1, MaxWait: time.Second, ReadCommitted: true})
			if err != nil || len(got.Records) < 3 {
				t.Errorf("%d records, error %v", len(got.Records), err)
			}
			_, err = c.Topic(deadline(t), "t")
			must(t, err)
			_, err = c.Offsets(deadline(t), "t", kafka.Latest, 0)
			must(t, err, c.Commit(deadline(t), "h", "t", committed(1)))
			must(t, c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "u", Partitions: 1, Replication: 1}), c.DeleteTopic(deadline(t), "u"))
			generation := next(t, join(t, c, kafka.GroupConfig{ID: "k", Topics: []string{"t"}}))
			must(t, generation.Commit("t", 0, 5))
			generation.Release()

			want := map[kmsg.Key][]int16{kmsg.Fetch: test.fetch, kmsg.Produce: test.produce, kmsg.Metadata: test.metadata}
			if diff := cmp.Diff(want, used()); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMissingTopicOnOldBroker(t *testing.T) {
	t.Parallel()
	t.Run("is told without asking for it by name, which would create it", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.10.2", Topics: map[string]int32{"t": 2}})
		var named atomic.Int32
		cluster.Fake().ControlKey(kmsg.Metadata.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
			cluster.Fake().KeepControl()
			named.Add(int32(len(r.(*kmsg.MetadataRequest).Topics)))
			return nil, nil, false
		})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		if _, err := c.Topic(deadline(t), "missing"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("got %v, want ErrUnknownTopic", err)
		}
		if topic, err := c.Topic(deadline(t), "t"); err != nil || len(topic.Partitions) != 2 {
			t.Errorf("got %+v, %v, want 2 partitions", topic, err)
		}
		got, err := c.Cluster(deadline(t), "missing", "t")
		if err != nil || len(got.Topics) != 2 || !errors.Is(got.Topics[0].Err, kafka.ErrUnknownTopic) || len(got.Topics[1].Partitions) != 2 {
			t.Errorf("got %+v, %v", got, err)
		}
		if n := named.Load(); n != 0 {
			t.Errorf("%d topics were asked for by name", n)
		}
	})
}

// watchVersions notes the versions of requests, but for the Metadata 1 and 6 of
// kafka-go's consumer groups, which have a codec of their own.
func watchVersions(fake *kfake.Cluster, keys ...kmsg.Key) (used func() map[kmsg.Key][]int16) {
	var mu sync.Mutex
	seen := map[kmsg.Key]map[int16]bool{}
	for _, key := range keys {
		seen[key] = map[int16]bool{}
		fake.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			mu.Lock()
			defer mu.Unlock()
			if v := r.GetVersion(); key != kmsg.Metadata || v != 1 && v != 6 {
				seen[key][v] = true
			}
			return nil, nil, false
		})
	}
	return func() map[kmsg.Key][]int16 {
		mu.Lock()
		defer mu.Unlock()
		versions := map[kmsg.Key][]int16{}
		for key, set := range seen {
			versions[key] = slices.Sorted(maps.Keys(set))
		}
		return versions
	}
}
