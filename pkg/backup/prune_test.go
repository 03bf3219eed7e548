package backup_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

func prune(t *testing.T, config backup.PruneConfig) backup.Pruned {
	t.Helper()
	pruned, err := backup.Prune(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	return pruned
}

// grown is a backup of six runs a second apart, of a topic that its cluster has deleted the
// first 30 of 60 records of before the fourth, and of one that keeps everything.
func grown(t *testing.T) (*kafka.Client, *memory) {
	t.Helper()
	source, store := cluster(t, map[string]int32{"short": 1, "long": 1}), newMemory()
	var c clock
	for i := range int64(6) {
		if i == 3 {
			deleteRecords(t, source, "short", 0, 30)
		}
		for _, topic := range []string{"short", "long"} {
			produce(t, source, topic, 0, sample.Plain(10, 100, uint64(i))...)
		}
		run(t, source, store, c.at(2_000_000_000_000+1000*i))
	}
	return source, store
}

func TestPrune(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.UnixMilli(2_000_000_006_000) }
	restored := func(t *testing.T, source *kafka.Client, store *memory, sequence int64) (short, long int) {
		t.Helper()
		target := cluster(t, nil)
		restore(
			t,
			backup.RestoreConfig{
				Chain:  chain(t, source, store),
				Target: target,
				Point:  backup.Point{Sequence: sequence},
			},
		)
		return len(records(t, target, "short", 0)), len(records(t, target, "long", 0))
	}

	t.Run("a dry run says what would go, and changes nothing", func(t *testing.T) {
		t.Parallel()
		source, store := grown(t)
		before := fmt.Sprint(store.keys(""))
		pruned := prune(t, backup.PruneConfig{Chain: chain(t, source, store), Count: 2, Now: now})
		if pruned.Executed || pruned.Manifests != 4 || pruned.Segments != 3 || pruned.Oldest != 5 ||
			fmt.Sprint(store.keys("")) != before {
			t.Errorf("%+v", pruned)
		}
	})

	for name, config := range map[string]backup.PruneConfig{
		"by count":                {Count: 2},
		"by age":                  {Age: 2500 * time.Millisecond},
		"by count, and a low age": {Count: 2, Age: time.Millisecond},
		"by age, and a low count": {Count: 1, Age: 2500 * time.Millisecond},
	} {
		t.Run(
			"old backups are removed "+name+", and each that is kept restores what the cluster had",
			func(t *testing.T) {
				t.Parallel()
				source, store := grown(t)
				config.Chain, config.Now, config.Execute = chain(t, source, store), now, true
				pruned := prune(t, config)
				if pruned.Oldest != 5 || pruned.Segments != 3 || pruned.Carried == 0 {
					t.Errorf("%+v", pruned)
				}
				report := verify(t, backup.VerifyConfig{Chain: config.Chain})
				if !report.OK() || report.Oldest != 5 || len(segments(store)) != report.Segments {
					t.Errorf("%d segments, %+v", len(segments(store)), report)
				}
				for sequence, want := range map[int64][2]int{5: {20, 50}, 6: {30, 60}} {
					if short, long := restored(t, source, store, sequence); short != want[0] || long != want[1] {
						t.Errorf("backup %d has %d and %d records, want %v", sequence, short, long, want)
					}
				}
				_, err := backup.PlanRestore(
					testContext(t),
					backup.RestoreConfig{
						Chain:  config.Chain,
						Target: source,
						Point:  backup.Point{Time: time.UnixMilli(2_000_000_001_000)},
					},
				)
				if !errors.Is(err, backup.ErrNoBackup) {
					t.Errorf("a moment that was pruned: %v", err)
				}
				produce(t, source, "long", 0, sample.Plain(10, 100, 9)...)
				if result := run(t, source, store); result.Records != 10 {
					t.Errorf("the next run: %+v", result)
				}
				prune(t, backup.PruneConfig{Chain: config.Chain, Count: 1, Execute: true})
				if _, long := restored(t, source, store, 0); long != 70 {
					t.Errorf("after another one it has %d records, want 70", long)
				}
				if report := verify(t, backup.VerifyConfig{Chain: config.Chain}); !report.OK() ||
					len(segments(store)) != report.Segments {
					t.Errorf("%d segments, %+v", len(segments(store)), report)
				}
			},
		)
	}

	for name, config := range map[string]backup.PruneConfig{
		"by count": {Count: 3},
		"by age":   {Age: 3500 * time.Millisecond},
	} {
		t.Run("again and again "+name+", with nothing new, it removes nothing more", func(t *testing.T) {
			t.Parallel()
			source, store := grown(t)
			config.Chain, config.Now, config.Execute = chain(t, source, store), now, true
			first := prune(t, config)
			if first.Oldest != 4 || first.Newest != 7 {
				t.Fatalf("%+v", first)
			}
			before := fmt.Sprint(store.keys(""))
			if config.Age > 0 { // and much later it is the newest backup that is kept
				config.Now = func() time.Time { return time.UnixMilli(2_000_001_000_000) }
				if late := prune(t, config); late.Oldest != 6 || late.Newest != 8 {
					t.Fatalf("%+v", late)
				}
				before = fmt.Sprint(store.keys(""))
			}
			for range 5 {
				if again := prune(t, config); again.Manifests != 0 || fmt.Sprint(store.keys("")) != before {
					t.Fatalf("%+v", again)
				}
			}
			if short, long := restored(t, source, store, 6); short != 30 || long != 60 {
				t.Errorf("backup 6 has %d and %d records", short, long)
			}
		})
	}

	t.Run("a run that is about to name what a prune removes for its age is left behind", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"a": 1}), newMemory()
		ctx := testContext(t)
		produce(t, source, "a", 0, sample.Plain(10, 100, 1)...)
		run(t, source, store)
		if err := source.CreateTopic(ctx, kafka.TopicSpec{Name: "b", Partitions: 1}); err != nil {
			t.Fatal(err)
		}
		produce(t, source, "b", 0, sample.Plain(10, 100, 2)...)
		store.fault = func(call, key string) error {
			if call == "create" && strings.Contains(key, "/manifests/") {
				return errKilled
			}
			return nil
		}
		if _, err := backup.Run(ctx, backup.Config{Source: source, Store: store}); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		store.fault = nil
		opened := chain(t, source, store)
		_, err := backup.Run(ctx, backup.Config{Source: source, Store: store, Progress: func(backup.Progress) {
			// It has found the segment of the killed run, and has no manifest yet.
			if pruned := prune(t, backup.PruneConfig{Chain: opened, Count: 10, Execute: true}); pruned.Segments != 1 {
				t.Errorf("%+v", pruned)
			}
		}})
		if !errors.Is(err, backup.ErrTaken) {
			t.Errorf("%v", err)
		}
		run(t, source, store)
		if report := verify(t, backup.VerifyConfig{Chain: opened}); !report.OK() || report.Records != 20 {
			t.Errorf("%+v", report)
		}
	})

	t.Run("what a run has written in its middle is no backup that counts", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
		run(t, source, store)
		for i := range uint64(3) {
			produce(t, source, "t", 0, sample.Plain(10, 100, i)...)
		}
		last := run(t, source, store, func(c *backup.Config) { c.SegmentBytes, c.CommitBytes = 1, 1 })
		if last.Sequence < 4 {
			t.Fatalf("%+v", last)
		}
		if pruned := prune(t, backup.PruneConfig{Chain: chain(t, source, store), Count: 2}); pruned.Oldest != 1 {
			t.Errorf("%+v", pruned)
		}
	})

	t.Run(
		"killed at any request it leaves a backup that is whole, and the next one removes the rest",
		func(t *testing.T) {
			t.Parallel()
			source, whole := grown(t)
			for kill := 1; ; kill++ {
				store, calls := whole.copy(), 0
				store.fault = func(call, _ string) error {
					if call != "open" {
						if calls++; calls >= kill {
							return errKilled
						}
					}
					return nil
				}
				config := backup.PruneConfig{Chain: chain(t, source, store), Count: 2, Execute: true, Now: now}
				_, err := backup.Prune(testContext(t), config)
				store.fault = nil
				if err == nil {
					break
				}
				if report := verify(t, backup.VerifyConfig{Chain: config.Chain}); !report.OK() {
					t.Fatalf("killed at request %d: %v", kill, report.Damage)
				}
				prune(t, config)
				if report := verify(t, backup.VerifyConfig{Chain: config.Chain}); !report.OK() ||
					len(segments(store)) != report.Segments {
					t.Fatalf("killed at request %d, and again: %d segments, %+v", kill, len(segments(store)), report)
				}
			}
		},
	)
}
