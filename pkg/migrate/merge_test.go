package migrate_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/migrate"
)

// newMerge gives two migrations, from a source each, into one target.
func newMerge(t *testing.T) (east, west *rig) {
	t.Helper()
	east, west = newRig(t), newRig(t)
	east.name, west.name = "east", "west"
	west.Target = east.Target
	return east, west
}

// planned has both plan, with the same topic and the same group.
func planned(t *testing.T, rigs ...*rig) {
	t.Helper()
	for _, r := range rigs {
		createTopic(t, r.Source, "orders")
		commit(t, r.Source, "readers", map[int32]int64{0: 0})
		if _, err := r.Plan(testContext(t), r.plan()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()

	t.Run("names of another migration are warnings while it is planned, and conflicts once it is started", func(t *testing.T) {
		t.Parallel()
		east, west := newMerge(t)
		planned(t, east, west)
		before := west.preview(t, west.plan())
		requireKinds(t, "conflicts", before.Conflicts)
		requireKinds(t, "warnings", before.Warnings, migrate.NameTaken, migrate.GroupTaken)
		if _, err := east.Start(testContext(t), east.name); err != nil {
			t.Fatal(err)
		}
		after := west.preview(t, west.plan())
		requireKinds(t, "conflicts", after.Conflicts, migrate.NameTaken, migrate.GroupTaken)
		_, err := west.Start(testContext(t), west.name)
		refused(t, err, "migration east")
	})

	t.Run("other names for topics and groups resolve them", func(t *testing.T) {
		t.Parallel()
		east, west := newMerge(t)
		planned(t, east)
		if _, err := east.Start(testContext(t), east.name); err != nil {
			t.Fatal(err)
		}
		createTopic(t, west.Source, "orders")
		commit(t, west.Source, "readers", map[int32]int64{0: 0})
		plan := west.plan()
		plan.Topics, plan.GroupPrefix = "*:west.*", "west-"
		got := west.preview(t, plan)
		requireKinds(t, "conflicts", got.Conflicts)
		requireKinds(t, "warnings", got.Warnings)
	})

	t.Run("of two that are started at the same moment one is refused", func(t *testing.T) {
		t.Parallel()
		east, west := newMerge(t)
		planned(t, east, west)
		var starting sync.WaitGroup
		var faults [2]error
		for i, r := range []*rig{east, west} {
			starting.Go(func() { _, faults[i] = r.Start(testContext(t), r.name) })
		}
		starting.Wait()
		if (faults[0] == nil) == (faults[1] == nil) {
			t.Fatalf("errors are %v and %v, want one", faults[0], faults[1])
		}
		refused(t, errors.Join(faults[:]...), "conflicts")
	})

	t.Run("a topic that another one has copied since it was started is its", func(t *testing.T) {
		t.Parallel()
		east, west := newMerge(t)
		planned(t, east)
		if _, err := east.Start(testContext(t), east.name); err != nil {
			t.Fatal(err)
		}
		createTopic(t, east.Source, "later")
		if _, err := east.Source.Produce(testContext(t), "later", 0, sample.Plain(1, 20, 1)...); err != nil {
			t.Fatal(err)
		}
		east.run(t)
		await(t, "a checkpoint", func() bool {
			committed, err := east.Target.CommittedAll(testContext(t), "etl.east.later.0")
			return err == nil && len(committed) > 0
		})
		createTopic(t, west.Source, "later")
		requireKinds(t, "conflicts", west.preview(t, west.plan()).Conflicts, migrate.HasRecords, migrate.NameTaken)
	})

	t.Run("a topic that both sources get after the start is that of the migration which claims it first", func(t *testing.T) {
		t.Parallel()
		east, west := newMerge(t)
		createTopic(t, east.Source, "orders")
		createTopic(t, west.Source, "bills")
		for _, r := range []*rig{east, west} {
			plan := r.plan()
			plan.Include = []string{".*"}
			if _, err := r.Plan(testContext(t), plan); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Start(testContext(t), r.name); err != nil {
				t.Fatal(err)
			}
		}
		claims := migrate.NewStore(east.Target)
		for range 2 { // again is no change
			if err := claims.ClaimTopic(testContext(t), "east", "new", "new"); err != nil {
				t.Fatal(err)
			}
		}
		if err := claims.ClaimTopic(testContext(t), "west", "new", "new"); !errors.Is(err, migrate.ErrClaimed) || !strings.Contains(err.Error(), "migration east") {
			t.Errorf("of another migration: %v, want ErrClaimed", err)
		}
		if err := claims.ClaimTopic(testContext(t), "east", "newer", "new"); !errors.Is(err, migrate.ErrClaimed) {
			t.Errorf("of another topic of the migration: %v, want ErrClaimed", err)
		}
		state, err := claims.Load(testContext(t), "east")
		if err != nil || state.Claims.Topics["new"] != "new" || state.Revision != 3 {
			t.Errorf("claims are %v in revision %d (%v)", state.Claims, state.Revision, err)
		}
		west.run(t)
		for _, topic := range []string{"new", "later"} {
			createTopic(t, west.Source, topic)
			if _, err := west.Source.Produce(testContext(t), topic, 0, sample.Plain(5, 20, 1)...); err != nil {
				t.Fatal(err)
			}
		}
		await(t, "the topic that nobody else has", func() bool {
			ends, err := west.Target.StableOffsets(testContext(t), "later", 0)
			return err == nil && ends[0] >= 5
		})
		if _, err := west.Target.Topic(testContext(t), "new"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("the topic of another migration was created: %v", err)
		}
	})

	t.Run("a step that was taken is taken again by whoever was not told", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, func(*rig, *migrate.Plan) {})
		r.cutOver(t)
		if state, err := r.CutOver(testContext(t), r.name); err != nil || state.Step != migrate.CutOver {
			t.Errorf("cutover: %s (%v)", state.Step, err)
		}
		for range 2 {
			if state, err := r.Finish(testContext(t), r.name); err != nil || state.Step != migrate.Finished {
				t.Errorf("finish: %s (%v)", state.Step, err)
			}
		}
	})

	t.Run("one that copies already does not see what it has made itself", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, func(r *rig, _ *migrate.Plan) { commit(t, r.Source, "g", map[int32]int64{0: 3}) })
		await(t, "the group", func() bool { return position(t, r.Target, "g") == 3 })
		got := r.preview(t, r.plan())
		requireKinds(t, "conflicts", got.Conflicts)
		requireKinds(t, "warnings", got.Warnings)
		if state, err := r.Start(testContext(t), r.name); err != nil || state.Step != migrate.Verified {
			t.Errorf("a second start: %s (%v), want it as it is", state.Step, err)
		}
	})

	t.Run("one that another release has stored is a conflict, since nobody knows its names", func(t *testing.T) {
		t.Parallel()
		east, west := newMerge(t)
		planned(t, east)
		store(t, east.Target, "west", `{"format":2}`)
		west.name = "north"
		createTopic(t, west.Source, "orders")
		requireKinds(t, "conflicts", west.preview(t, west.plan()).Conflicts, migrate.Unreadable)
	})

	t.Run("a plan that is dropped can be made anew with other choices, a migration that was started cannot", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		planned(t, r)
		plan := r.plan()
		plan.Topics = "*:east.*"
		if _, err := r.Plan(testContext(t), plan); !errors.Is(err, migrate.ErrExists) {
			t.Errorf("while it is there: %v, want ErrExists", err)
		}
		for range 2 {
			if _, err := r.Rollback(testContext(t), r.name); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Plan(testContext(t), plan); err != nil {
				t.Errorf("once it is dropped: %v", err)
			}
		}
		if _, err := r.Start(testContext(t), r.name); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Rollback(testContext(t), r.name); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Plan(testContext(t), plan); !errors.Is(err, migrate.ErrExists) {
			t.Errorf("once it was started: %v, want ErrExists", err)
		}
	})
}

