package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// runFetch reads all of the source as raw batches, checksums verified, and
// writes nothing: the copy cannot be faster than this.
func runFetch(ctx context.Context, t task) (outcome, error) {
	source, err := kafka.Open(ctx, kafka.Config{Brokers: []string{t.source}})
	if err != nil {
		return outcome{}, err
	}
	done, err := t.fetch(ctx, source)
	return done, errors.Join(err, source.Close())
}

func (t task) fetch(ctx context.Context, source *kafka.Client) (outcome, error) {
	ends, err := t.ends(ctx, source)
	if err != nil {
		return outcome{}, err
	}
	var records atomic.Int64
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range t.numbers() {
		group.Go(func() error {
			return t.each(ctx, source, p, ends[p], &kafka.Buffer{}, func(s kafka.Stored) bool {
				records.Add(int64(s.Batch.Count()))
				return true
			})
		})
	}
	err = group.Wait()
	return since(begun, records.Load()), err
}

// each hands out the stored batches of a partition, from its first to end, or
// until use has enough.
func (t task) each(
	ctx context.Context, source *kafka.Client, p int32, end int64, buffer *kafka.Buffer, use func(kafka.Stored) bool,
) error {
	for next := int64(0); next < end; {
		answer, err := source.Fetch(ctx, kafka.FetchRequest{
			Topic: t.from, Partition: p, Offset: next, MinBytes: 1, MaxBytes: chunkBytes,
			MaxWait: 200 * time.Millisecond, ReadCommitted: true,
		}, buffer)
		if err != nil {
			return err
		}
		for stored, err := range answer.Visible(true) {
			if err != nil {
				return fmt.Errorf("read %s/%d: %w", t.from, p, err)
			}
			next = stored.LastOffset() + 1
			if !stored.Skip && !use(stored) {
				return nil
			}
		}
	}
	return nil
}
