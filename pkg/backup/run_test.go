package backup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

var errKilled = errors.New("killed")

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("nothing new is no object but the note that a run has looked", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 3}), newMemory()
		produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
		run(t, source, store)
		before := len(store.keys(""))
		result := run(t, source, store)
		if result.Changed || !result.Complete || result.Sequence != 1 || len(store.keys("")) != before {
			t.Errorf("%+v, %d objects, want %d", result, len(store.keys("")), before)
		}
		checked, err := chain(t, source, store).Checked(testContext(t))
		if err != nil || checked.IsZero() {
			t.Errorf("checked at %v, %v", checked, err)
		}
	})

	t.Run(
		"a run that is killed at any request leaves no half backup, and the next one uploads nothing twice",
		func(t *testing.T) {
			t.Parallel()
			source := cluster(t, map[string]int32{"t": 2})
			for i := range uint64(8) {
				produce(t, source, "t", int32(i%2), sample.Plain(20, 100, i)...)
			}
			change := func(c *backup.Config) { c.SegmentBytes, c.CommitBytes, c.Parallel = 3<<10, 8<<10, 1 }
			whole := newMemory()
			run(t, source, whole, change)
			for kill := 1; ; kill++ {
				store := newMemory()
				calls, dead := 0, false
				store.fault = func(call, _ string) error {
					if calls++; calls == kill && call != "open" {
						dead = true
					}
					if dead {
						return errKilled
					}
					return nil
				}
				config := backup.Config{Source: source, Store: store}
				change(&config)
				_, err := backup.Run(testContext(t), config)
				store.fault = nil
				if !dead {
					if calls < kill {
						break
					}
					continue
				}
				if !errors.Is(err, errKilled) {
					t.Fatalf("killed at call %d: %v", kill, err)
				}
				if report, err := backup.Verify(testContext(t), backup.VerifyConfig{Chain: chain(t, source, store)}); err == nil &&
					!report.OK() {
					t.Fatalf("killed at call %d: %v", kill, report.Damage)
				}
				run(t, source, store, change)
				if got, want := segments(store), segments(whole); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("killed at call %d: there are %v, want %v", kill, got, want)
				}
				if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
					report.Records != 160 {
					t.Fatalf("killed at call %d: %+v", kill, report)
				}
			}
		},
	)

	t.Run("what a killed run has left is taken only where its content is what it says of itself", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		produce(t, source, "t", 0, sample.Plain(20, 100, 1)...)
		run(t, source, store)
		for _, key := range store.keys("") {
			if strings.Contains(key, "/topics/") {
				store.objects[key][50] ^= 1 // of which the note says nothing
			} else {
				delete(store.objects, key)
			}
		}
		run(t, source, store)
		if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() || report.Records != 20 {
			t.Errorf("%+v", report)
		}
	})

	t.Run("what a killed run has left long ago, and a prune may be about to remove, is not taken over", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		produce(t, source, "t", 0, sample.Plain(20, 100, 1)...)
		at := time.UnixMilli(2_000_000_000_000)
		store.modified = func() time.Time { return at }
		now := func(c *backup.Config) { c.Now = func() time.Time { return at } }
		killed := func() {
			t.Helper()
			store.fault = func(call, key string) error {
				if call == "create" && strings.Contains(key, "/manifests/") {
					return errKilled
				}
				return nil
			}
			config := backup.Config{Source: source, Store: store}
			now(&config)
			if _, err := backup.Run(testContext(t), config); !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			store.fault = nil
		}
		killed()
		old := segments(store)
		at = at.Add(11 * time.Hour)
		killed() // and takes it over
		if got := segments(store); len(got) != 1 {
			t.Fatalf("%v", got)
		}
		at = at.Add(2 * time.Hour)
		killed()
		at = at.Add(13 * time.Hour)
		run(t, source, store, now)
		if got := segments(store); len(got) != 3 {
			t.Fatalf("%v", got)
		}
		opened := chain(t, source, store)
		delete(store.objects, old[0]) // as a prune does that has listed it before the run began
		if report := verify(t, backup.VerifyConfig{Chain: opened}); !report.OK() || report.Records != 20 {
			t.Errorf("%+v", report)
		}
		prune(t, backup.PruneConfig{Chain: opened, Count: 1, Execute: true, Now: func() time.Time { return at }})
		if report := verify(t, backup.VerifyConfig{Chain: opened}); !report.OK() || len(segments(store)) != 1 {
			t.Errorf("%+v, %v", report, segments(store))
		}
	})

	t.Run("of runs at the same time one wins a manifest, and the backup is whole", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 4}), newMemory()
		for i := range uint64(16) {
			produce(t, source, "t", int32(i%4), sample.Plain(20, 100, i)...)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				_, err := backup.Run(
					testContext(t),
					backup.Config{
						Source:       source,
						Store:        store,
						SegmentBytes: 1 + rand.IntN(4<<10),
						CommitBytes:  4 << 10,
					},
				)
				if err != nil && !errors.Is(err, backup.ErrTaken) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		run(t, source, store)
		if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
			report.Records != 320 {
			t.Errorf("%+v", report)
		}
		if _, err := backup.Prune(testContext(t), backup.PruneConfig{Chain: chain(t, source, store), Count: 100, Execute: true}); err != nil {
			t.Fatal(err)
		}
		report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)})
		if !report.OK() || report.Records != 320 || len(segments(store)) != report.Segments {
			t.Errorf("%d segments are left, and the backup has %+v", len(segments(store)), report)
		}
	})

	t.Run(
		"a topic that was created again begins a new lineage, and the old one is restored from before",
		func(t *testing.T) {
			t.Parallel()
			source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
			produce(t, source, "t", 0, sample.Plain(30, 100, 1)...)
			old := records(t, source, "t", 0)
			run(t, source, store)
			ctx := testContext(t)
			if err := source.DeleteTopic(ctx, "t"); err != nil {
				t.Fatal(err)
			}
			for { // its name is free a moment later
				err := source.CreateTopic(ctx, kafka.TopicSpec{Name: "t", Partitions: 1})
				if err == nil {
					break
				}
				if !errors.Is(err, kafka.ErrTopicExists) {
					t.Fatal(err)
				}
			}
			produce(t, source, "t", 0, sample.Plain(40, 100, 2)...)
			result := run(t, source, store)
			if strings.Join(result.Recreated, ",") != "t" || result.Records != 40 {
				t.Errorf("%+v", result)
			}
			for sequence, want := range map[int64]int{1: 30, 2: 40} {
				target := cluster(t, nil)
				restore(
					t,
					backup.RestoreConfig{
						Chain:  chain(t, source, store),
						Target: target,
						Point:  backup.Point{Sequence: sequence},
					},
				)
				got := records(t, target, "t", 0)
				if len(got) != want {
					t.Errorf("backup %d has %d records, want %d", sequence, len(got), want)
				}
				if sequence == 1 {
					requireSame(t, old, got)
				}
			}
		},
	)

	t.Run("a topic that a run leaves out stays as it was, and goes on with the next", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"a": 1, "b": 1}), newMemory()
		for i := range uint64(3) {
			produce(t, source, "a", 0, sample.Plain(10, 100, i)...)
			produce(t, source, "b", 0, sample.Plain(10, 100, i)...)
			result := run(t, source, store, func(c *backup.Config) {
				if i == 1 {
					c.Topics = func(topic string) bool { return topic == "a" }
				}
			})
			if want := []int64{20, 10, 30}[i]; result.Records != want {
				t.Errorf("run %d has backed up %d records, want %d", i, result.Records, want)
			}
		}
		if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
			report.Records != 60 {
			t.Errorf("%+v", report)
		}
		for sequence, want := range map[int64]int{2: 10, 3: 30} {
			target := cluster(t, nil)
			restore(
				t,
				backup.RestoreConfig{
					Chain:  chain(t, source, store),
					Target: target,
					Point:  backup.Point{Sequence: sequence},
				},
			)
			if got := records(t, target, "b", 0); len(got) != want {
				t.Errorf("backup %d has %d records, want %d", sequence, len(got), want)
			}
		}
	})

	t.Run("a run ends in time, writes its manifest, and the next one goes on", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
		ctx, stop := context.WithTimeout(testContext(t), testTimeout/2)
		defer stop()
		result, err := backup.Run(ctx, backup.Config{Source: source, Store: store, Margin: testTimeout})
		if err != nil || result.Complete || !result.Changed || result.Records != 0 {
			t.Errorf("%+v, %v", result, err)
		}
		if result := run(t, source, store); !result.Complete || result.Records != 10 {
			t.Errorf("%+v", result)
		}
	})

	for kill := 1; kill <= 3; kill++ {
		t.Run(fmt.Sprintf("stopped after segment %d it keeps what it has done, and skips nothing", kill), func(t *testing.T) {
			t.Parallel()
			source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
			for i := range uint64(20) {
				produce(t, source, "t", 0, sample.Plain(10, 100, i)...)
			}
			ctx, stop := context.WithCancel(testContext(t))
			defer stop()
			done := 0
			config := backup.Config{Source: source, Store: store, SegmentBytes: 3 << 10, Progress: func(backup.Progress) {
				if done++; done == kill {
					stop()
				}
			}}
			result, err := backup.Run(ctx, config)
			if !errors.Is(err, context.Canceled) || result.Complete || !result.Changed || result.Sequence != 1 {
				t.Errorf("%+v, %v", result, err)
			}
			if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
				report.Records != result.Records || report.Records == 0 {
				t.Errorf("%+v", report)
			}
			run(t, source, store)
			if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
				report.Records != 200 {
				t.Errorf("after the next run: %+v", report)
			}
		})
	}

	t.Run("stopped while it uploads it skips nothing", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		for i := range uint64(2) {
			produce(t, source, "t", 0, sample.Plain(10, 1000, i)...)
		}
		ctx, stop := context.WithCancel(testContext(t))
		defer stop()
		store.fault = func(call, key string) error {
			if call == "create" && strings.Contains(key, "/topics/") {
				stop()
			}
			return nil
		}
		_, err := backup.Run(ctx, backup.Config{Source: source, Store: store, SegmentBytes: 1})
		store.fault = nil
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		run(t, source, store)
		if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
			report.Records != 20 {
			t.Errorf("%+v", report)
		}
	})

	t.Run("a run whose manifest was overwritten by another one's does not go on", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
		about, err := source.Cluster(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		m := goodManifest()
		m.Cluster = about.ID
		other, err := backup.Seal(m)
		if err != nil {
			t.Fatal(err)
		}
		store.fault = func(call, key string) error {
			if _, ok := store.objects[key]; ok && call == "open" && strings.Contains(key, "/manifests/") {
				store.objects[key] = other // as a bucket that has had versions lets it happen
			}
			return nil
		}
		_, err = backup.Run(testContext(t), backup.Config{Source: source, Store: store})
		if !errors.Is(err, backup.ErrTaken) {
			t.Errorf("%v", err)
		}
	})

	t.Run("a cluster that takes records away is told of, and the rest restored", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
		run(t, source, store)
		produce(t, source, "t", 0, sample.Plain(10, 100, 2)...)
		deleteRecords(t, source, "t", 0, 15)
		result := run(t, source, store)
		if len(result.Lost) != 1 || result.Lost[0].Gap != (backup.Gap{First: 10, Next: 15}) {
			t.Fatalf("lost %+v", result.Lost)
		}
		if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
			len(report.Lost) != 1 {
			t.Errorf("%+v", report)
		}
		target := cluster(t, nil)
		if got := restore(t, backup.RestoreConfig{Chain: chain(t, source, store), Target: target}); got.Records != 15 ||
			len(got.Plan.Topics[0].Partitions[0].Holes) != 1 {
			t.Errorf("restored %d records, want 15; %+v", got.Records, got.Plan.Topics)
		}
	})
}
