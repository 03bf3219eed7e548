package migrate_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/migrate"
)

func TestStore(t *testing.T) {
	t.Parallel()
	plan := func(name string) migrate.Plan {
		return migrate.Plan{Name: name, Include: []string{"a.*"}, Groups: []string{".*"}, Source: "s", Target: "t"}
	}

	t.Run("what is stored is read, with its history", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		store := migrate.NewStore(r.Target)
		if _, err := store.Load(testContext(t), "a"); !errors.Is(err, migrate.ErrUnknown) || !strings.Contains(err.Error(), "etl migrate plan a") {
			t.Errorf("before: %v, want ErrUnknown with the command that makes it", err)
		}
		for _, name := range []string{"b", "a"} {
			if _, err := store.Create(testContext(t), plan(name)); err != nil {
				t.Fatal(err)
			}
		}
		changed, err := store.Change(testContext(t), "a", func(s *migrate.State) error {
			s.Step = migrate.Mirroring
			return nil
		})
		if err != nil || changed.Revision != 2 {
			t.Errorf("changed to %+v (%v), want revision 2", changed, err)
		}
		states, err := store.List(testContext(t))
		if err != nil || len(states) != 2 || states[0].Plan.Name != "a" || states[0].Step != migrate.Mirroring || states[1].Step != migrate.Planned {
			t.Errorf("list is %+v (%v)", states, err)
		}
	})

	t.Run("a name is used once", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		store := migrate.NewStore(r.Target)
		for i := range 2 {
			if _, err := store.Create(testContext(t), plan("a")); (i > 0) != errors.Is(err, migrate.ErrExists) {
				t.Errorf("creation %d: %v", i, err)
			}
		}
	})

	t.Run("a change that is an error stores nothing", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		store := migrate.NewStore(r.Target)
		if _, err := store.Create(testContext(t), plan("a")); err != nil {
			t.Fatal(err)
		}
		refused := errors.New("refused")
		if _, err := store.Change(testContext(t), "a", func(s *migrate.State) error {
			s.Step = migrate.Finished
			return refused
		}); !errors.Is(err, refused) {
			t.Errorf("error is %v", err)
		}
		if state, err := store.Load(testContext(t), "a"); err != nil || state.Step != migrate.Planned || state.Revision != 1 {
			t.Errorf("it is %+v (%v)", state, err)
		}
		if _, err := store.Change(testContext(t), "b", func(*migrate.State) error { return nil }); !errors.Is(err, migrate.ErrUnknown) {
			t.Errorf("change of one that is not there: %v", err)
		}
	})

	t.Run("of changes at the same time none is lost: each is stored on top of the others, or told of them", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		store := migrate.NewStore(r.Target)
		if _, err := store.Create(testContext(t), plan("a")); err != nil {
			t.Fatal(err)
		}
		var changing sync.WaitGroup
		var mu sync.Mutex
		stored := 0
		for range 8 {
			changing.Go(func() {
				for range 5 {
					_, err := migrate.NewStore(r.Target).Change(testContext(t), "a", func(s *migrate.State) error {
						s.Plan.Include = append(s.Plan.Include, "x")
						return nil
					})
					switch {
					case err == nil:
						mu.Lock()
						stored++
						mu.Unlock()
					case !errors.Is(err, migrate.ErrConflict):
						t.Errorf("change: %v, want ErrConflict", err)
					}
				}
			})
		}
		changing.Wait()
		state, err := store.Load(testContext(t), "a")
		if err != nil || len(state.Plan.Include) != stored+1 || state.Revision != int64(stored)+1 || stored == 0 {
			t.Errorf("%d changes were stored, and %d of them are there, revision %d (%v)", stored, len(state.Plan.Include)-1, state.Revision, err)
		}
	})

	t.Run("what a newer release has stored, or is damaged, is refused and not guessed", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		store := migrate.NewStore(r.Target)
		if _, err := store.Create(testContext(t), plan("good")); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"newer":   `{"format":2,"step":"planned"}`,
			"unknown": `{"format":1,"step":"half-way"}`,
			"none":    `{}`,
			"damaged": `{"format":1,"step":`,
			"typed":   `{"format":1,"step":7}`,
		} {
			if _, err := r.Target.Produce(testContext(t), migrate.Topic, 0, batch.Record{Key: []byte(name), Value: []byte(value)}); err != nil {
				t.Fatal(err)
			}
			_, err := store.Load(testContext(t), name)
			if damaged := name == "damaged" || name == "typed"; err == nil || errors.Is(err, migrate.ErrNewer) == damaged {
				t.Errorf("%s is read: %v", value, err)
			}
			if _, err := store.Change(testContext(t), name, func(*migrate.State) error { return nil }); err == nil {
				t.Errorf("%s is changed", value)
			}
		}
		states, err := store.List(testContext(t))
		if len(states) != 1 || err == nil {
			t.Errorf("list is %+v, %v, want the good one and the others in the error", states, err)
		}
	})

	t.Run("a plan that cannot be is refused with all that is wrong", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		_, err := migrate.NewStore(r.Target).Create(testContext(t), migrate.Plan{Name: "a.b", Exclude: []string{"("}, Topics: "a"})
		for _, words := range []string{"job name", "no topics", `"("`, "SOURCE:TARGET"} {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%v does not say %q", err, words)
			}
		}
		if _, err := r.Target.Topic(testContext(t), migrate.Topic); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("the topic of the migrations is there (%v)", err)
		}
	})
}

