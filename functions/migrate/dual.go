package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// dual writes the records of events to all targets at once. Each has its own
// checkpoint: one that is away holds back none of the others, and goes on at its
// checkpoint with the next event, or with the timer.
type dual struct {
	config  Config
	source  *kafka.Client
	targets []*target
}

// target is one of the clusters that are written.
type target struct {
	config kafka.Config
	job    string
	first  bool // that of the migration: written only while its step says so

	client *kafka.Client // nil until it has answered
	copier *mirror.Copier
	names  mirror.TopicMap

	fault     error // of the last event, and until when it is left alone
	restUntil time.Time
}

const (
	// rest is how long a target that has failed is left alone, while others are
	// there: each event would wait for it otherwise.
	rest = 15 * time.Second
	// retryFor bounds how long an event waits for a target, while others are there.
	retryFor = 5 * time.Second
)

func newDual(config Config, source *kafka.Client) *dual {
	d := &dual{config: config, source: source}
	for i, cluster := range []kafka.Config{config.Target, config.Target2, config.Target3} {
		switch {
		case i == 0:
			d.targets = append(d.targets, &target{config: cluster, job: config.Migration, first: true})
		case len(cluster.Brokers) > 0:
			d.targets = append(d.targets, &target{config: cluster, job: fmt.Sprintf("%s-%d", config.Migration, i+1)})
		}
	}
	return d
}

// write is nil once one target at least has the records: the platform would
// hold back the topic for all of them otherwise. What the others lack they copy
// from their checkpoint on; the first copy begins at the topic's beginning.
func (d *dual) write(ctx context.Context, e event.Kafka) (Result, error) {
	var ranges []mirror.Range
	for _, r := range e.Ranges() {
		ranges = append(ranges, mirror.Range{Topic: r.Topic, Partition: r.Partition, First: r.First, Last: r.Last})
	}
	results := make([]Result, len(d.targets))
	faults := make([]error, len(d.targets))
	var writing sync.WaitGroup
	all := d.allRest()
	for i, t := range d.targets {
		if faults[i] = t.resting(); faults[i] != nil && !all {
			continue
		}
		writing.Go(func() {
			if results[i], faults[i] = t.write(ctx, d, ranges); faults[i] != nil && !errors.Is(faults[i], errSkipped) {
				faults[i] = fmt.Errorf("target %d (job %s): %w", i+1, t.job, faults[i])
			}
			if t.fault, t.restUntil = faults[i], time.Now().Add(rest); errors.Is(t.fault, errSkipped) {
				t.fault = nil
			}
		})
	}
	writing.Wait()
	result, written, skipped := Result{}, 0, 0
	for i, r := range results {
		if r.Step != "" {
			result.Step = r.Step
		}
		result.Copied.Partitions = append(result.Copied.Partitions, r.Copied.Partitions...)
		switch {
		case faults[i] == nil:
			written++
			continue
		case errors.Is(faults[i], errSkipped):
			skipped++
			continue
		}
		result.Faults = append(result.Faults, faults[i].Error())
		fn.LoggerFrom(ctx).Error("a target was not written", "error", faults[i])
	}
	if written == 0 && skipped < len(d.targets) {
		return result, errors.Join(faults...)
	}
	return result, nil
}

// resting is the fault of a target that is left alone; nil: it is not.
func (t *target) resting() error {
	if t.fault == nil || time.Now().After(t.restUntil) {
		return nil
	}
	return fmt.Errorf("left alone until %s: %w", t.restUntil.Format(time.TimeOnly), t.fault)
}

// allRest says that no target would be left: then all of them are tried.
func (d *dual) allRest() bool {
	return !slices.ContainsFunc(d.targets, func(t *target) bool { return t.resting() == nil })
}

func (t *target) write(ctx context.Context, d *dual, ranges []mirror.Range) (Result, error) {
	var result Result
	if err := t.connect(ctx); err != nil {
		return result, err
	}
	var state migrate.State
	if t.first {
		var err error
		state, err = migrate.NewStore(t.client).Load(ctx, t.job)
		if err != nil && !errors.Is(err, migrate.ErrUnknown) {
			return result, err
		}
		if result.Step = state.Step; !state.Step.Forward() {
			return result, errSkipped // it is copied once it is started, or not any more
		}
		if ranges, err = planned(state.Plan, ranges); err != nil || len(ranges) == 0 {
			return result, cmp.Or(err, errSkipped)
		}
	}
	if err := t.open(d, state.Plan.Topics); err != nil {
		return result, err
	}
	if t.first {
		if err := t.claim(ctx, state, ranges); err != nil {
			return result, err
		}
	}
	copied, err := t.copier.Copy(ctx, ranges)
	result.Copied = copied
	return result, err
}

// claim makes sure that the target topics are the migration's.
func (t *target) claim(ctx context.Context, state migrate.State, ranges []mirror.Range) error {
	for _, r := range ranges {
		name := t.names.Target(r.Topic)
		if state.Claims.Topics[name] == r.Topic {
			continue
		}
		if err := migrate.NewStore(t.client).ClaimTopic(ctx, t.job, r.Topic, name); err != nil {
			return err
		}
	}
	return nil
}

// errSkipped says that an event is none of a target's business.
var errSkipped = errors.New("not copied now")

// planned gives the ranges of topics that the plan copies.
func planned(plan migrate.Plan, ranges []mirror.Range) ([]mirror.Range, error) {
	selected, err := mirror.NewSelection(plan.Include, plan.Exclude)
	if err != nil {
		return nil, err
	}
	var mine []mirror.Range
	for _, r := range ranges {
		if selected.Match(r.Topic) {
			mine = append(mine, r)
		}
	}
	return mine, nil
}

func (t *target) connect(ctx context.Context) (err error) {
	if t.client == nil {
		t.client, err = kafka.Open(ctx, t.config)
	}
	return err
}

// open makes the copier, with the target names of the plan, where there is one.
func (t *target) open(d *dual, topics string) error {
	if t.copier != nil {
		return nil
	}
	var err error
	if t.names, err = mirror.ParseTopicMap(topics); err != nil {
		return err
	}
	config := mirror.Config{
		Job: t.job, Source: d.source, Target: t.client, Topics: t.names,
		FromEarliest: true, KeepPartitions: true, OffsetMap: true, CreateTopics: true, Exclusive: true,
		Parallel: d.config.Parallel, Log: fn.LoggerFrom,
	}
	if len(d.targets) > 1 {
		config.RetryFor = retryFor
	}
	t.copier, err = mirror.New(config)
	return err
}

func (d *dual) close() error {
	var faults []error
	for _, t := range d.targets {
		if t.client != nil {
			faults = append(faults, t.client.Close())
		}
	}
	return errors.Join(faults...)
}
