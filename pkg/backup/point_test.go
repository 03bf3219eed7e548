package backup_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// clock is one that a test moves.
type clock struct{ now time.Time }

func (c *clock) at(ms int64) func(*backup.Config) {
	c.now = time.UnixMilli(ms)
	return func(config *backup.Config) { config.Now = func() time.Time { return c.now } }
}

// timed makes records of these timestamps.
func timed(ms ...int64) []batch.Record {
	all := make([]batch.Record, len(ms))
	for i, t := range ms {
		all[i] = batch.Record{Timestamp: t, Value: []byte(time.UnixMilli(t).UTC().String())}
	}
	return all
}

// times gives their timestamps.
func times(records []batch.Record) []int64 {
	all := make([]int64, len(records))
	for i, r := range records {
		all[i] = r.Timestamp
	}
	return all
}

func TestPoints(t *testing.T) {
	t.Parallel()
	source, store := cluster(t, map[string]int32{"t": 1, "other": 1}), newMemory()
	var c clock
	const future = 4_102_444_800_000 // 2100
	produce(t, source, "t", 0, timed(1000, 1010, future, 1020)...)
	run(t, source, store, c.at(2000))
	produce(t, source, "t", 0, timed(1900, 2100, 2050, 2200)...)
	produce(t, source, "t", 0, timed(2300, 2400)...)
	run(t, source, store, c.at(3000), func(c *backup.Config) { c.SegmentBytes = 1 })
	produce(t, source, "other", 0, timed(3500)...)
	run(t, source, store, c.at(4000))
	produce(t, source, "t", 0, timed(4500)...)
	run(t, source, store, c.at(5000))
	all := times(records(t, source, "t", 0))

	restored := func(t *testing.T, point backup.Point) []int64 {
		t.Helper()
		target := cluster(t, nil)
		restore(t, backup.RestoreConfig{Chain: chain(t, source, store), Target: target, Point: point})
		return times(records(t, target, "t", 0))
	}
	for name, test := range map[string]struct {
		point backup.Point
		want  int // records
	}{
		"everything": {backup.Point{}, 11},
		"a manifest is what the cluster had at its time": {backup.Point{Sequence: 1}, 4},
		"a later manifest": {backup.Point{Sequence: 2}, 10},
		"what was written late, with an earlier time":    {backup.Point{Time: time.UnixMilli(2000)}, 5},
		"a moment ends before the first record after it": {backup.Point{Time: time.UnixMilli(2060)}, 5},
		"in the middle of a batch":                       {backup.Point{Time: time.UnixMilli(2100)}, 7},
		"at the end of a batch":                          {backup.Point{Time: time.UnixMilli(2250)}, 8},
		"between runs without a record after it":         {backup.Point{Time: time.UnixMilli(2999)}, 10},
		"where a later run has nothing new of the topic": {backup.Point{Time: time.UnixMilli(3999)}, 10},
		"later than all":                                 {backup.Point{Time: time.UnixMilli(9000)}, 11},
		"a moment before the first run":                  {backup.Point{Time: time.UnixMilli(1010)}, 3}, // that of 2100 ends nothing
		"an offset":                                      {backup.Point{Offsets: map[string]map[int32]int64{"t": {0: 6}}}, 6},
		"an offset that a moment is before":              {backup.Point{Time: time.UnixMilli(2060), Offsets: map[string]map[int32]int64{"t": {0: 6}}}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := restored(t, test.point); !slices.Equal(got, all[:test.want]) {
				t.Errorf("restored %v, want %v", got, all[:test.want])
			}
		})
	}

	t.Run("restored to a moment, and later to another one, it has each record once", func(t *testing.T) {
		t.Parallel()
		target := cluster(t, nil)
		for _, test := range []struct{ ms, want int64 }{{2060, 5}, {2100, 7}, {9000, 11}} {
			restore(
				t,
				backup.RestoreConfig{
					Chain:  chain(t, source, store),
					Target: target,
					Point:  backup.Point{Time: time.UnixMilli(test.ms)},
				},
			)
			if got := times(records(t, target, "t", 0)); !slices.Equal(got, all[:test.want]) {
				t.Errorf("at %d it has %v, want %v", test.ms, got, all[:test.want])
			}
		}
		_, err := backup.Restore(
			testContext(t),
			backup.RestoreConfig{Chain: chain(t, source, store), Target: target, Point: backup.Point{Sequence: 1}},
		)
		if err == nil {
			t.Error("it went back")
		}
	})

	t.Run("offsets of what is not there are all named", func(t *testing.T) {
		t.Parallel()
		_, err := backup.PlanRestore(testContext(t), backup.RestoreConfig{
			Chain: chain(t, source, store), Target: source,
			Select: func(topic string) bool { return topic == "t" },
			Point: backup.Point{Offsets: map[string]map[int32]int64{
				"t": {0: 3, 5: 1}, "mistyped": {0: 1}, "other": {0: 0},
			}},
		})
		if err == nil {
			t.Fatal("they are taken")
		}
		for _, name := range []string{"t/5", "topic mistyped", "topic other"} {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%v does not name %s", err, name)
			}
		}
		if strings.Contains(err.Error(), "t/0") {
			t.Errorf("%v", err)
		}
	})

	t.Run("a selection that no topic is in is an error, and no restore of nothing", func(t *testing.T) {
		t.Parallel()
		_, err := backup.PlanRestore(testContext(t), backup.RestoreConfig{
			Chain: chain(t, source, store), Target: source, Select: func(topic string) bool { return topic == "mistyped" },
		})
		if err == nil || !strings.Contains(err.Error(), "has no topic") {
			t.Errorf("%v", err)
		}
	})

	t.Run("a manifest that is not there is no backup", func(t *testing.T) {
		t.Parallel()
		_, err := backup.PlanRestore(
			testContext(t),
			backup.RestoreConfig{Chain: chain(t, source, store), Target: source, Point: backup.Point{Sequence: 9}},
		)
		if !errors.Is(err, backup.ErrNoBackup) {
			t.Errorf("%v", err)
		}
	})
}

