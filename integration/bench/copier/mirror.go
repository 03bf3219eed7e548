package main

import (
	"context"
	"errors"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// runMirror copies with the engine of this project, exactly-once. Its time
// begins before the first connection, as that of the others does.
func runMirror(ctx context.Context, t task) (outcome, error) {
	begun := time.Now()
	source, target, err := t.pair(ctx)
	if err != nil {
		return outcome{}, err
	}
	done, err := t.mirror(ctx, begun, mirror.Config{Job: t.id, Source: source, Target: target, Parallel: int(t.partitions)})
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
