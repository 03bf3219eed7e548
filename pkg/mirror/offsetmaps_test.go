package mirror_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// requireMapped wants every record of partition 0 of a topic to be where the
// map says, and every position to be that of the first record still to come.
func requireMapped(t *testing.T, source, target *kafka.Client, topic string) mirror.Translation {
	t.Helper()
	translation := translationOf(t, target, topic)
	copied := recordsOf(t, side(t, target, topic, 0))
	byOffset := map[int64]batch.Record{}
	for _, r := range copied {
		byOffset[r.Offset] = r
	}
	originals := recordsOf(t, side(t, source, topic, 0))
	next := 0 // in originals: the first record at the position or behind it
	for position := int64(0); position <= translation.Next; position++ {
		for next < len(originals) && originals[next].Offset < position {
			next++
		}
		at, err := translation.Position(position)
		if err != nil {
			t.Fatalf("position %d: %v", position, err)
		}
		if next == len(originals) || originals[next].Offset >= translation.Next {
			if last := copied[len(copied)-1].Offset; at <= last {
				t.Fatalf("position %d is %d, want it behind the last record, %d", position, at, last)
			}
			continue
		}
		if got, ok := byOffset[at]; !ok || !bytes.Equal(got.Value, originals[next].Value) {
			t.Fatalf("position %d is %d, where %q is, want %q", position, at, got.Value, originals[next].Value)
		}
	}
	return translation
}

