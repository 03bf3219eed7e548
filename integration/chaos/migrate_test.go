package chaos_test

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/pkg/migrate"
)

// migration is the name of the migration, and of its job.
const migration = "chaos"

// quiet is for how long nobody may have written to a side before it is left.
const quiet = "--quiet=1s"

// leastMigrated is how many records there are between two faults at least.
const leastMigrated = 1000

// moved is a migration under faults.
type moved struct {
	*run
	operator *operator
	each     int // records a lane, each way
	gap      int // records between two faults
}

// TestMigrate moves topics and groups to another cluster and back, under faults
// both ways: each group goes on at the first record that it has not read, and in
// the end both sides hold what was written on either, each record once, in order.
func TestMigrate(t *testing.T) {
	seed := require(t, options.migrateKills)
	faults := chaos.Schedule(seed, options.migrateKills)
	half := len(faults) / 2
	gap := options.records / 2 / (len(faults) - half + ahead)
	if gap < leastMigrated {
		t.Fatalf("%d records are too few for %d faults: want %d at least", options.records, len(faults), 2*leastMigrated*(len(faults)-half+ahead))
	}
	m := newMoved(t, seed, gap)
	m.goThere(t, faults[:half])
	m.comeBack(t, faults[half:])
	m.log("%d kills and %d other faults: %v", m.kills, len(faults)-m.kills, m.hit)
}

// newMoved starts clusters, platform and migration. Groups are at all distances
// from the end; one has stopped, and one has read nothing.
func newMoved(t *testing.T, seed uint64, gap int) *moved {
	r := newRun(t, seed, 2, "chaos-a", "chaos-b")
	r.platform.install(t, migrateService(r.brokers), "./functions/migrate")
	r.groups = []*group{
		newGroup("all", 100, 0, r.lanes), newGroup("half", 50, 0, r.lanes), newGroup("little", 20, 0, r.lanes),
		newGroup("stopped", 100, 100, r.lanes), newGroup("nothing", 0, 0, r.lanes),
	}
	m := &moved{run: r, operator: newOperator(r, seed), each: options.records / 2 / len(r.lanes), gap: gap}
	if err := r.platform.start(); err != nil {
		t.Fatal(err)
	}
	m.operator.take(t, "plan", "--include", "chaos-.*")
	m.operator.take(t, "start")
	return m
}

// goThere moves all to the target. The cutover is killed before and after it has
// stored that it is under way, and taken again.
func (m *moved) goThere(t *testing.T, faults []chaos.Fault) {
	m.way = way{job: migration, from: m.source, to: m.target, beyond: m.beyondEnds}
	m.startGroups(t, m.brokers.Source.Brokers, kgo.NewOffset().AtStart())
	m.cross(t, faults)
	m.operator.take(t, "verify")
	m.operator.kill(t, "watching", "cutover", quiet)
	m.operator.kill(t, "closing", "cutover", quiet)
	m.operator.kill(t, "closing", "cutover", quiet)
	m.operator.take(t, "cutover", quiet)
	_, held := m.judge(t)
	m.requireExact(t, "target", m.brokers.Target.Brokers, held)
	if t.Failed() {
		t.FailNow()
	}
}

// comeBack has all go on at the target, and moves it back to the source.
func (m *moved) comeBack(t *testing.T, faults []chaos.Fault) {
	m.way = way{job: migrate.Plan{Name: migration}.BackJob(), from: m.target, to: m.source, beyond: m.beyondEnds}
	if err := m.producer.move(m.brokers.Target); err != nil {
		t.Fatal(err)
	}
	m.startGroups(t, m.brokers.Target.Brokers, kgo.NoResetOffset())
	m.cross(t, faults)
	m.operator.kill(t, "looking", "rollback", quiet)
	m.operator.take(t, "rollback", quiet)
	if err := m.platform.stop(); err != nil {
		t.Fatal(err)
	}
	held, _ := m.judge(t)
	m.requireExact(t, "source", m.brokers.Source.Brokers, held)
}

// cross has the records of one way written, read and copied, under faults, until
// all is at rest.
func (m *moved) cross(t *testing.T, faults []chaos.Fault) {
	t.Helper()
	written := m.producer.begun * len(m.lanes)
	m.producer.start(t.Context(), m.producer.begun+m.each)
	err := m.endure(t.Context(), faults, written, m.gap)
	if err == nil {
		err = m.drain(t.Context(), m.producer.begun*len(m.lanes))
	}
	if err == nil {
		err = m.settleGroups(t.Context())
	}
	if err != nil {
		t.Fatalf("seed %d, job %s: %v", m.content.Seed, m.way.job, err)
	}
}

// beyondEnds wants a record to be copied that is written from now on: whatever
// is under way ends before it.
func (r *run) beyondEnds(ctx context.Context, _ []int64) ([]int64, error) {
	return endsOf(ctx, r.way.from, r.lanes)
}

// settleGroups waits until all groups have read what they may, and has them go.
func (r *run) settleGroups(ctx context.Context) error {
	ends, err := endsOf(ctx, r.way.from, r.lanes)
	if err != nil {
		return err
	}
	for _, g := range r.groups {
		if err := g.settle(ctx, ends); err != nil {
			return err
		}
		g.leave()
	}
	return nil
}

// startGroups has all groups read a cluster. Those that have read at the other
// one go on at their positions here, and nowhere else.
func (r *run) startGroups(t *testing.T, brokers []string, reset kgo.Offset) {
	t.Helper()
	for _, g := range r.groups {
		if err := g.start(t.Context(), brokers, reset); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(g.stop)
	}
}
