package integration

import (
	"errors"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/migrate"
)

// merged has the services of two sources, whose topics and groups have the same
// names, move into one target.
func merged(t *testing.T, w *world) {
	west := newWorld(t, w.another(t), w.brokers[1])
	west.topic = w.topic
	m, other := newMigration(t, w, "east", liveTopics), newMigration(t, west, "west", liveTopics)
	m.begin(t)
	other.resolve(t)
	other.begin(t)
	m.killInstances(t, 1) // both copy now
	m.cutOver(t)
	other.killInstances(t, 1)
	other.cutOver(t)
	m.step(t, "finish", m.operator.Finish)
	other.step(t, "finish", other.operator.Finish)
	m.requireOnce(t)
	other.requireOnce(t)
}

// resolve wants the plan to be refused for the names that the other migration
// has, and gives it others.
func (m *migration) resolve(t *testing.T) {
	t.Helper()
	m.more(t)
	preview, err := m.operator.Plan(m.ctx, m.plan)
	if err != nil {
		t.Fatal(err)
	}
	found := map[migrate.ConflictKind]int{}
	for _, c := range preview.Conflicts {
		found[c.Kind]++
	}
	for _, kind := range []migrate.ConflictKind{migrate.NameTaken, migrate.GroupTaken, migrate.HasRecords} {
		if found[kind] != liveTopics {
			t.Errorf("%d conflicts are %s, want one for each of %d services: %v", found[kind], kind, liveTopics, preview.Conflicts)
		}
	}
	var gates *migrate.GateError
	if _, err := m.operator.Start(m.ctx, m.name); !errors.As(err, &gates) {
		t.Errorf("start: %v, want it refused", err)
	}
	if _, err := m.operator.Rollback(m.ctx, m.name); err != nil {
		t.Fatal(err)
	}
	m.plan.Topics, m.plan.GroupPrefix = "*:west.*", "west-"
}
