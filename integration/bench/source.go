package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// produceBytes is about what one call appends to a partition of the source.
const produceBytes = 4 << 20

// fill creates the source topic of a scenario and writes its records. It
// gives the bytes that the batches take up.
func fill(ctx context.Context, source *kafka.Client, topic string, s scenario) (int64, error) {
	if err := source.CreateTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: s.Partitions}); err != nil {
		return 0, err
	}
	var stored atomic.Int64
	now := time.Now().UnixMilli() // records of the past would be out of retention
	group, ctx := errgroup.WithContext(ctx)
	for p := range int32(s.Partitions) {
		group.Go(func() error {
			records := newPayload(s.Size, uint64(p), now)
			n, err := fillPartition(ctx, source, topic, p, s, records)
			stored.Add(n)
			return err
		})
	}
	err := group.Wait()
	return stored.Load(), err
}

func fillPartition(ctx context.Context, source *kafka.Client, topic string, p int32, s scenario, records *payload) (
	stored int64, err error,
) {
	for left := s.Records / int64(s.Partitions); left > 0; {
		var batches []batch.Batch
		for size := 0; size < produceBytes && left > 0; {
			builder := batch.NewBuilder(batch.Options{Codec: s.Codec})
			for range min(left, int64(s.Together)) {
				if !builder.Add(records.record()) {
					return stored, fmt.Errorf("a batch has no room for %d records", s.Together)
				}
				left--
			}
			b, err := builder.Batch()
			if err != nil {
				return stored, err
			}
			batches = append(batches, b)
			size += len(b)
			stored += int64(len(b))
		}
		if _, err := source.ProduceBatches(ctx, topic, p, "", batches); err != nil {
			return stored, err
		}
	}
	return stored, nil
}
