package main

import (
	"context"
	"errors"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// runMirror copies with the engine of this project, exactly-once. Its time
// begins before the first connection, as that of the others does.
func runMirror(ctx context.Context, t task) (outcome, error) { return t.engine(ctx, mirror.Config{}) }

// runUnchecked does so without a second look at what it builds anew.
func runUnchecked(ctx context.Context, t task) (outcome, error) {
	return t.engine(ctx, mirror.Config{Unchecked: true})
}

func (t task) engine(ctx context.Context, config mirror.Config) (outcome, error) {
	begun := time.Now()
	source, target, err := t.pair(ctx)
	if err != nil {
		return outcome{}, err
	}
	config.Job, config.Source, config.Target, config.Parallel = t.id, source, target, int(t.partitions)
	done, err := t.mirror(ctx, begun, config)
	return done, errors.Join(err, source.Close(), target.Close())
}

func (t task) mirror(ctx context.Context, begun time.Time, config mirror.Config) (done outcome, err error) {
	if config.Topics, err = mirror.ParseTopicMap(t.from + ":" + t.to); err != nil {
		return done, err
	}
	ends, err := t.ends(ctx, config.Source)
	if err != nil {
		return done, err
	}
	var ranges []mirror.Range
	for _, p := range t.numbers() {
		ranges = append(ranges, mirror.Range{Topic: t.from, Partition: p, Last: ends[p] - 1})
	}
	copier, err := mirror.New(config)
	if err != nil {
		return done, err
	}
	result, err := copier.Copy(ctx, ranges)
	if err != nil {
		return done, err
	}
	var records int64
	for _, p := range result.Partitions {
		records += p.Records
	}
	return since(begun, records), nil
}
