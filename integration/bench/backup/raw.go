package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// parallel is how many partitions are under way at a time, in every way.
const parallel = 4

const (
	fetchBytes = 2 << 20 // of one fetch, as backup has it
	// Of one produce request and one transaction, as restore has them.
	produceBytes       = 2 << 20
	transactionBytes   = 32 << 20
	transactionTimeout = time.Minute
)

// each runs something for every partition of a topic, some at a time.
func each(ctx context.Context, client *kafka.Client, topic string, run func(context.Context, int32) error) error {
	described, err := client.Topic(ctx, topic)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, p := range described.Partitions {
		group.Go(func() error { return run(ctx, p.ID) })
	}
	return group.Wait()
}

// fetched hands out each batch of a partition.
func fetched(ctx context.Context, client *kafka.Client, topic string, p int32, use func(batch.Batch) bool) error {
	ends, err := client.Offsets(ctx, topic, kafka.Latest, p)
	if err != nil {
		return err
	}
	var buffer kafka.Buffer
	for next := int64(0); next < ends[p]; {
		answer, err := client.Fetch(ctx, kafka.FetchRequest{
			Topic: topic, Partition: p, Offset: next, MinBytes: 1, MaxBytes: fetchBytes,
			MaxWait: 200 * time.Millisecond, ReadCommitted: true,
		}, &buffer)
		if err != nil {
			return err
		}
		for rest := answer.Batches; ; {
			b, after, err := batch.Next(rest)
			if err == nil && b == nil {
				break // cut short
			}
			if err == nil {
				err = b.Verify()
			}
			if err != nil {
				return fmt.Errorf("read %s/%d: %w", topic, p, err)
			}
			next, rest = b.LastOffset()+1, after
			if !use(b) {
				return nil
			}
		}
	}
	return nil
}

// runFetch reads a topic as raw batches, checksums verified, and does nothing with them:
// a backup cannot be faster.
func runFetch(ctx context.Context, t task) (done outcome, err error) {
	client, err := t.client(ctx)
	if err != nil {
		return done, err
	}
	defer client.Close()
	var read, records atomic.Int64
	begun := time.Now()
	err = each(ctx, client, t.topic, func(ctx context.Context, p int32) error {
		return fetched(ctx, client, t.topic, p, func(b batch.Batch) bool {
			read.Add(int64(len(b)))
			records.Add(int64(b.Count()))
			return true
		})
	})
	return outcome{Bytes: read.Load(), Records: records.Load(), Seconds: time.Since(begun).Seconds()}, err
}

// runProduce writes the batches of a topic to another one from memory, in transactions of
// the size that a restore has: it cannot be faster. What a partition has beyond
// its share of memory is written from there again.
func runProduce(ctx context.Context, t task) (done outcome, err error) {
	client, err := t.client(ctx)
	if err != nil {
		return done, err
	}
	defer client.Close()
	from, err := client.Topic(ctx, t.topic)
	if err != nil {
		return done, err
	}
	memory := (64 << 20) / len(from.Partitions)
	loads := make([][]batch.Batch, len(from.Partitions))
	ends := make([]int64, len(from.Partitions))
	err = each(ctx, client, t.topic, func(ctx context.Context, p int32) error {
		found, err := client.Offsets(ctx, t.topic, kafka.Latest, p)
		if err != nil {
			return err
		}
		ends[p] = found[p]
		size := 0
		return fetched(ctx, client, t.topic, p, func(b batch.Batch) bool {
			loads[p] = append(loads[p], bytes.Clone(b))
			size += len(b)
			return size < memory
		})
	})
	if err != nil {
		return done, err
	}
	var written, records atomic.Int64
	begun := time.Now()
	err = each(ctx, client, t.to, func(ctx context.Context, p int32) error {
		n, size, err := produced(ctx, client, t.to, p, loads[p], ends[p])
		written.Add(size)
		records.Add(n)
		return err
	})
	return outcome{Bytes: written.Load(), Records: records.Load(), Seconds: time.Since(begun).Seconds()}, err
}

func produced(ctx context.Context, client *kafka.Client, topic string, p int32, load []batch.Batch, want int64) (
	records, size int64, err error,
) {
	if want == 0 {
		return 0, 0, nil
	}
	producer, err := client.Transactional(ctx, fmt.Sprintf("raw.%s.%d", topic, p), transactionTimeout)
	if err != nil {
		return 0, 0, err
	}
	open := int64(0)
	for next := 0; records < want; {
		var together []batch.Batch
		for bytes := 0; bytes < produceBytes && len(together) < len(load) && records < want; next++ {
			b := load[next%len(load)]
			together = append(together, b)
			bytes += len(b)
			size, open = size+int64(len(b)), open+int64(len(b))
			records += int64(b.Count())
		}
		if _, err := producer.Produce(ctx, topic, p, slices.Clone(together)); err != nil {
			return records, size, errors.Join(err, producer.Abort(ctx))
		}
		if open >= transactionBytes || records >= want {
			if err := producer.Commit(ctx); err != nil {
				return records, size, err
			}
			open = 0
		}
	}
	return records, size, nil
}
