package migrate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/migrate"
)

// preview looks at a plan, and wants no error.
func (r *rig) preview(t *testing.T, plan migrate.Plan) migrate.Preview {
	t.Helper()
	preview, err := r.Preview(testContext(t), plan)
	if err != nil {
		t.Fatal(err)
	}
	return preview
}

// requireKinds wants conflicts or warnings of these kinds, each with choices.
func requireKinds(t *testing.T, what string, got []migrate.Conflict, want ...migrate.ConflictKind) {
	t.Helper()
	var kinds []migrate.ConflictKind
	for _, c := range got {
		kinds = append(kinds, c.Kind)
		if c.Problem == "" || c.Choices == "" {
			t.Errorf("%s %+v has no problem or no choices", what, c)
		}
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("%s are %v, want %v: %+v", what, kinds, want, got)
	}
}

func createOrders(t *testing.T, c *kafka.Client, partitions int, settings map[string]string) {
	t.Helper()
	if err := c.CreateTopic(testContext(t), kafka.TopicSpec{Name: "orders", Partitions: partitions, Settings: settings}); err != nil {
		t.Fatal(err)
	}
}

func TestConflictsOfTopics(t *testing.T) {
	t.Parallel()

	t.Run("a target topic with more partitions is a conflict, one with fewer a warning", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createOrders(t, r.Source, 2, nil)
		createOrders(t, r.Target, 3, nil)
		got := r.preview(t, r.plan())
		requireKinds(t, "conflicts", got.Conflicts, migrate.PartitionsDiffer)
		if err := r.Source.CreatePartitions(testContext(t), "orders", 4); err != nil {
			t.Fatal(err)
		}
		got = r.preview(t, r.plan())
		requireKinds(t, "conflicts", got.Conflicts)
		requireKinds(t, "warnings", got.Warnings, migrate.PartitionsDiffer)
	})

	t.Run("settings that the copy would change are warnings with both values", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createOrders(t, r.Source, 1, map[string]string{"retention.ms": "1000000000", "max.message.bytes": "2000000"})
		createOrders(t, r.Target, 1, map[string]string{"retention.ms": "2000000000"})
		got := r.preview(t, r.plan())
		requireKinds(t, "conflicts", got.Conflicts)
		requireKinds(t, "warnings", got.Warnings, migrate.SettingsDiffer, migrate.SettingsDiffer)
		w := got.Warnings[1]
		if w.Setting != "retention.ms" || w.SourceValue != "1000000000" || w.TargetValue != "2000000000" ||
			!strings.Contains(w.Choices, "--keep-settings") {
			t.Errorf("warning is %+v", w)
		}
	})

	t.Run("settings that are kept are warnings, and a conflict where records would not fit", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createOrders(t, r.Source, 1, map[string]string{"retention.ms": "1000000000", "max.message.bytes": "2000000"})
		createOrders(t, r.Target, 1, map[string]string{"retention.ms": "2000000000"})
		plan := r.plan()
		plan.KeepSettings = true
		got := r.preview(t, plan)
		requireKinds(t, "conflicts", got.Conflicts, migrate.SettingsDiffer)
		requireKinds(t, "warnings", got.Warnings, migrate.SettingsDiffer)
		if got.Conflicts[0].Setting != "max.message.bytes" || got.Warnings[0].Setting != "retention.ms" {
			t.Errorf("preview is %+v", got)
		}
	})

	t.Run("a target topic that replaces times is a conflict where its settings are kept, because nothing could be copied", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createOrders(t, r.Source, 1, nil)
		createOrders(t, r.Target, 1, map[string]string{"message.timestamp.type": "LogAppendTime"})
		plan := r.plan()
		requireKinds(t, "warnings", r.preview(t, plan).Warnings, migrate.SettingsDiffer)
		plan.KeepSettings = true
		requireKinds(t, "conflicts", r.preview(t, plan).Conflicts, migrate.SettingsDiffer)
	})

	t.Run("a topic that the target would not create is a conflict", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createTopic(t, r.Source, "orders.new")
		createTopic(t, r.Target, "orders_new") // Kafka takes them for a clash
		err := r.Target.CheckCreate(testContext(t), kafka.TopicSpec{Name: "orders.new", Partitions: 1})
		if err == nil {
			t.Skip("embedded brokers take both names")
		}
		requireKinds(t, "conflicts", r.preview(t, r.plan()).Conflicts, migrate.NotCreatable)
	})

	t.Run("target settings that are kept are not changed by the copy", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, func(r *rig, plan *migrate.Plan) {
			settings := sample.TopicSettings()
			settings["retention.bytes"] = "5000000000"
			createOrders(t, r.Target, 1, settings)
			plan.KeepSettings = true
			if err := r.Source.AlterTopicSettings(testContext(t), "orders", map[string]string{"retention.bytes": "7000000000"}, nil); err != nil {
				t.Fatal(err)
			}
		})
		settings, _, err := r.Target.TopicSettings(testContext(t), "orders")
		if err != nil || settings["retention.bytes"] != "5000000000" {
			t.Errorf("retention.bytes of the target is %s (%v), want it kept", settings["retention.bytes"], err)
		}
	})
}

