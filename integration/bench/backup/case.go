package main

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// The ways that a topic is measured in, in the order of the table. Those of a pair are
// compared: the raw one is what the other cannot be faster than.
const (
	wayFetch    = "fetch"
	wayBackup   = "backup"
	wayCompress = "backup, zstd"
	wayProduce  = "produce"
	wayRestore  = "restore"
	wayIdle     = "idle backup"
	wayMoment   = "moment"
)

func wayNames() []string {
	return []string{wayFetch, wayBackup, wayCompress, wayProduce, wayRestore, wayIdle, wayMoment}
}

// scenario is one topic.
type scenario struct {
	name       string
	partitions int
	codec      batch.Codec
	bytes      int64 // of records, all partitions together
	ways       []string
}

const (
	oneNone     = "1p 1KB none"
	oneZstd     = "1p 1KB zstd"
	fourNone    = "4p 1KB none"
	hundredNone = "100p 1KB none"
	idle        = "400p idle"
	moment      = "10 GB moment"
)

func scenarios() []scenario {
	both := []string{wayFetch, wayBackup, wayProduce, wayRestore}
	return []scenario{
		{oneNone, 1, batch.None, 600 << 20, slices.Insert(slices.Clone(both), 2, wayCompress)},
		{oneZstd, 1, batch.Zstd, 600 << 20, both},
		{fourNone, 4, batch.None, 800 << 20, both},
		{hundredNone, 100, batch.None, 800 << 20, both},
		{idle, 400, batch.None, 4 << 20, []string{wayIdle}},
		{moment, 0, batch.None, 0, []string{wayMoment}},
	}
}

const (
	valueBytes = 1024
	batchBytes = 900_000 // of a producer that lingers, uncompressed
)

// fill creates the topic of a scenario and writes its records.
func (s scenario) fill(ctx context.Context, client *kafka.Client, topic string, scale float64) error {
	spec := kafka.TopicSpec{Name: topic, Partitions: s.partitions, Settings: sample.TopicSettings()}
	if err := client.CreateTopic(ctx, spec); err != nil {
		return err
	}
	records := sample.Plain(batchBytes/valueBytes, valueBytes, 1)
	b, err := batch.Build(batch.Options{Codec: s.codec}, records)
	if err != nil {
		return err
	}
	batches := max(int(float64(s.bytes)*scale)/batchBytes/s.partitions, 1)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for p := range int32(s.partitions) {
		group.Go(func() error {
			for left := batches; left > 0; {
				n := min(left, max(produceBytes/len(b), 1))
				if _, err := client.ProduceBatches(ctx, topic, p, "", slices.Repeat([]batch.Batch{b}, n)); err != nil {
					return fmt.Errorf("fill %s/%d: %w", topic, p, err)
				}
				left -= n
			}
			return nil
		})
	}
	return group.Wait()
}
