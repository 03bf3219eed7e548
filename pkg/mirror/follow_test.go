package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// follow runs a follower of all topics until the test ends, or stop is called.
func follow(t *testing.T, config mirror.FollowConfig) (f *mirror.Follower, stop func() mirror.Result) {
	t.Helper()
	f = follower(t, config)
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan mirror.Result, 1)
	go func() { results <- f.Run(ctx) }()
	stop = sync.OnceValue(func() mirror.Result {
		cancel()
		return <-results
	})
	t.Cleanup(func() { stop() })
	return f, stop
}

// follower looks often, so that tests are short.
func follower(t *testing.T, config mirror.FollowConfig) *mirror.Follower {
	t.Helper()
	if config.Job == "" {
		config.Job = "test"
	}
	selection, err := mirror.NewSelection([]string{".*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	config.Select, config.CreateTopics = selection, true
	config.Discover, config.Settings, config.Poll, config.Retry = 50*time.Millisecond, 50*time.Millisecond, 20*time.Millisecond, 100*time.Millisecond
	f, err := mirror.NewFollower(config)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx := testContext(t); !holds(); {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// awaitRecords waits until a partition of the target has so many records.
func awaitRecords(t *testing.T, target *kafka.Client, topic string, partition int32, want int64) {
	t.Helper()
	await(t, fmt.Sprintf("%d records in %s/%d", want, topic, partition), func() bool {
		return records(t, target, topic, partition) >= want
	})
}

// records counts the committed ones of a partition; none where it is missing.
func records(t *testing.T, client *kafka.Client, topic string, partition int32) int64 {
	t.Helper()
	described, err := client.Topic(testContext(t), topic)
	if errors.Is(err, kafka.ErrUnknownTopic) || err == nil && int(partition) >= len(described.Partitions) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	ends, err := client.StableOffsets(testContext(t), topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for next := int64(0); next < ends[partition]; {
		fetched, err := client.FetchRecords(testContext(t), kafka.FetchRequest{Topic: topic, Partition: partition, Offset: next, MaxBytes: 1 << 20, ReadCommitted: true})
		if err != nil {
			t.Fatal(err)
		}
		n += int64(len(fetched.Records))
		next = fetched.Next
	}
	return n
}

func TestFollow(t *testing.T) {
	t.Parallel()

	t.Run("what is there, new topics and new partitions are copied, and what goes on being written", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "old", Partitions: 2, Settings: sample.TopicSettings()})
		produce(t, source, "old", 0, batch.Zstd, 10, sample.Plain(100, 50, 1))
		_, stop := follow(t, mirror.FollowConfig{Config: mirror.Config{Source: source, Target: target, OffsetMap: true}})
		awaitRecords(t, target, "old", 0, 100)
		createTopic(t, source, kafka.TopicSpec{Name: "new", Settings: sample.TopicSettings()})
		produce(t, source, "new", 0, batch.None, 10, sample.Plain(50, 50, 2))
		awaitRecords(t, target, "new", 0, 50)
		addPartitions(t, source, "old", 4)
		produceWhenThere(t, source, "old", 3, sample.Plain(30, 50, 3))
		awaitRecords(t, target, "old", 3, 30)
		produce(t, source, "old", 1, batch.None, 10, sample.Plain(20, 50, 4))
		awaitRecords(t, target, "old", 1, 20)
		copied := int64(0)
		for _, p := range stop().Partitions {
			copied += p.Records
		}
		if copied != 200 {
			t.Errorf("%d records copied, want 200", copied)
		}
		for p, n := range map[int32]int{0: 100, 1: 20, 2: 0, 3: 30} {
			requireEqual(t, side(t, source, "old", p), side(t, target, "old", p), n)
		}
		requireMapped(t, source, target, "new")
	})

	t.Run("settings are those of the source, and follow it", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Settings: map[string]string{"retention.ms": "12345678"}})
		createTopic(t, target, kafka.TopicSpec{Name: "orders", Settings: map[string]string{"segment.bytes": "7654321"}})
		follow(t, mirror.FollowConfig{Config: mirror.Config{Source: source, Target: target}})
		setting := func(key, want string) {
			t.Helper()
			await(t, key+" "+want, func() bool {
				all, _, err := target.TopicSettings(testContext(t), "orders")
				return err == nil && all[key] == want
			})
		}
		setting("retention.ms", "12345678")
		all, _, err := target.TopicSettings(testContext(t), "unset")
		if err == nil {
			t.Fatalf("a topic that is not there has settings %v", all)
		}
		if err := source.AlterTopicSettings(testContext(t), "orders", map[string]string{"max.message.bytes": "2000000"}, []string{"retention.ms"}); err != nil {
			t.Fatal(err)
		}
		setting("max.message.bytes", "2000000")
		setting("retention.ms", "604800000")
		setting("segment.bytes", "7654321")
	})

	t.Run("a partition with very much does not hold back the others", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "large", Settings: sample.TopicSettings()})
		createTopic(t, source, kafka.TopicSpec{Name: "small", Settings: sample.TopicSettings()})
		produce(t, source, "large", 0, batch.None, 100, sample.Plain(20_000, 500, 1))
		produce(t, source, "small", 0, batch.None, 10, sample.Plain(10, 50, 2))
		_, stop := follow(t, mirror.FollowConfig{
			Config:    mirror.Config{Source: source, Target: target, Parallel: 1, ChunkBytes: 64 << 10, TransactionBytes: 64 << 10},
			TurnBytes: 64 << 10,
		})
		awaitRecords(t, target, "small", 0, 10)
		stop()
		if n := records(t, target, "large", 0); n == 20_000 {
			t.Errorf("all of the large partition was copied first")
		}
	})

	t.Run("shards have each partition once, and followers go on where others have stopped", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		const partitions = 6
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Partitions: partitions, Settings: sample.TopicSettings()})
		for round := range 3 {
			for p := range int32(partitions) {
				produce(t, source, "orders", p, batch.None, 10, sample.Plain(100, 50, uint64(round)))
			}
			var stops []func() mirror.Result
			for n := range 2 {
				_, stop := follow(t, mirror.FollowConfig{Config: mirror.Config{Source: source, Target: target}, Shard: mirror.Shard{Number: n + 1, Of: 2}})
				stops = append(stops, stop)
			}
			for p := range int32(partitions) {
				awaitRecords(t, target, "orders", p, int64(100*(round+1)))
			}
			shares := 0
			for _, stop := range stops {
				shares += len(stop().Partitions)
			}
			if shares != partitions {
				t.Errorf("round %d: %d partitions copied by both, want %d", round, shares, partitions)
			}
		}
		for p := range int32(partitions) {
			requireEqual(t, side(t, source, "orders", p), side(t, target, "orders", p), 300)
		}
	})

	t.Run("a gap stops its partition alone, and a reset lets it go on", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Partitions: 2, Settings: sample.TopicSettings()})
		produce(t, source, "orders", 0, batch.None, 10, sample.Plain(50, 50, 1))
		_, stop := follow(t, mirror.FollowConfig{Config: mirror.Config{Source: source, Target: target}})
		awaitRecords(t, target, "orders", 0, 50)
		stop()
		produce(t, source, "orders", 0, batch.None, 10, sample.Plain(50, 50, 2))
		produce(t, source, "orders", 1, batch.None, 10, sample.Plain(50, 50, 3))
		if err := brokers.Fake().DeleteRecords("orders", 0, 70); err != nil {
			t.Fatal(err)
		}
		f, _ := follow(t, mirror.FollowConfig{Config: mirror.Config{Source: source, Target: target}})
		awaitRecords(t, target, "orders", 1, 50)
		await(t, "the fault", func() bool { return len(f.Faults()) > 0 })
		fault := f.Faults()[0]
		if fault.Topic != "orders" || fault.Partition != 0 || !errors.Is(fault.Err, mirror.ErrGap) {
			t.Errorf("fault is %+v, want a gap in orders/0", fault)
		}
		if err := mirror.ResetCheckpoint(testContext(t), target, "test", "orders", "orders", 0, 70); err != nil {
			t.Fatal(err)
		}
		awaitRecords(t, target, "orders", 0, 80)
		await(t, "the end of the fault", func() bool { return len(f.Faults()) == 0 })
	})

	t.Run("a target of its own that holds records and has no checkpoint is not copied to again; what was aborted there is none", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		for _, topic := range []string{"killed", "expired"} {
			createTopic(t, source, kafka.TopicSpec{Name: topic, Settings: sample.TopicSettings()})
			createTopic(t, target, kafka.TopicSpec{Name: topic, Settings: sample.TopicSettings()})
			produce(t, source, topic, 0, batch.None, 10, sample.Plain(20, 50, 1))
		}
		first := transaction(t, target, "first") // of a copy that was killed in it
		produceIn(t, first, "killed", 0, sample.Plain(5, 50, 1))
		end(t, first, false)
		produce(t, target, "expired", 0, batch.None, 10, sample.Plain(20, 50, 1))
		f, _ := follow(t, mirror.FollowConfig{Config: mirror.Config{Source: source, Target: target, Exclusive: true}})
		awaitRecords(t, target, "killed", 0, 20)
		await(t, "the fault", func() bool { return len(f.Faults()) > 0 })
		if fault := f.Faults()[0]; fault.Topic != "expired" || !errors.Is(fault.Err, mirror.ErrLostCheckpoint) {
			t.Errorf("fault is %+v, want the lost checkpoint of expired/0", fault)
		}
		if n := records(t, target, "expired", 0); n != 20 {
			t.Errorf("%d records, want the 20 of before", n)
		}
	})

	t.Run("a topic that is not admitted is neither created nor copied, until it is", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(10, 50, 1))
		var open atomic.Bool
		taken := errors.New("taken")
		f, _ := follow(t, mirror.FollowConfig{Config: mirror.Config{Source: source, Target: target}, Admit: func(context.Context, string, string) error {
			if open.Load() {
				return nil
			}
			return taken
		}})
		await(t, "the fault", func() bool {
			faults := f.Faults()
			return len(faults) == 1 && faults[0].Topic == "t" && errors.Is(faults[0].Err, taken)
		})
		if _, err := target.Topic(testContext(t), "t"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("the target topic: %v, want that there is none", err)
		}
		open.Store(true)
		awaitRecords(t, target, "t", 0, 10)
	})

	t.Run("without a source, or with too little memory, there is none", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		for _, config := range []mirror.FollowConfig{
			{Config: mirror.Config{Job: "test", Target: target}},
			{Config: mirror.Config{Job: "test", Source: source, Target: target}, Memory: 1000},
		} {
			if _, err := mirror.NewFollower(config); err == nil {
				t.Errorf("%+v is taken", config)
			}
		}
	})
}

// produceWhenThere waits until the brokers take records for a new partition.
func produceWhenThere(t *testing.T, client *kafka.Client, topic string, partition int32, all []batch.Record) {
	t.Helper()
	await(t, "a new partition", func() bool {
		_, err := client.ProduceBatches(testContext(t), topic, partition, "", batches(t, batch.None, 10, all))
		return err == nil
	})
}