func TestConflictsOfGroups(t *testing.T) {
	t.Parallel()

	// both has group g at both sides, with commits in other topics of the target.
	both := func(t *testing.T) *rig {
		t.Helper()
		r := newRig(t)
		createTopic(t, r.Source, "orders")
		createTopic(t, r.Target, "payments")
		write(t, r.Source, 5)
		commit(t, r.Source, "g", map[int32]int64{0: 3})
		if err := r.Target.Commit(testContext(t), "g", "payments", map[int32]kafka.Committed{0: {Offset: 1}}); err != nil {
			t.Fatal(err)
		}
		return r
	}

	t.Run("a group that has committed on the target is a conflict", func(t *testing.T) {
		t.Parallel()
		r := both(t)
		got := r.preview(t, r.plan())
		requireKinds(t, "conflicts", got.Conflicts, migrate.GroupExists)
		for _, flag := range []string{"--group-prefix", "--group-names", "--exclude-groups"} {
			if !strings.Contains(got.Conflicts[0].Choices, flag) {
				t.Errorf("choices are %q, want %s", got.Conflicts[0].Choices, flag)
			}
		}
		want := migrate.PlannedGroup{Source: "g", Target: "g", Positions: 1}
		if got.Conflicts[0].Group != "g" || len(got.Groups) != 1 || got.Groups[0] != want {
			t.Errorf("preview is %+v", got)
		}
	})

	for choice, choose := range map[string]func(*migrate.Plan){
		"a prefix":          func(p *migrate.Plan) { p.GroupPrefix = "east-" },
		"a name of its own": func(p *migrate.Plan) { p.GroupNames = "g:h" },
		"its exclusion":     func(p *migrate.Plan) { p.ExcludeGroups = []string{"g"} },
	} {
		t.Run(choice+" resolves it", func(t *testing.T) {
			t.Parallel()
			r := both(t)
			plan := r.plan()
			choose(&plan)
			requireKinds(t, "conflicts", r.preview(t, plan).Conflicts)
		})
	}

	t.Run("a group that has members on the target is a conflict that says so", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createTopic(t, r.Source, "orders")
		createTopic(t, r.Target, "payments")
		write(t, r.Source, 5)
		commit(t, r.Source, "g", map[int32]int64{0: 3})
		group, err := r.Target.Group(kafka.GroupConfig{ID: "g", Topics: []string{"payments"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { group.Close() })
		generation, err := group.Next(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(generation.Release)
		got := r.preview(t, r.plan())
		requireKinds(t, "conflicts", got.Conflicts, migrate.GroupExists)
		if !strings.Contains(got.Conflicts[0].Problem, "1 members") {
			t.Errorf("problem is %q", got.Conflicts[0].Problem)
		}
	})

	t.Run("two groups that would get one name are a conflict", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createTopic(t, r.Source, "orders")
		commit(t, r.Source, "a", map[int32]int64{0: 0})
		commit(t, r.Source, "b", map[int32]int64{0: 0})
		plan := r.plan()
		plan.GroupNames = "a:b"
		requireKinds(t, "conflicts", r.preview(t, plan).Conflicts, migrate.GroupTaken)
	})

	t.Run("names that cannot be are refused, all of them", func(t *testing.T) {
		t.Parallel()
		plan := migrate.Plan{Name: "move", Include: []string{".*"}, GroupNames: "a,b:,c:d:e,f:x,f:y,g:x"}
		err := plan.Check()
		for _, pair := range []string{`"a"`, `"b:"`, `"c:d:e"`, `"f:y"`, `"g:x"`} {
			if err == nil || !strings.Contains(err.Error(), pair) {
				t.Errorf("%v does not name %s", err, pair)
			}
		}
	})

	t.Run("a group goes on under its new name, and back under its old one", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, func(r *rig, plan *migrate.Plan) {
			commit(t, r.Source, "g", map[int32]int64{0: 3})
			commit(t, r.Source, "other", map[int32]int64{0: 2})
			plan.GroupNames, plan.GroupPrefix = "g:moved", "east-"
		})
		r.cutOver(t)
		if at := position(t, r.Target, "moved"); at != 3 {
			t.Errorf("moved is at %d, want 3", at)
		}
		if at := position(t, r.Target, "east-other"); at != 2 {
			t.Errorf("east-other is at %d, want 2", at)
		}
		commit(t, r.Target, "moved", map[int32]int64{0: 8})
		commit(t, r.Target, "east-g", map[int32]int64{0: 9}) // is none that was carried over
		r.rollBack(t)
		if at := position(t, r.Source, "g"); at != 8 {
			t.Errorf("g is at %d, want 8", at)
		}
	})
}
