package chaos_test

import (
	"context"
	"testing"

	"github.com/scf-etl/scf-etl/integration/chaos"
)

// The topic of the function dump, and its job.
const (
	topic, job = "chaos", "chaos"
	partitions = 4
)

func TestChaos(t *testing.T) {
	seed := require(t, options.kills)
	faults := chaos.Schedule(seed, options.kills)
	gap := options.records / (len(faults) + ahead) // so that records are left for the last one
	if least := 2 * eventRecords * partitions; gap < least {
		t.Fatalf("%d records are too few for %d faults: want %d at least, so that each can be seen to be over",
			options.records, len(faults), least*(len(faults)+ahead))
	}
	r := newRun(t, seed, partitions, topic)
	r.way = way{job: job, from: r.source, to: r.target, beyond: beyondEvent}
	r.platform.install(t, dumpService(r.brokers), "./functions/dump")
	if err := r.platform.start(); err != nil {
		t.Fatal(err)
	}
	r.producer.start(t.Context(), options.records/partitions)
	if err := r.endure(t.Context(), faults, 0, gap); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	r.log("%d kills and %d other faults: %v", r.kills, len(faults)-r.kills, r.hit)
	if err := r.drain(t.Context(), options.records); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if err := r.platform.stop(); err != nil {
		t.Fatal(err)
	}
	r.judge(t)
}

// beyondEvent wants more than an event to be copied: one may be under way, and
// its commit not yet seen.
func beyondEvent(_ context.Context, now []int64) ([]int64, error) {
	beyond := make([]int64, len(now))
	for i, next := range now {
		beyond[i] = next + eventRecords
	}
	return beyond, nil
}