func TestNoWayBack(t *testing.T) {
	t.Parallel()

	t.Run("nothing is copied back, rollback says so, and finish wants nobody at the source", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, func(_ *rig, plan *migrate.Plan) { plan.NoWayBack = true })
		r.cutOver(t)
		if _, err := r.Source.Topic(testContext(t), "etl.move-back.offsets"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("the way back has begun (%v)", err)
		}
		if _, err := r.Rollback(testContext(t), r.name); !errors.Is(err, migrate.ErrNoWayBack) {
			t.Errorf("rollback: %v, want ErrNoWayBack", err)
		}
		write(t, r.Target, 3)
		status, err := migrate.Look(testContext(t), r.Clusters, r.name)
		if err != nil || status.Back || len(status.Late) > 0 {
			t.Errorf("status is %+v (%v)", status, err)
		}
		write(t, r.Source, 2)
		_, err = r.Finish(testContext(t), r.name)
		refused(t, err, "orders/0 offset 10")
		r.AcceptLate = true
		if _, err := r.Finish(testContext(t), r.name); err != nil {
			t.Error(err)
		}
		if n := held(t, r.Source); n != 12 {
			t.Errorf("the source holds %d records, want 12", n)
		}
	})

	t.Run("a source without transactions is a conflict until that is accepted, and the target topic is to be created", func(t *testing.T) {
		t.Parallel()
		r := newRigFrom(t, "0.10.2")
		if err := r.Source.CreateTopic(testContext(t), kafka.TopicSpec{Name: "orders", Partitions: 1, Replication: 1}); err != nil {
			t.Fatal(err)
		}
		requireKinds(t, "conflicts", r.preview(t, r.plan()).Conflicts, migrate.CannotReturn, migrate.NotCreatable)
		createTopic(t, r.Target, "orders")
		plan := r.plan()
		plan.NoWayBack = true
		got := r.preview(t, plan)
		requireKinds(t, "conflicts", got.Conflicts)
		requireKinds(t, "warnings", got.Warnings, migrate.CannotReturn)
	})

	t.Run("it is a warning of the plan", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createTopic(t, r.Source, "orders")
		plan := r.plan()
		plan.NoWayBack = true
		requireKinds(t, "warnings", r.preview(t, plan).Warnings, migrate.CannotReturn)
	})
}
