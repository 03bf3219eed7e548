package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// instance is the source cluster's id, as serverless.yml would name it.
const instance = "ckafka-source"

// runPlatform copies through the local platform, with the built function dump
// and the trigger of serverless.yml: events of up to 10,000 records or 6 MB.
// It begins with the platform's start and ends when the trigger's group has
// committed the last record; the function's start is included.
func runPlatform(ctx context.Context, t task) (outcome, error) {
	source, err := kafka.Open(ctx, kafka.Config{Brokers: []string{t.source}})
	if err != nil {
		return outcome{}, err
	}
	ends, err := t.ends(ctx, source)
	if err := errors.Join(err, source.Close()); err != nil {
		return outcome{}, err
	}
	arrived := newArrival(ends)
	begun := time.Now()
	platform, err := emulator.New(emulator.Config{
		Clusters: map[string]kafka.Config{instance: {Brokers: []string{t.source}}},
		Hooks:    emulator.Hooks{Trigger: arrived.trigger, Invoked: arrived.invoked},
	})
	if err != nil {
		return outcome{}, err
	}
	err = t.deliver(ctx, platform, arrived)
	done := since(begun, t.records)
	if err := errors.Join(err, platform.Close()); err != nil {
		return outcome{}, err
	}
	for _, peak := range arrived.peaks {
		done.RSSBytes += peak
	}
	return done, nil
}

// deliver runs the platform until everything has arrived.
func (t task) deliver(ctx context.Context, platform *emulator.Platform, arrived *arrival) error {
	f := t.function()
	if t.rules != "" {
		f.Environment["RULES"] = t.rules
		f.Environment["DEADLETTER_TOPIC"] = "" // one would be a failure
	}
	if err := platform.Deploy(ctx, f, t.code); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- platform.Run(ctx) }()
	select {
	case err := <-ended:
		return errors.Join(errors.New("the platform ended before the copy"), err)
	case <-arrived.done:
	}
	stop()
	if err := <-ended; err != nil {
		return err
	}
	return arrived.err()
}

// function is dump with the trigger that serverless.yml gives it.
func (t task) function() scf.Function {
	return scf.Function{
		Key: "dump", Name: "dump", Handler: "main", Runtime: "Go1", MemorySize: 256, Timeout: 60,
		Environment: map[string]string{
			"JOB": t.id, "TOPICS": t.from + ":" + t.to, "START": "earliest",
			"SOURCE_BROKERS": t.source, "TARGET_BROKERS": t.target,
		},
		Events: []scf.Trigger{{Kafka: &scf.KafkaTrigger{
			InstanceID: instance, Topic: t.from, ConsumerGroup: "etl-" + t.id,
			MaxMsgNum: 10_000, TimeOut: 1, Retry: 10_000, Offset: scf.Earliest, Enabled: true,
		}}},
	}
}

// arrival waits until every partition has been committed to its end. The first
// failed invocation ends it.
type arrival struct {
	mu    sync.Mutex
	ends  map[int32]int64
	fault error
	done  chan struct{}
	peaks map[int]int64 // largest resident size by process
}

func newArrival(ends map[int32]int64) *arrival {
	return &arrival{ends: ends, done: make(chan struct{}), peaks: map[int]int64{}}
}

func (a *arrival) trigger(e emulator.TriggerEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if end, waits := a.ends[e.Status.Partition]; waits && e.Status.Committed >= end {
		delete(a.ends, e.Status.Partition)
		if len(a.ends) == 0 {
			close(a.done)
		}
	}
}

func (a *arrival) invoked(i emulator.Invocation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.peaks[i.PID] = max(a.peaks[i.PID], i.MaxRSS)
	if i.Error == nil || len(a.ends) == 0 {
		return
	}
	a.fault = fmt.Errorf("an invocation failed: %w\n%s", i.Error, i.Log)
	a.ends = nil
	close(a.done)
}

func (a *arrival) err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fault
}