func TestMomentsThatARunDoesNotSeeWhole(t *testing.T) {
	t.Parallel()
	requireTimes := func(t *testing.T, source *kafka.Client, store *memory, topic string, ms int64, want ...int64) {
		t.Helper()
		target := cluster(t, nil)
		restore(t, backup.RestoreConfig{
			Chain: chain(t, source, store), Target: target, Point: backup.Point{Time: time.UnixMilli(ms)},
		})
		if got := times(records(t, target, topic, 0)); !slices.Equal(got, want) {
			t.Errorf("at %d %s has %v, want %v", ms, topic, got, want)
		}
	}

	t.Run("what is written while a run looks, before the moment, is restored from the next one", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		produce(t, source, "t", 0, timed(1000)...)
		looked := 0
		result := run(t, source, store, func(c *backup.Config) {
			c.Now = func() time.Time {
				if looked++; looked == 1 {
					return time.UnixMilli(2000)
				}
				if looked == 2 { // the ends have been read
					produce(t, source, "t", 0, timed(2500)...)
					if err := source.CreateTopic(testContext(t), kafka.TopicSpec{Name: "new", Partitions: 1}); err != nil {
						t.Error(err)
					}
					produce(t, source, "new", 0, timed(2550, 2700)...)
				}
				return time.UnixMilli(3000)
			}
		})
		if result.Time != time.UnixMilli(2000) || result.Records != 1 {
			t.Errorf("%+v", result)
		}
		var c clock
		run(t, source, store, c.at(4000))
		requireTimes(t, source, store, "t", 2600, 1000, 2500)
		requireTimes(t, source, store, "new", 2600, 2550)
	})

	t.Run("what a run leaves behind an open transaction is restored from the next one", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		ctx := testContext(t)
		open, err := source.Transactional(ctx, "open", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		b, err := batch.Build(batch.Options{}, timed(1000))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open.Produce(ctx, "t", 0, []batch.Batch{b}); err != nil {
			t.Fatal(err)
		}
		produce(t, source, "t", 0, timed(1500)...)
		var c clock
		run(t, source, store, c.at(2000))
		if err := open.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		run(t, source, store, c.at(3000))
		requireTimes(t, source, store, "t", 1999, 1000, 1500)
	})

	t.Run("a clock that was set back hides no record from the search", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1, "other": 1}), newMemory()
		var c clock
		produce(t, source, "t", 0, timed(1000)...)
		run(t, source, store, c.at(1500))
		produce(t, source, "other", 0, timed(2000)...)
		run(t, source, store, c.at(5000), func(c *backup.Config) {
			c.Topics = func(topic string) bool { return topic == "other" }
		})
		produce(t, source, "t", 0, timed(4000, 4500)...)
		run(t, source, store, c.at(4200)) // and the manifest is of 5000
		if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() {
			t.Errorf("%+v", report.Damage)
		}
		newest, err := chain(t, source, store).Newest(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if s := newest.Topics[1].Partitions[0].Segments[0]; newest.Time != 5000 || s.MaxTime != 4500 {
			t.Errorf("the manifest is of %d, its segment ends at %d", newest.Time, s.MaxTime)
		}
		requireTimes(t, source, store, "t", 4300, 1000, 4000)
	})

	t.Run("what a run was not to look at is restored from the next one", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1, "other": 1}), newMemory()
		var c clock
		produce(t, source, "t", 0, timed(900)...)
		run(t, source, store, c.at(1000))
		produce(t, source, "t", 0, timed(1500)...)
		produce(t, source, "other", 0, timed(1600)...)
		run(t, source, store, c.at(2000), func(c *backup.Config) {
			c.Topics = func(topic string) bool { return topic == "other" }
		})
		run(t, source, store, c.at(3000))
		requireTimes(t, source, store, "t", 1999, 900, 1500)
	})
}

