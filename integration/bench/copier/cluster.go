package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// chunkBytes is what one fetch asks for: as much as the copy engine does.
const chunkBytes = 4 << 20

// pair opens both clusters.
func (t task) pair(ctx context.Context) (source, target *kafka.Client, err error) {
	source, err = kafka.Open(ctx, kafka.Config{Brokers: []string{t.source}})
	if err != nil {
		return nil, nil, fmt.Errorf("source: %w", err)
	}
	target, err = kafka.Open(ctx, kafka.Config{Brokers: []string{t.target}})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("target: %w", err), source.Close())
	}
	return source, target, nil
}

// numbers are the partitions of both topics.
func (t task) numbers() []int32 {
	all := make([]int32, t.partitions)
	for p := range all {
		all[p] = int32(p)
	}
	return all
}

// ends are the offsets after the last record of each partition of the source.
func (t task) ends(ctx context.Context, source *kafka.Client) (map[int32]int64, error) {
	return source.Offsets(ctx, t.from, kafka.Latest, t.numbers()...)
}
