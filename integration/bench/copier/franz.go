package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// runFranz is the loop that a user of franz-go would write and tune: records
// in, records out, idempotent, the same partition, the source's compression.
// It commits no position, which is in its favour.
func runFranz(ctx context.Context, t task) (outcome, error) {
	starts := map[int32]kgo.Offset{}
	for _, p := range t.numbers() {
		starts[p] = kgo.NewOffset().AtStart()
	}
	consumer, err := kgo.NewClient(
		kgo.SeedBrokers(t.source),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.from: starts}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(32<<20),
		kgo.FetchMaxPartitionBytes(8<<20),
		kgo.FetchMaxWait(200*time.Millisecond),
	)
	if err != nil {
		return outcome{}, err
	}
	defer consumer.Close()
	producer, err := kgo.NewClient(
		kgo.SeedBrokers(t.target),
		kgo.DefaultProduceTopic(t.to),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(franzCodec(t.codec)),
		kgo.ProducerBatchMaxBytes(1_000_000),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(200_000),
		kgo.MaxBufferedBytes(64<<20),
	)
	if err != nil {
		return outcome{}, err
	}
	defer producer.Close()

	var mu sync.Mutex
	var fault error
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			mu.Lock()
			fault = err
			mu.Unlock()
		}
	}
	begun := time.Now()
	var records int64
	for records < t.records {
		fetches := consumer.PollRecords(ctx, 20_000)
		if errs := fetches.Errors(); len(errs) > 0 {
			return outcome{}, fmt.Errorf("fetch %s/%d: %w", errs[0].Topic, errs[0].Partition, errs[0].Err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			records++
			r.Topic = t.to
			producer.Produce(ctx, r, promise)
		})
	}
	if err := producer.Flush(ctx); err != nil {
		return outcome{}, err
	}
	mu.Lock()
	defer mu.Unlock()
	return since(begun, records), fault
}

func franzCodec(c batch.Codec) kgo.CompressionCodec {
	switch c {
	case batch.Gzip:
		return kgo.GzipCompression()
	case batch.Snappy:
		return kgo.SnappyCompression()
	case batch.LZ4:
		return kgo.Lz4Compression()
	case batch.Zstd:
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}
