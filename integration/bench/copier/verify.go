package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// runVerify compares the source with a copy of it, which is made before and is
// not measured.
func runVerify(ctx context.Context, t task) (outcome, error) {
	if _, err := runMirror(ctx, t); err != nil {
		return outcome{}, err
	}
	source, target, err := t.pair(ctx)
	if err != nil {
		return outcome{}, err
	}
	done, err := t.verify(ctx, source, target)
	return done, errors.Join(err, source.Close(), target.Close())
}

func (t task) verify(ctx context.Context, source, target *kafka.Client) (done outcome, err error) {
	if err := t.settle(ctx, target); err != nil {
		return done, err
	}
	used, begun := page.CPUSeconds(), time.Now()
	got, err := mirror.CompareTopics(ctx, source, target, t.from, t.to, mirror.CompareOptions{})
	if err != nil {
		return done, err
	}
	var records int64
	for _, p := range got.Partitions {
		records += p.Source.Records
	}
	done = since(begun, records)
	done.CPUSeconds = page.CPUSeconds() - used
	if !got.Equal || records != t.records {
		return done, fmt.Errorf("%d records of %d were compared, equal is %t", records, t.records, got.Equal)
	}
	return done, nil
}

// settle waits until the target shows the last transaction of each partition: a
// broker answers its end before.
func (t task) settle(ctx context.Context, target *kafka.Client) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		stable, err := target.StableOffsets(ctx, t.to, t.numbers()...)
		if err != nil {
			return err
		}
		latest, err := target.Offsets(ctx, t.to, kafka.Latest, t.numbers()...)
		if err != nil {
			return err
		}
		open := 0
		for p, end := range latest {
			if stable[p] < end {
				open++
			}
		}
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
