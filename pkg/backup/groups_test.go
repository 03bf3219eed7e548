package backup_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestRestore(t *testing.T) {
	t.Parallel()

	t.Run(
		"a group goes on at the record that it had not read, whatever the offsets are in the target",
		func(t *testing.T) {
			t.Parallel()
			source, store := cluster(t, map[string]int32{"t": 3}), newMemory()
			ctx := testContext(t)
			for i := range uint64(6) {
				produce(t, source, "t", 0, sample.Plain(10, 100, i)...)
				produce(t, source, "t", 1, sample.Plain(10, 100, i)...)
			}
			deleteRecords(t, source, "t", 1, 15)
			if err := source.Commit(ctx, "readers", "t", map[int32]kafka.Committed{0: {Offset: 33, Metadata: "noted"}, 1: {Offset: 7}, 2: {Offset: 0}}); err != nil {
				t.Fatal(err)
			}
			if err := source.Commit(ctx, "done", "t", map[int32]kafka.Committed{0: {Offset: 60}}); err != nil {
				t.Fatal(err)
			}
			run(t, source, store)
			target := cluster(t, nil)
			topics, err := mirror.ParseTopicMap("t:copy")
			if err != nil {
				t.Fatal(err)
			}
			config := backup.RestoreConfig{
				Chain:       chain(t, source, store),
				Target:      target,
				Topics:      topics,
				RenameGroup: func(g string) string { return "new-" + g },
			}
			drilled, err := backup.Drill(ctx, config, nil)
			if err != nil || !drilled.OK() || drilled.Groups != 4 || drilled.Records != 105 {
				t.Fatalf("%+v, %v", drilled, err)
			}
			committed, err := target.CommittedAll(ctx, "new-readers")
			if err != nil || committed["copy"][0].Metadata != "noted" {
				t.Errorf("%v, %v", committed, err)
			}
			before := committed["copy"][0].Offset
			if err := target.Commit(ctx, "new-readers", "copy", map[int32]kafka.Committed{0: {Offset: before + 5}}); err != nil {
				t.Fatal(err)
			}
			restore(t, config)
			if again, err := target.CommittedAll(ctx, "new-readers"); err != nil ||
				again["copy"][0].Offset != before+5 {
				t.Errorf("a position in the target was moved: %v, %v", again, err)
			}
		},
	)

	t.Run("single partitions are restored where they were, and one that is not there is an error", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 4, "u": 1}), newMemory()
		for p := range int32(4) {
			produce(t, source, "t", p, sample.Plain(10+int(p), 100, uint64(p))...)
		}
		produce(t, source, "u", 0, sample.Plain(5, 100, 9)...)
		run(t, source, store)
		target := cluster(t, nil)
		config := backup.RestoreConfig{
			Chain: chain(t, source, store), Target: target, Partitions: map[string][]int32{"t": {1, 3}},
		}
		if done := restore(t, config); done.Records != 11+13+5 {
			t.Errorf("%d records, want those of t/1, t/3 and u", done.Records)
		}
		for p, want := range []int{0, 11, 0, 13} {
			if got := records(t, target, "t", int32(p)); len(got) != want {
				t.Errorf("t/%d has %d records, want %d", p, len(got), want)
			}
		}
		config.Partitions = nil // the others
		if done := restore(t, config); done.Records != 10+12 {
			t.Errorf("%d records, want those of t/0 and t/2", done.Records)
		}
		for _, wrong := range []map[string][]int32{{"t": {4}}, {"v": {0}}} {
			config.Partitions = wrong
			if _, err := backup.PlanRestore(testContext(t), config); err == nil {
				t.Errorf("%v is taken", wrong)
			}
		}
	})

	t.Run("positions are set in topics that keep their name, elsewhere where somebody says so", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1, "u": 1}), newMemory()
		for _, topic := range []string{"t", "u"} {
			produce(t, source, topic, 0, sample.Plain(10, 100, 1)...)
			for _, group := range []string{"a", "b"} {
				if err := source.Commit(testContext(t), group, topic, map[int32]kafka.Committed{0: {Offset: 5}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		run(t, source, store)
		topics, err := mirror.ParseTopicMap("t:copy")
		if err != nil {
			t.Fatal(err)
		}
		for groups, want := range map[string]string{
			"": "[a:u b:u]", "none": "[]", "all": "[a:t a:u b:t b:u]", "a|x": "[a:t a:u]",
		} {
			selected, err := backup.SelectGroups(groups)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := backup.PlanRestore(testContext(t), backup.RestoreConfig{
				Chain: chain(t, source, store), Topics: topics, Groups: selected,
			})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, g := range plan.Groups {
				for _, p := range g.Positions {
					got = append(got, g.ID+":"+p.Topic)
				}
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%q sets %v, want %s", groups, got, want)
			}
		}
		if _, err := backup.SelectGroups("("); err == nil {
			t.Error("a wrong expression is taken")
		}
	})

	for name, point := range map[string]backup.Point{
		"everything": {},
		"a moment":   {Time: time.Now().Add(time.Hour)},
	} {
		t.Run("a drill of "+name+" compares what it has restored, also where a run adds to it", func(t *testing.T) {
			t.Parallel()
			source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
			add := func() {
				t.Helper()
				produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
				for _, group := range []string{"a", "b"} {
					if err := source.Commit(testContext(t), group, "t", map[int32]kafka.Committed{0: {Offset: 5}}); err != nil {
						t.Fatal(err)
					}
				}
				run(t, source, store)
			}
			add()
			drilled, err := backup.Drill(testContext(t), backup.RestoreConfig{
				Chain: chain(t, source, store), Target: cluster(t, nil), Point: point,
			}, func() time.Time {
				add() // the second time the restore is done
				return time.Now()
			})
			if err != nil || !drilled.OK() || drilled.Records != 20 || drilled.Groups != 2 {
				t.Errorf("%+v, %v", drilled, err)
			}
		})
	}

	t.Run("a plan says which retention deletes restored records, also where it is the brokers' default", func(t *testing.T) {
		t.Parallel()
		source, store, ctx := cluster(t, nil), newMemory(), testContext(t)
		for topic, settings := range map[string]map[string]string{
			"default": nil,
			"own":     {"retention.ms": "1000"},
			"ever":    {"retention.ms": "-1", "retention.bytes": "-1"},
			"compact": {"cleanup.policy": "compact"},
		} {
			if err := source.CreateTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: 1, Settings: settings}); err != nil {
				t.Fatal(err)
			}
		}
		run(t, source, store)
		config := backup.RestoreConfig{Chain: chain(t, source, store), Target: cluster(t, nil)}
		for _, unlimited := range []bool{false, true} {
			config.Unlimited = unlimited
			plan, err := backup.PlanRestore(ctx, config)
			if err != nil {
				t.Fatal(err)
			}
			for _, topic := range plan.Topics {
				notes := strings.Join(topic.Notes, "\n")
				want := map[string]string{"default": "retention.ms=604800000", "own": "retention.ms=1000"}[topic.Name]
				if unlimited {
					want = ""
				}
				if (want == "") != (notes == "") || !strings.Contains(notes, want) ||
					want != "" && !strings.Contains(notes, "--keep-for-ever") {
					t.Errorf("unlimited %v, topic %s: %q, want %q", unlimited, topic.Name, notes, want)
				}
			}
		}
	})

	t.Run(
		"a target topic with records of others is refused, the original too, and nothing is touched",
		func(t *testing.T) {
			t.Parallel()
			source, store := cluster(t, map[string]int32{"a": 1, "t": 1}), newMemory()
			produce(t, source, "a", 0, sample.Plain(10, 100, 1)...)
			produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
			run(t, source, store)
			config := backup.RestoreConfig{Chain: chain(t, source, store), Target: cluster(t, map[string]int32{"t": 1})}
			produce(t, config.Target, "t", 0, sample.Plain(1, 100, 1)...)
			if _, err := backup.Restore(testContext(t), config); !errors.Is(err, backup.ErrNotEmpty) {
				t.Errorf("%v", err)
			}
			if _, err := config.Target.Topic(testContext(t), "a"); !errors.Is(err, kafka.ErrUnknownTopic) {
				t.Errorf("the other topic was created: %v", err)
			}
			config.IntoTopicsThatHoldRecords = true
			restore(t, config)
			if got := records(t, config.Target, "t", 0); len(got) != 11 {
				t.Errorf("%d records, want 11", len(got))
			}
			config.Target = source
			if _, err := backup.Restore(testContext(t), config); err == nil ||
				!strings.Contains(err.Error(), "is the one that was backed up") {
				t.Errorf("%v", err)
			}
		},
	)

	t.Run("what is encrypted is restored with its key, and without it the error says so", func(t *testing.T) {
		t.Parallel()
		source, store, identity := small(t)
		config := backup.RestoreConfig{Chain: chain(t, source, store), Target: cluster(t, nil)}
		other, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		for _, identities := range [][]age.Identity{nil, {other}} {
			config.Identities = identities
			if _, err := backup.Restore(testContext(t), config); !errors.Is(err, backup.ErrKey) ||
				!strings.Contains(err.Error(), "secret/0") {
				t.Errorf("%v", err)
			}
		}
		config.Identities = []age.Identity{other, identity}
		restore(t, config)
		requireSame(t, records(t, source, "secret", 0), records(t, config.Target, "secret", 0))
	})

	t.Run("damage stops a restore before its records, and by choice the rest is restored", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		for i := range uint64(10) {
			produce(t, source, "t", 0, sample.Plain(10, 100, i)...)
		}
		run(t, source, store, func(c *backup.Config) { c.SegmentBytes = 1 })
		all := segments(store)
		store.objects[all[3]] = append([]byte{1}, store.objects[all[3]]...)
		delete(store.objects, all[9])
		config := backup.RestoreConfig{Chain: chain(t, source, store), Target: cluster(t, nil)}
		_, err := backup.Restore(testContext(t), config)
		var damage *backup.DamageError
		if !errors.As(err, &damage) || damage.Offset != 30 || damage.Key != all[3] {
			t.Fatalf("%v", err)
		}
		config.SkipDamaged = true
		done := restore(t, config)
		if got := records(t, config.Target, "t", 0); len(got) != 80 || len(done.Plan.Damage) != 2 {
			t.Errorf("%d records, want 80; %v", len(got), done.Plan.Damage)
		}
	})

	t.Run("it is killed at any read and goes on, no record doubled", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
		for i := range uint64(20) {
			produce(t, source, "t", 0, sample.Plain(10, 100, i)...)
		}
		run(t, source, store, func(c *backup.Config) { c.SegmentBytes = 1 })
		config := backup.RestoreConfig{Chain: chain(t, source, store), Target: cluster(t, nil)}
		for kill := 3; ; kill += 3 {
			left := kill
			store.fault = func(string, string) error {
				if left--; left < 0 {
					return errKilled
				}
				return nil
			}
			_, err := backup.Restore(testContext(t), config)
			store.fault = nil
			if err == nil {
				break
			}
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
		}
		requireSame(t, records(t, source, "t", 0), records(t, config.Target, "t", 0))
	})
}