func translationOf(t *testing.T, target *kafka.Client, topic string) mirror.Translation {
	t.Helper()
	translation, err := mirror.NewOffsetMaps(target, "test").Partition(testContext(t), topic, topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	return translation
}

func TestOffsetMaps(t *testing.T) {
	t.Parallel()

	t.Run("every record and position translates exactly, over many calls and instances", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Settings: sample.TopicSettings()})
		var c *mirror.Copier
		blocks := 0
		for i := range 700 {
			last := produce(t, source, "orders", 0, batch.Codec(i%5), 3, sample.Plain(1+i%7, 50, uint64(i))).Last
			if i%50 == 0 { // an aborted transaction, and a marker: holes in the source
				producer := transaction(t, source, "aborts")
				produceIn(t, producer, "orders", 0, sample.Plain(2, 10, 1))
				end(t, producer, false)
			}
			if i%20 == 0 {
				c = copier(t, mirror.Config{Source: source, Target: target, OffsetMap: true, FromEarliest: true})
			}
			copyRange(t, c, mirror.Range{Topic: "orders", First: 0, Last: last})
		}
		requireMapped(t, source, target, "orders")
		for _, r := range recordsOf(t, side(t, target, mirror.MapTopic("test"), 0)) {
			blocks++
			if len(r.Value) > 4000 {
				t.Errorf("a block takes %d bytes", len(r.Value))
			}
		}
		if blocks < 2 {
			t.Errorf("%d blocks in the map topic, want several", blocks)
		}
	})

	t.Run("a compacted source is mapped around its holes", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "states", Settings: map[string]string{"cleanup.policy": "compact"}})
		records := sample.Plain(12, 20, 1)
		end := serve(t, brokers.Fake(), "states",
			mirror.CraftBatch(0, mirror.Craft{LastDelta: 9}, at(records, 2, 3, 7)...),
			mirror.CraftBatch(10, mirror.Craft{LastDelta: 4}),
			mirror.CraftBatch(30, mirror.Craft{}, at(records[3:], 30, 31, 32)...),
			mirror.CraftBatch(40, mirror.Craft{LastDelta: 9}, at(records[6:], 44, 49)...))
		c := copier(t, mirror.Config{Source: source, Target: target, OffsetMap: true, FromEarliest: true})
		copyRange(t, c, mirror.Range{Topic: "states", First: 0, Last: end - 1})
		translation := translationOf(t, target, "states")
		for position, want := range map[int64]int64{0: 0, 2: 0, 3: 1, 4: 2, 7: 2, 8: 3, 30: 3, 33: 6, 44: 6, 45: 7, 49: 7, 50: 8} {
			if got, err := translation.Position(position); err != nil || got != want {
				t.Errorf("position %d is %d (%v), want %d", position, got, err, want)
			}
		}
	})

	t.Run("a reset checkpoint takes along what is mapped behind it, and leaves what is before", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Settings: sample.TopicSettings()})
		last := produce(t, source, "orders", 0, batch.None, 5, sample.Plain(100, 50, 1)).Last
		config := mirror.Config{Source: source, Target: target, OffsetMap: true, FromEarliest: true}
		copyRange(t, copier(t, config), mirror.Range{Topic: "orders", First: 0, Last: last})
		before := translationOf(t, target, "orders")
		if err := mirror.ResetCheckpoint(testContext(t), target, "test", "orders", "orders", 0, 60); err != nil {
			t.Fatal(err)
		}
		reset := translationOf(t, target, "orders")
		if got, err := reset.Position(40); err != nil || got != 40 {
			t.Errorf("position 40 is %d (%v), want 40", got, err)
		}
		if _, err := reset.Position(70); !errors.Is(err, mirror.ErrNotCopied) {
			t.Errorf("position 70 after the reset: %v, want ErrNotCopied", err)
		}
		copyRange(t, copier(t, config), mirror.Range{Topic: "orders", First: 0, Last: last})
		again := translationOf(t, target, "orders")
		for position, want := range map[int64]int64{0: 0, 59: 59, 60: 101, 99: 140} {
			if got, err := again.Position(position); err != nil || got != want {
				t.Errorf("position %d is %d (%v), want %d (before the reset it was %v)", position, got, err, want, before.Map)
			}
		}
	})

	t.Run("what was copied before a map was kept has no translation, and what follows has", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Settings: sample.TopicSettings()})
		first := produce(t, source, "orders", 0, batch.None, 5, sample.Plain(10, 50, 1))
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), first)
		if _, err := translationOf(t, target, "orders").Position(5); !errors.Is(err, mirror.ErrNotMapped) {
			t.Errorf("without a map: %v, want ErrNotMapped", err)
		}
		second := produce(t, source, "orders", 0, batch.None, 5, sample.Plain(10, 50, 2))
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target, OffsetMap: true}), second)
		translation := translationOf(t, target, "orders")
		if _, err := translation.Position(9); !errors.Is(err, mirror.ErrNotMapped) {
			t.Errorf("before the map: %v, want ErrNotMapped", err)
		}
		for position := int64(10); position <= 19; position++ {
			if got, err := translation.Position(position); err != nil || got != position+1 { // a marker lies between
				t.Errorf("position %d is %d (%v), want %d", position, got, err, position+1)
			}
		}
	})

	t.Run("nothing copied is nothing translated", func(t *testing.T) {
		t.Parallel()
		_, target := pair(t)
		createTopic(t, target, kafka.TopicSpec{Name: "orders"})
		if _, err := translationOf(t, target, "orders").Position(0); !errors.Is(err, mirror.ErrNotCopied) {
			t.Errorf("%v, want ErrNotCopied", err)
		}
	})
}

func TestKeepPartitions(t *testing.T) {
	t.Parallel()
	source, target := pair(t)
	createTopic(t, source, kafka.TopicSpec{Name: "orders", Partitions: 3, Settings: sample.TopicSettings()})
	createTopic(t, target, kafka.TopicSpec{Name: "orders", Partitions: 2, Settings: sample.TopicSettings()})
	c := copier(t, mirror.Config{Source: source, Target: target, KeepPartitions: true})
	var ranges []mirror.Range
	for p := range int32(3) {
		ranges = append(ranges, produce(t, source, "orders", p, batch.None, 5, sample.Plain(20, 50, uint64(p))))
	}
	_, err := c.Copy(testContext(t), ranges)
	if !errors.Is(err, mirror.ErrMissingPartition) {
		t.Errorf("error is %v, want ErrMissingPartition", err)
	}
	for p := range int32(2) {
		requireEqual(t, side(t, source, "orders", p), side(t, target, "orders", p), 20)
	}
	addPartitions(t, target, "orders", 3)
	copyRange(t, c, ranges...)
	requireEqual(t, side(t, source, "orders", 2), side(t, target, "orders", 2), 20)
}
