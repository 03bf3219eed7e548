package mirror_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestCopyCreatesTopic(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name           string
		settings, want map[string]string
	}{
		{
			name:     "a missing target gets the source's partitions and its own settings, but none that speak of its brokers, and keeps the times of records",
			settings: map[string]string{"cleanup.policy": "compact", "retention.ms": "1234567", "min.insync.replicas": "1"},
			want:     map[string]string{"cleanup.policy": "compact", "retention.ms": "1234567", "message.timestamp.type": "CreateTime"},
		},
		{
			name:     "a target does not take over that the broker sets the time",
			settings: map[string]string{"message.timestamp.type": "LogAppendTime"},
			want:     map[string]string{"message.timestamp.type": "CreateTime"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source, _ := cluster(t, localkafka.Config{})
			target, _ := cluster(t, localkafka.Config{})
			createTopic(t, source, kafka.TopicSpec{Name: "t", Partitions: 5, Settings: c.settings})
			produce(t, source, "t", 0, batch.None, 10, sample.Plain(10, 100, 1))
			copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, 9))
			topic, err := target.Topic(testContext(t), "t")
			if err != nil || len(topic.Partitions) != 5 {
				t.Errorf("the target has %d partitions (%v), want 5", len(topic.Partitions), err)
			}
			_, own, err := target.TopicSettings(testContext(t), "t")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, own); diff != "" {
				t.Errorf("settings of the target (-want +got):\n%s", diff)
			}
			requireCopied(t, source, target, "t", 10)
		})
	}

	t.Run("the times of a LogAppendTime source arrive", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: map[string]string{"message.timestamp.type": "LogAppendTime"}})
		produce(t, source, "t", 0, batch.Zstd, 5, sample.Plain(20, 100, 1))
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, 19))
		requireCopied(t, source, target, "t", 20)
	})

	t.Run("a target that sets the time itself is refused before anything is written", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		createTopic(t, target, kafka.TopicSpec{Name: "t", Settings: map[string]string{"message.timestamp.type": "LogAppendTime"}})
		_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rangeOf(0, 9)})
		if !errors.Is(err, kafka.ErrTimestampReplaced) || !strings.Contains(err.Error(), "message.timestamp.type") {
			t.Errorf("got %v, want ErrTimestampReplaced with the setting", err)
		}
		if end := side(t, target, "t", 0).End; end != 0 {
			t.Errorf("the target ends at %d, want nothing written", end)
		}
	})

	t.Run("a missing target that may not be created is an error with the ways out", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c, err := mirror.New(mirror.Config{Job: "j", Source: source, Target: target})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Copy(testContext(t), []mirror.Range{rangeOf(0, 9)})
		if !errors.Is(err, mirror.ErrMissingTopic) || !strings.Contains(err.Error(), "CREATE_TOPICS=true") {
			t.Errorf("got %v, want ErrMissingTopic with the setting", err)
		}
	})

	t.Run("instances that create a target at the same time all go on", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t", Partitions: 8})
		var wg sync.WaitGroup
		for p := range int32(8) {
			rng := produce(t, source, "t", p, batch.None, 10, sample.Plain(10, 100, uint64(p)))
			wg.Go(func() {
				if _, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rng}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for p := range int32(8) {
			requireEqual(t, side(t, source, "t", p), side(t, target, "t", p), 10)
		}
	})

	t.Run("a source whose settings may not be read is an error that offers to create the target by hand", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		brokers.Fake().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rangeOf(0, 9)})
		if !errors.Is(err, kafka.ErrAuthorization) || !strings.Contains(err.Error(), "create it yourself") {
			t.Errorf("got %v, want ErrAuthorization with the way out", err)
		}
	})

	t.Run("a target that does not take the source's settings is an error that names them and the way out", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t, localkafka.Config{})
		target, brokers := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: map[string]string{"retention.ms": "1234567"}})
		brokers.Fake().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidConfig, Count: -1})
		_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rangeOf(0, 9)})
		if err == nil || !strings.Contains(err.Error(), "{message.timestamp.type=CreateTime, retention.ms=1234567} (or create it yourself, without what it does not take)") {
			t.Errorf("got %v, want the settings and the way out", err)
		}
	})

	t.Run("a topic that the source does not have is an error of the source", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		_, err := copier(t, mirror.Config{Source: source, Target: target, RetryFor: 1}).Copy(testContext(t), []mirror.Range{rangeOf(0, 9)})
		if !errors.Is(err, kafka.ErrUnknownTopic) || !strings.HasPrefix(err.Error(), "source:") {
			t.Errorf("got %v, want ErrUnknownTopic of the source", err)
		}
	})
}

