package chaos_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// judge judges what was copied, record by record with a client of its own, and
// then as `etl verify` does. It gives what the target was found to hold, by lane.
func (r *run) judge(t *testing.T) (source, target []journal) {
	t.Helper()
	sources, targets := r.stable(t, r.source), r.stable(t, r.target)
	source, target = make([]journal, len(r.lanes)), make([]journal, len(r.lanes))
	held := make([]chaos.Held, len(r.lanes))
	var checks errgroup.Group
	checks.SetLimit(2)
	for i, lane := range r.lanes {
		checks.Go(func() (err error) {
			held[i], err = chaos.Check(r.content, int32(i), &r.producer.ledgers[i],
				source[i].of(i, records(t.Context(), r.brokers.Source.Brokers, lane, sources[i])),
				target[i].of(i, records(t.Context(), r.brokers.Target.Brokers, lane, targets[i])))
			if err != nil {
				t.Errorf("%v: %v", lane, err)
			}
			return nil
		})
	}
	_ = checks.Wait() // each has told its error
	var all chaos.Held
	acknowledged := 0
	for i, h := range held {
		all.Source += h.Source
		all.Target += h.Target
		all.Unacknowledged += h.Unacknowledged
		all.Again += h.Again
		acknowledged += r.producer.ledgers[i].Count()
	}
	r.log("acknowledged %d records; the source holds %d, of which %d were not acknowledged and %d were written again; the target holds %d",
		acknowledged, all.Source, all.Unacknowledged, all.Again, all.Target)
	if written := r.producer.begun * len(r.lanes); acknowledged < written*9/10 {
		t.Errorf("only %d records of %d were acknowledged: their cluster was away too much to show anything", acknowledged, written)
	}
	r.compare(t, int64(all.Source))
	return source, target
}

// compare compares the topics as `etl verify` does.
func (r *run) compare(t *testing.T, want int64) {
	t.Helper()
	var source, target int64
	for _, lane := range r.lanes {
		if lane.partition > 0 {
			continue // all partitions of a topic are compared together
		}
		got, err := mirror.CompareTopics(t.Context(), r.source, r.target, lane.topic, lane.topic, mirror.CompareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got.Partitions {
			source += p.Source.Records
			target += p.Target.Records
			if !p.Equal {
				t.Errorf("%s/%d: %v", lane.topic, p.Partition, p.Difference)
			}
		}
		if !got.Equal || !got.Ordered {
			t.Errorf("%s (%s): equal is %v, in order is %v", lane.topic, got.Scope(), got.Equal, got.Ordered)
		}
	}
	if source != want || target != want {
		t.Errorf("compared %d and %d records, want %d", source, target, want)
	}
	r.log("compared %d and %d records", source, target)
}

// stable waits until no transaction is open in the lanes of a cluster, and gives
// their ends then.
func (r *run) stable(t *testing.T, client *kafka.Client) []int64 {
	t.Helper()
	ends := make([]int64, len(r.lanes))
	for i, lane := range r.lanes {
		got, err := stable(t.Context(), client, lane.topic, lane.partition)
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = got[lane.partition]
	}
	return ends
}

// stable waits until no transaction is open in the target, and gives the ends
// of its partitions then.
func stable(ctx context.Context, target *kafka.Client, topic string, partitions ...int32) (ends map[int32]int64, err error) {
	err = every(ctx, 10*time.Millisecond, "the target without an open transaction", func() (_ bool, err error) {
		if ends, err = target.Offsets(ctx, topic, kafka.Latest, partitions...); err != nil {
			return false, err
		}
		for p, end := range ends {
			if ok, err := closed(ctx, target, topic, p, end); !ok {
				return false, err
			}
		}
		return true, nil
	})
	return ends, err
}

func closed(ctx context.Context, target *kafka.Client, topic string, partition int32, end int64) (bool, error) {
	got, err := target.FetchRecords(ctx, kafka.FetchRequest{
		Topic: topic, Partition: partition, Offset: end, MaxWait: time.Millisecond, ReadCommitted: true,
	})
	return err == nil && got.LastStable == got.HighWatermark, err
}
