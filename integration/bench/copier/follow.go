package main

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// runFollow copies as the function migrate does: any number of partitions take
// turns, with an offset map, in the memory that the follower takes by default.
func runFollow(ctx context.Context, t task) (outcome, error) {
	begun := time.Now()
	source, target, err := t.pair(ctx)
	if err != nil {
		return outcome{}, err
	}
	done, err := t.follow(ctx, begun, mirror.FollowConfig{Config: mirror.Config{Job: t.id, Source: source, Target: target, OffsetMap: true}})
	return done, errors.Join(err, source.Close(), target.Close())
}

func (t task) follow(ctx context.Context, begun time.Time, config mirror.FollowConfig) (done outcome, err error) {
	if config.Topics, err = mirror.ParseTopicMap(t.from + ":" + t.to); err != nil {
		return done, err
	}
	if config.Select, err = mirror.NewSelection([]string{regexp.QuoteMeta(t.from)}, nil); err != nil {
		return done, err
	}
	follower, err := mirror.NewFollower(config)
	if err != nil {
		return done, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer stop()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			if behind, known := follower.Behind(); known && behind == 0 || len(follower.Faults()) > 0 {
				return
			}
		}
	}()
	result := follower.Run(ctx)
	for _, fault := range follower.Faults() {
		err = errors.Join(err, fault.Err)
	}
	var records int64
	for _, p := range result.Partitions {
		records += p.Records
	}
	done = since(begun, records)
	if err == nil {
		done.MapBytes, err = t.mapBytes(context.WithoutCancel(ctx), config)
	}
	return done, err
}

// mapBytes is the size of the offset maps as they are stored.
func (t task) mapBytes(ctx context.Context, config mirror.FollowConfig) (sum int64, err error) {
	maps := mirror.NewOffsetMaps(config.Target, config.Job)
	for _, p := range t.numbers() {
		translation, err := maps.Partition(ctx, t.from, t.to, p)
		if err != nil {
			return 0, err
		}
		text, err := translation.Map.MarshalText()
		if err != nil {
			return 0, err
		}
		sum += int64(len(text))
	}
	return sum, nil
}