func TestCopyToOtherPartitions(t *testing.T) {
	t.Parallel()

	for _, counts := range [][2]int{{3, 5}, {5, 3}, {1, 4}, {4, 1}} {
		t.Run(fmt.Sprintf("from %d to %d partitions each key stays in one, in order, where the Java client puts it", counts[0], counts[1]), func(t *testing.T) {
			t.Parallel()
			source, target := pair(t)
			createTopic(t, source, kafka.TopicSpec{Name: "t", Partitions: counts[0]})
			createTopic(t, target, kafka.TopicSpec{Name: "t", Partitions: counts[1]})
			var ranges []mirror.Range
			for p := range int32(counts[0]) {
				var records []batch.Record
				for i := range 120 {
					r := batch.Record{Value: fmt.Appendf(nil, "%d/%d", p, i), Timestamp: int64(i)}
					if i%3 != 0 { // the others have no key
						r.Key = fmt.Appendf(nil, "key-%d-%d", p, i%20)
					}
					records = append(records, r)
				}
				ranges = append(ranges, produce(t, source, "t", p, codecs()[p], 7, records))
			}
			result := copyRange(t, copier(t, mirror.Config{Source: source, Target: target, ChunkBytes: 1000}), ranges...)
			for _, p := range result.Partitions {
				if p.Records != 120 || p.Passed != 0 {
					t.Errorf("got %+v, want 120 records, all built anew", p)
				}
			}
			requireOrdered(t, target, int32(counts[1]))
			whole, err := mirror.CompareTopics(testContext(t), source, target, "t", "t", mirror.CompareOptions{})
			if err != nil || !whole.Equal {
				t.Errorf("the topics differ: %+v, %v", whole, err)
			}
		})
	}

	t.Run("partitions that were added to the target under a warm copier are noticed", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		copyRange(t, c, rangeOf(0, 49))
		topic, err := target.Topic(testContext(t), "t")
		if err != nil || len(topic.Partitions) != 1 {
			t.Fatalf("%+v, %v", topic, err)
		}
		addPartitions(t, target, "t", 4)
		got := copyRange(t, c, rangeOf(50, 99)).Partitions[0]
		if got.Records != 50 || got.Rebuilt == 0 || got.Passed != 0 {
			t.Errorf("got %+v, want 50 records placed by key", got)
		}
		whole, err := mirror.CompareTopics(testContext(t), source, target, "t", "t", mirror.CompareOptions{})
		if err != nil || !whole.Equal {
			t.Errorf("the topics differ: %+v, %v", whole, err)
		}
	})
}

// requireOrdered wants each key in the partition that murmur2 gives, records
// of one key in order, and those without one together and in order.
func requireOrdered(t *testing.T, target *kafka.Client, partitions int32) {
	t.Helper()
	last := map[string]int{}   // of a key, or of a source partition's records without one
	home := map[string]int32{} // the partition of the latter
	for p := range partitions {
		for _, r := range recordsOf(t, side(t, target, "t", p)) {
			var from, i int
			if _, err := fmt.Sscanf(string(r.Value), "%d/%d", &from, &i); err != nil {
				t.Fatal(err)
			}
			name := string(r.Key)
			if r.Key == nil {
				name = fmt.Sprintf("no key, from %d", from)
				if at, ok := home[name]; ok && at != p {
					t.Errorf("records of partition %d without a key are in partitions %d and %d", from, at, p)
				}
				home[name] = p
			} else if want := batch.Partition(r.Key, partitions); p != want {
				t.Errorf("key %q is in partition %d, want %d", r.Key, p, want)
			}
			if before, ok := last[name]; ok && before >= i {
				t.Errorf("%s: record %d comes after %d", name, i, before)
			}
			last[name] = i
		}
	}
}

func addPartitions(t *testing.T, c *kafka.Client, topic string, n int32) {
	t.Helper()
	client := kgoClient(t, c.Brokers())
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.TimeoutMillis = 5000
	request.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: topic, Count: n}}
	answer, err := request.RequestWith(testContext(t), client)
	if err == nil {
		err = kerr.ErrorForCode(answer.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTopicMap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want map[string]string
	}{
		{"", map[string]string{"orders": "orders"}},
		{"orders:orders-copy, clicks:raw.clicks", map[string]string{"orders": "orders-copy", "clicks": "raw.clicks", "other": "other"}},
		{"*:offline.*", map[string]string{"orders": "offline.orders"}},
		{"*:*-copy,orders:kept", map[string]string{"orders": "kept", "clicks": "clicks-copy"}},
	} {
		m, err := mirror.ParseTopicMap(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		for source, want := range c.want {
			if got := m.Target(source); got != want {
				t.Errorf("%q maps %s to %s, want %s", c.text, source, got, want)
			}
		}
	}
	t.Run("all wrong pairs are named", func(t *testing.T) {
		t.Parallel()
		var m mirror.TopicMap
		err := m.UnmarshalText([]byte("orders,a:b:c,*:plain,*:a.*,*:b.*,x:1,x:2,sp ace:y"))
		if err == nil {
			t.Fatal("no error")
		}
		for _, pair := range []string{`"orders"`, `"a:b:c"`, `"*:plain"`, `"*:b.*"`, `"x:2"`, `"sp ace:y"`} {
			if !strings.Contains(err.Error(), pair) {
				t.Errorf("%q does not name %s", err, pair)
			}
		}
	})
}
