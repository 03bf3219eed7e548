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

// count gives the number of committed records of a topic, from the headers of
// its batches. A batch with another compression is an error: a copier must not
// be fast by leaving it out. Records of a transaction that is being ended are
// waited for.
func count(ctx context.Context, client *kafka.Client, topic string, partitions int, codec batch.Codec) (int64, error) {
	var records atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for p := range int32(partitions) {
		group.Go(func() error {
			n, err := countPartition(ctx, client, topic, p, codec)
			records.Add(n)
			return err
		})
	}
	err := group.Wait()
	return records.Load(), err
}

func countPartition(ctx context.Context, client *kafka.Client, topic string, p int32, codec batch.Codec) (
	records int64, err error,
) {
	ends, err := client.Offsets(ctx, topic, kafka.Latest, p)
	if err != nil {
		return 0, err
	}
	var buffer kafka.Buffer
	for next := int64(0); next < ends[p]; {
		answer, err := client.Fetch(ctx, kafka.FetchRequest{
			Topic: topic, Partition: p, Offset: next, MinBytes: 1, MaxBytes: produceBytes,
			MaxWait: 200 * time.Millisecond, ReadCommitted: true,
		}, &buffer)
		if err != nil {
			return records, err
		}
		for stored, err := range answer.Visible(true) {
			if err != nil {
				return records, err
			}
			next = stored.LastOffset() + 1
			if stored.Skip {
				continue
			}
			if stored.Batch.Codec() != codec {
				return records, fmt.Errorf("the target's batches are compressed with %s, not %s", stored.Batch.Codec(), codec)
			}
			records += int64(stored.Batch.Count())
		}
	}
	return records, nil
}
