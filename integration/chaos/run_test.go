package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// ahead is how many faults the producer is ahead of: there are always records
// left to copy, after a fault too.
const ahead = 8

// run is a copy under faults.
type run struct {
	log            func(format string, values ...any)
	brokers        kafkatest.Pair
	source, target *kafka.Client
	platform       *platform
	producer       *producer
	groups         []*group
	seen           []sighting
	content        chaos.Content
	lanes          []lane
	way            way
	hit            map[string]int // faults
	kills          int
}

// way is the direction in which a run copies now.
type way struct {
	job      string
	from, to *kafka.Client
	// beyond gives the checkpoints, by lane, that are no proof yet that the copy
	// goes on: higher ones are. now are the present ones.
	beyond func(ctx context.Context, now []int64) ([]int64, error)
}

// newRun starts both clusters behind their proxies, makes the topics, and a
// producer that does not write yet.
func newRun(t *testing.T, seed uint64, partitions int, topics ...string) *run {
	dir := folder(t)
	r := &run{content: chaos.Content{Seed: seed}, log: schedule(t, dir), lanes: lanesOf(partitions, topics...), hit: map[string]int{}}
	r.brokers = startPair(t)
	r.platform = newPlatform(t, dir)
	t.Cleanup(func() {
		if t.Failed() {
			keepLogs(t, dir, r.brokers)
		}
	})
	r.source, r.target = open(t, r.brokers.Source), open(t, r.brokers.Target)
	for _, topic := range topics {
		createTopic(t, r.source, topic, partitions)
	}
	r.producer = newProducer(t, r.content, r.lanes, r.brokers.Source)
	return r
}

// allow lets the producer write so many records in all, and the groups read
// their part of them.
func (r *run) allow(records int) {
	r.producer.allow(records)
	for _, g := range r.groups {
		g.allow(records / len(r.lanes))
	}
}

// endure does faults, and lets the producer write so many records more for each.
// It has written so many before.
func (r *run) endure(ctx context.Context, faults []chaos.Fault, written, gap int) error {
	r.allow(written + ahead*gap)
	for i, f := range faults {
		if err := r.step(ctx, i, written, gap, f); err != nil {
			return fmt.Errorf("fault %d of %d, %v: %w", i+1, len(faults), f, err)
		}
		r.hit[string(f.Kind)+" "+string(f.Party)]++
		if f.Kills() {
			r.kills++
		}
	}
	return nil
}

// step waits until a fault is due, does it, and waits until the copy is further
// than it was when the fault was over.
func (r *run) step(ctx context.Context, i, written, gap int, f chaos.Fault) error {
	if err := r.await(ctx, i*gap); err != nil {
		return fmt.Errorf("before it: %w", err)
	}
	hit, err := r.strike(ctx, f)
	if err != nil {
		return err
	}
	over := time.Now()
	copied, err := r.progress(ctx, written+(i+1+ahead)*gap)
	if err != nil {
		return fmt.Errorf("after it (%s): %w", hit, err)
	}
	if err := r.sight(ctx); err != nil {
		return fmt.Errorf("after it (%s): %w", hit, err)
	}
	r.log("fault %d: %v, hit %s; at %d records, all partitions further %v after it",
		i+1, f, hit, copied, time.Since(over).Round(time.Millisecond))
	return nil
}

// progress waits until each lane's checkpoint shows that the copy goes on. It
// gives where the copy was, all lanes together. Only then the producer may write
// so many records in all: where the copy has caught up, they are what is left to
// progress by.
func (r *run) progress(ctx context.Context, allowed int) (copied int, err error) {
	var beyond []int64
	err = every(ctx, 20*time.Millisecond, "progress of every partition", func() (bool, error) {
		if err := r.platform.check(); err != nil {
			return true, err
		}
		now, err := r.checkpoints(ctx)
		if err != nil {
			return false, err
		}
		if beyond == nil {
			if beyond, err = r.way.beyond(ctx, now); err != nil {
				return false, err
			}
			copied = sum(now)
			r.allow(allowed)
		}
		for i, next := range now {
			if next <= beyond[i] {
				return false, fmt.Errorf("%v is at %d, and not beyond %d", r.lanes[i], next, beyond[i])
			}
		}
		return true, nil
	})
	return copied, err
}

// await waits until so many records are copied in all.
func (r *run) await(ctx context.Context, records int) error {
	copied := 0
	return every(ctx, 20*time.Millisecond, fmt.Sprintf("%d records copied", records), func() (bool, error) {
		if err := r.platform.check(); err != nil {
			return true, err
		}
		now, err := r.checkpoints(ctx)
		if err != nil {
			return false, fmt.Errorf("at %d: %w", copied, err)
		}
		if copied = sum(now); copied < records {
			return false, fmt.Errorf("at %d", copied)
		}
		return true, nil
	})
}

// checkpoints gives how many offsets of each lane are copied, as the copy itself
// says.
func (r *run) checkpoints(ctx context.Context) ([]int64, error) {
	all := make([]int64, len(r.lanes))
	for i, l := range r.lanes {
		got, err := mirror.Checkpoints(ctx, r.way.to, r.way.job, l.topic, l.topic, l.partition)
		if err != nil {
			return nil, err
		}
		all[i] = max(got[l.partition].Next, 0)
	}
	return all, nil
}

func sum(offsets []int64) (all int) {
	for _, offset := range offsets {
		all += int(offset)
	}
	return all
}

// drain lets the producer write all that it was started for, and waits until
// that is copied.
func (r *run) drain(ctx context.Context, records int) error {
	r.allow(records)
	if err := r.producer.finish(); err != nil {
		return fmt.Errorf("a record was refused: %w", err)
	}
	var ends []int64
	err := every(ctx, 50*time.Millisecond, "all checkpoints at the end of what was produced", func() (_ bool, err error) {
		if ends == nil {
			if ends, err = endsOf(ctx, r.way.from, r.lanes); err != nil {
				return false, err
			}
			r.log("all is produced; it ends at %v", ends)
		}
		checkpoints, err := r.checkpoints(ctx)
		if err != nil {
			return false, err
		}
		for i, end := range ends {
			if checkpoints[i] != end {
				return false, fmt.Errorf("%v is at %d of %d", r.lanes[i], checkpoints[i], end)
			}
		}
		return true, nil
	})
	return errors.Join(err, r.platform.check())
}
