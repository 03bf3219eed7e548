package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// runMirror copies with the engine of this project, exactly-once.
func runMirror(ctx context.Context, t task) (outcome, error) {
	source, target, err := t.pair(ctx)
	if err != nil {
		return outcome{}, err
	}
	done, err := t.mirror(ctx, mirror.Config{Job: t.id, Source: source, Target: target, Parallel: int(t.partitions)})
	return done, errors.Join(err, source.Close(), target.Close())
}

func (t task) mirror(ctx context.Context, config mirror.Config) (done outcome, err error) {
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
	begun := time.Now()
	result, err := copier.Copy(ctx, ranges)
	if err != nil {
		return done, err
	}
	var records int64
	for _, p := range result.Partitions {
		records += p.Records
		if p.Rebuilt > 0 {
			return done, fmt.Errorf("partition %d: %d batches were built anew, not passed on", p.Partition, p.Rebuilt)
		}
	}
	return since(begun, records), nil
}
