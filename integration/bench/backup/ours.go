package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// runBackup is what etl backup run does; where everything is backed up, it finds that out.
func runBackup(ctx context.Context, t task) (done outcome, err error) {
	client, err := t.client(ctx)
	if err != nil {
		return done, err
	}
	defer client.Close()
	store, err := t.store()
	if err != nil {
		return done, err
	}
	begun := time.Now()
	result, err := backup.Run(ctx, backup.Config{
		Source: client, Store: store, Prefix: t.prefix, Parallel: parallel, Compress: t.compress,
		Topics: func(name string) bool { return name == t.topic },
	})
	if err == nil && !result.Complete {
		err = errors.New("it is not complete")
	}
	return outcome{Bytes: result.Bytes, Records: result.Records, Seconds: time.Since(begun).Seconds()}, err
}

// runRestore is what etl restore does.
func runRestore(ctx context.Context, t task) (done outcome, err error) {
	client, err := t.client(ctx)
	if err != nil {
		return done, err
	}
	defer client.Close()
	store, err := t.store()
	if err != nil {
		return done, err
	}
	topics, err := mirror.ParseTopicMap(t.topic + ":" + t.to)
	if err != nil {
		return done, err
	}
	begun := time.Now()
	chain, err := backup.Find(ctx, store, t.prefix, "")
	if err != nil {
		return done, err
	}
	result, err := backup.Restore(ctx, backup.RestoreConfig{
		Chain: chain, Target: client, Topics: topics, Job: "bench-" + t.to, Parallel: parallel,
	})
	if err != nil {
		return done, err
	}
	return outcome{
		Bytes: result.Plan.Bytes, Records: result.Records, Seconds: time.Since(begun).Seconds(),
	}, nil
}

// runMoment is what etl restore --plan --to-time does before it looks at a target: it
// finds the end of each partition at a moment, and the segments up to there.
func runMoment(ctx context.Context, t task) (done outcome, err error) {
	store, err := t.store()
	if err != nil {
		return done, err
	}
	begun := time.Now()
	chain, err := backup.Find(ctx, store, t.prefix, "")
	if err != nil {
		return done, err
	}
	plan, err := backup.PlanRestore(ctx, backup.RestoreConfig{
		Chain: chain, Point: backup.Point{Time: time.UnixMilli(t.moment)},
	})
	if err != nil {
		return done, err
	}
	for _, topic := range plan.Topics {
		for _, p := range topic.Partitions {
			if want := endAt(t.moment); p.End != want {
				return done, fmt.Errorf("partition %d ends at offset %d, and should at %d", p.Number, p.End, want)
			}
			done.Records += p.End - p.First
		}
	}
	done.Bytes, done.Seconds = plan.Bytes, time.Since(begun).Seconds()
	return done, nil
}
