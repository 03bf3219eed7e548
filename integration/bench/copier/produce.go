package main

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// loadBytes is how much of the source is held in memory, to be produced again
// and again, by all partitions together.
const loadBytes = 32 << 20

// runProduce writes as many records as the source has, from memory, idempotent
// and without transactions: the copy cannot be faster than this.
func runProduce(ctx context.Context, t task) (outcome, error) {
	source, target, err := t.pair(ctx)
	if err != nil {
		return outcome{}, err
	}
	done, err := t.produce(ctx, source, target)
	return done, errors.Join(err, source.Close(), target.Close())
}

func (t task) produce(ctx context.Context, source, target *kafka.Client) (done outcome, err error) {
	ends, err := t.ends(ctx, source)
	if err != nil {
		return done, err
	}
	loads := make([]load, t.partitions)
	group, loading := errgroup.WithContext(ctx)
	for p := range loads {
		group.Go(func() (err error) {
			loads[p], err = t.load(loading, source, int32(p), ends[int32(p)])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return done, err
	}

	var records atomic.Int64
	used, begun := page.CPUSeconds(), time.Now()
	group, producing := errgroup.WithContext(ctx)
	for p := range loads {
		group.Go(func() error {
			n, err := t.drain(producing, target, int32(p), loads[p])
			records.Add(n)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return done, err
	}
	done = since(begun, records.Load())
	done.CPUSeconds = page.CPUSeconds() - used
	return done, nil
}

// load is what one partition produces: its batches in order, over and over,
// until it has produced records.
type load struct {
	batches  []batch.Batch
	records  int64
	producer batch.Producer
}

func (t task) load(ctx context.Context, source *kafka.Client, p int32, records int64) (load, error) {
	l := load{records: records}
	size := 0
	err := t.each(ctx, source, p, records, &kafka.Buffer{}, func(s kafka.Stored) bool {
		l.batches = append(l.batches, bytes.Clone(s.Batch))
		size += len(s.Batch)
		return size < loadBytes/int(t.partitions)
	})
	if err != nil {
		return l, err
	}
	l.producer, err = newProducer(ctx, t.target)
	return l, err
}

// newProducer gets the id of an idempotent producer.
func newProducer(ctx context.Context, broker string) (batch.Producer, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		return batch.Producer{}, err
	}
	defer client.Close()
	id, epoch, err := client.ProducerID(ctx)
	return batch.Producer{ID: id, Epoch: epoch}, err
}

// drain produces the load in calls of about a chunk.
func (t task) drain(ctx context.Context, target *kafka.Client, p int32, l load) (produced int64, err error) {
	producer := l.producer
	for next := 0; produced < l.records; {
		var together []batch.Batch
		for size := 0; size < chunkBytes && len(together) < len(l.batches) && produced < l.records; {
			b := l.batches[next%len(l.batches)]
			if err := b.Stamp(producer); err != nil {
				return produced, err
			}
			producer.Sequence = batch.NextSequence(producer.Sequence, b.Count())
			together = append(together, b)
			size += len(b)
			produced += int64(b.Count())
			next++
		}
		if _, err := target.ProduceBatches(ctx, t.to, p, "", together); err != nil {
			return produced, err
		}
	}
	return produced, nil
}
