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

// check judges the copy, record by record with a client of its own, and then
// as `etl verify` does.
func (r *run) check(t *testing.T) {
	sources, err := r.source.Offsets(t.Context(), topic, kafka.Latest, numbers()...)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := stable(t.Context(), r.target, topic, numbers()...)
	if err != nil {
		t.Fatal(err)
	}
	var held [partitions]chaos.Held
	var checks errgroup.Group
	checks.SetLimit(2)
	for p := range int32(partitions) {
		checks.Go(func() (err error) {
			held[p], err = chaos.Check(r.content, p, &r.producer.ledgers[p],
				records(t.Context(), r.brokers.Source.Brokers, p, sources[p]),
				records(t.Context(), r.brokers.Target.Brokers, p, targets[p]))
			if err != nil {
				t.Error(err)
			}
			return nil
		})
	}
	_ = checks.Wait() // each has told its error
	var all chaos.Held
	acknowledged := 0
	for p, h := range held {
		all.Source += h.Source
		all.Target += h.Target
		all.Unacknowledged += h.Unacknowledged
		all.Again += h.Again
		acknowledged += r.producer.ledgers[p].Count()
	}
	r.log("acknowledged %d records; the source holds %d, of which %d were not acknowledged and %d its producer wrote again; the target holds %d",
		acknowledged, all.Source, all.Unacknowledged, all.Again, all.Target)
	if acknowledged < options.records*9/10 {
		t.Errorf("only %d records of %d were acknowledged: the source was away too much to show anything", acknowledged, options.records)
	}
	r.compare(t, int64(all.Source))
}

func (r *run) compare(t *testing.T, want int64) {
	got, err := mirror.CompareTopics(t.Context(), r.source, r.target, topic, topic, mirror.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var source, target int64
	for _, p := range got.Partitions {
		source += p.Source.Records
		target += p.Target.Records
		if !p.Equal {
			t.Errorf("partition %d: %v", p.Partition, p.Difference)
		}
	}
	if !got.Equal || !got.Ordered || source != want || target != want {
		t.Errorf("compared %d and %d records (%s), want %d equal ones in order", source, target, got.Scope(), want)
	}
	r.log("compared %d and %d records %s: equal is %v", source, target, got.Scope(), got.Equal)
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