func TestMomentIsFoundWithoutListing(t *testing.T) {
	t.Parallel()
	source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
	var c clock
	for i := range int64(64) {
		produce(t, source, "t", 0, timed(i*1000, i*1000+500)...)
		run(t, source, store, c.at(i*1000+999))
	}
	openedBefore, listedBefore := store.counts()
	if _, err := backup.PlanRestore(testContext(t), backup.RestoreConfig{Chain: chain(t, source, store), Target: cluster(t, nil), Point: backup.Point{Time: time.UnixMilli(3600)}}); err != nil {
		t.Fatal(err)
	}
	// The newest, seven by halving, the one before and after with its read-ahead, a segment,
	// and the four manifests up to the moment.
	opened, listed := store.counts()
	if opened, listed = opened-openedBefore, listed-listedBefore; opened > 32 || listed > 1 {
		t.Errorf("%d objects were read and %d listed", opened, listed)
	}
}

func TestTransactionThatIsDeletedHalf(t *testing.T) {
	t.Parallel()
	source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
	ctx := testContext(t)
	producer, err := source.Transactional(ctx, "a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	write := func(end func(context.Context) error, sizes ...int) {
		t.Helper()
		for i, size := range sizes {
			value := make([]byte, size)
			b, err := batch.Build(batch.Options{}, []batch.Record{{Timestamp: int64(1000 + i), Value: value}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := producer.Produce(ctx, "t", 0, []batch.Batch{b}); err != nil {
				t.Fatal(err)
			}
		}
		if err := end(ctx); err != nil {
			t.Fatal(err)
		}
	}
	const large = 900_000 // two or three of them are one fetch
	write(producer.Abort, large, large, large, large, large, large)
	write(producer.Commit, 10, 10)
	deleted := false
	result := run(t, source, store, func(c *backup.Config) {
		c.SegmentBytes = 1
		c.Progress = func(backup.Progress) { // called between two segments of the first fetch
			if !deleted {
				deleted = true
				deleteRecords(t, source, "t", 0, 7) // with the marker that ends the aborted one
			}
		}
	})
	if len(result.Lost) != 1 || result.Records != 2 {
		t.Errorf("%d records were backed up, want the 2 that were committed; lost %+v", result.Records, result.Lost)
	}
	target := cluster(t, nil)
	restore(t, backup.RestoreConfig{Chain: chain(t, source, store), Target: target})
	requireSame(t, records(t, source, "t", 0), records(t, target, "t", 0))
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
	ctx := testContext(t)
	write := func(id string, commit bool, n int) *kafka.Transactional {
		producer, err := source.Transactional(ctx, id, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			b, err := batch.Build(batch.Options{}, timed(int64(1000+i)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := producer.Produce(ctx, "t", 0, []batch.Batch{b}); err != nil {
				t.Fatal(err)
			}
		}
		if commit {
			err = producer.Commit(ctx)
		} else {
			err = producer.Abort(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		return producer
	}
	small := func(c *backup.Config) { c.SegmentBytes = 200 } // two or three batches
	write("a", true, 5)
	write("a", false, 7)
	produce(t, source, "t", 0, timed(2000)...)
	run(t, source, store, small)
	write("a", true, 3)
	write("b", false, 5)
	open, err := source.Transactional(ctx, "open", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	b, err := batch.Build(batch.Options{}, timed(5000))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.Produce(ctx, "t", 0, []batch.Batch{b}); err != nil {
		t.Fatal(err)
	}
	produce(t, source, "t", 0, timed(2001)...)

	t.Run(
		"what was committed is restored, what was aborted is not, and what is open is not backed up",
		func(t *testing.T) {
			run(t, source, store, small)
			if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
				report.Records != 9 {
				t.Errorf("%+v", report)
			}
			target := cluster(t, nil)
			restore(t, backup.RestoreConfig{Chain: chain(t, source, store), Target: target})
			requireSame(t, records(t, source, "t", 0), records(t, target, "t", 0))
		},
	)
	t.Run("once it is decided it is backed up", func(t *testing.T) {
		if err := open.Abort(ctx); err != nil {
			t.Fatal(err)
		}
		write("a", true, 2)
		run(t, source, store, small)
		target := cluster(t, nil)
		restore(t, backup.RestoreConfig{Chain: chain(t, source, store), Target: target})
		requireSame(t, records(t, source, "t", 0), records(t, target, "t", 0))
		if got := records(t, target, "t", 0); len(got) != 12 {
			t.Errorf("%d records, want 12", len(got))
		}
	})
}