func TestSteps(t *testing.T) {
	t.Parallel()

	t.Run("a step that does not follow is refused, and says which would", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createTopic(t, r.Source, "orders")
		if _, err := r.Plan(testContext(t), r.plan()); err != nil {
			t.Fatal(err)
		}
		for name, step := range map[string]func() error{
			"cutover": func() error { _, err := r.CutOver(testContext(t), r.name); return err },
			"finish":  func() error { _, err := r.Finish(testContext(t), r.name); return err },
			"verify":  func() error { _, err := r.Verify(testContext(t), r.name); return err },
		} {
			if err := step(); !errors.Is(err, migrate.ErrWrongStep) || !strings.Contains(err.Error(), "planned") {
				t.Errorf("%s: %v, want ErrWrongStep", name, err)
			}
		}
	})

	t.Run("conflicts are listed with the choices, and keep it from being started", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		for _, topic := range []string{"a", "b", "c"} {
			createTopic(t, r.Source, topic)
		}
		createTopic(t, r.Target, "c")
		if _, err := r.Target.Produce(testContext(t), "c", 0, batch.Record{Value: []byte("old")}); err != nil {
			t.Fatal(err)
		}
		plan := r.plan()
		plan.Topics = "a:same,b:same"
		preview, err := r.Plan(testContext(t), plan)
		if err != nil || len(preview.Topics) != 3 || len(preview.Conflicts) != 2 {
			t.Fatalf("preview is %+v (%v), want 2 conflicts", preview, err)
		}
		for i, words := range []string{"same", "holds records"} {
			if c := preview.Conflicts[i]; !strings.Contains(c.Problem, words) || c.Choices == "" {
				t.Errorf("conflict %d is %+v, want %q", i, c, words)
			}
		}
		var gates *migrate.GateError
		if _, err := r.Start(testContext(t), r.name); !errors.As(err, &gates) {
			t.Errorf("start: %v, want it refused", err)
		}
		if _, err := r.Rollback(testContext(t), r.name); err != nil {
			t.Errorf("the plan cannot be dropped: %v", err)
		}
	})

	t.Run("other clusters than those of the plan are refused", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createTopic(t, r.Source, "orders")
		if _, err := r.Plan(testContext(t), r.plan()); err != nil {
			t.Fatal(err)
		}
		other := migrate.Operator{Clusters: migrate.Clusters{Source: r.Target, Target: r.Target}}
		if _, err := other.Start(testContext(t), r.name); !errors.Is(err, migrate.ErrClusters) {
			t.Errorf("start: %v, want ErrClusters", err)
		}
	})

	t.Run("a copy that differs is found where it does, and not verified", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		createTopic(t, r.Source, "orders")
		for range 20 {
			if _, err := r.Source.Produce(testContext(t), "orders", 0, batch.Record{Timestamp: 1, Value: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.Plan(testContext(t), r.plan()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Start(testContext(t), r.name); err != nil {
			t.Fatal(err)
		}
		r.run(t)
		await(t, "the copy", func() bool {
			status, err := migrate.Look(testContext(t), r.Clusters, r.name)
			return err == nil && status.Lags[0].Next == 20
		})
		r.stop()
		if _, err := r.Target.Produce(testContext(t), "orders", 0, batch.Record{Timestamp: 1, Value: []byte("foreign")}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // copied after it
			if _, err := r.Source.Produce(testContext(t), "orders", 0, batch.Record{Timestamp: 1, Value: []byte("y")}); err != nil {
				t.Fatal(err)
			}
		}
		r.run(t)
		var gates *migrate.GateError
		await(t, "a refusal", func() bool {
			v, err := r.Verify(testContext(t), r.name)
			return errors.As(err, &gates) && len(v.Topics) == 1
		})
		if !strings.Contains(gates.Error(), "foreign") || !strings.Contains(gates.Error(), "orders/0") {
			t.Errorf("%v does not show the difference", gates)
		}
	})
}

func createTopic(t *testing.T, c *kafka.Client, name string) {
	t.Helper()
	if err := c.CreateTopic(testContext(t), kafka.TopicSpec{Name: name, Partitions: 1}); err != nil {
		t.Fatal(err)
	}
}

// store puts a migration into the target as a text.
func store(t *testing.T, c *kafka.Client, name, value string) {
	t.Helper()
	if _, err := c.Produce(testContext(t), migrate.Topic, 0, batch.Record{Key: []byte(name), Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}
