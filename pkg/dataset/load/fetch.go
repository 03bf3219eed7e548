package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

const (
	// fetchBytes is about how much one fetch holds.
	fetchBytes = 4 << 20

	// fetchWait is how long the broker holds a fetch that has nothing to give.
	fetchWait = 200 * time.Millisecond
)

// errStop is what a yield returns to end a walk before the record that it was given.
var errStop = errors.New("stop")

// walk gives the committed records of a partition from one offset to another, both included. next is the first offset
// that was not looked at: behind to, or that of the record for which yield was [errStop]. A record is valid until the
// next one.
func (p *partition) walk(ctx context.Context, from, to int64, yield func(batch.Record) error) (next int64, err error) {
	for next = from; next <= to; {
		answer, err := p.fetch(ctx, next, to)
		if err != nil {
			return next, err
		}
		before := next
		if next, err = p.batches(ctx, answer, next, to, yield); err != nil {
			if errors.Is(err, errStop) {
				err = nil
			}
			return next, err
		}
		if next == before {
			return next, fmt.Errorf(
				"read %s at offset %d: the broker gave %d bytes without a whole batch",
				p.place,
				next,
				len(answer.Batches),
			)
		}
	}
	return next, nil
}

func (p *partition) batches(
	ctx context.Context,
	answer kafka.FetchResponse,
	next, to int64,
	yield func(batch.Record) error,
) (int64, error) {
	for unit, err := range answer.Visible(true) {
		if err != nil {
			return next, fmt.Errorf("read %s at offset %d: %w", p.place, next, err)
		}
		if next > to {
			break
		}
		if unit.LastOffset() < next {
			continue
		}
		if err := p.continues(ctx, unit, next); err != nil {
			return next, err
		}
		if !unit.Skip {
			for r, err := range unit.Records(&p.decoder) {
				if err != nil {
					return next, fmt.Errorf("read %s at offset %d: %w", p.place, next, err)
				}
				if r.Offset < next || r.Offset > to {
					continue
				}
				if err := yield(r); err != nil {
					return max(next, r.Offset), err
				}
				next = r.Offset + 1
			}
		}
		next = max(next, min(unit.LastOffset(), to)+1)
	}
	return next, nil
}

// continues makes sure that a batch is what comes next. Offsets are missing between batches of a compacted topic as a
// rule; elsewhere records were lost.
func (p *partition) continues(ctx context.Context, unit kafka.Stored, next int64) error {
	if unit.Batch == nil || unit.Batch.BaseOffset() <= next {
		return nil
	}
	compacted, err := p.compacted(ctx)
	if err != nil || compacted {
		return err
	}
	return &GapError{Topic: p.topic, Partition: p.place.partition, First: next, Last: unit.Batch.BaseOffset() - 1}
}

// compacted asks for the cleanup.policy once. Where it may not be read the topic counts as compacted: better no alarm
// than a false one.
func (p *partition) compacted(ctx context.Context) (bool, error) {
	if p.compacts == nil {
		settings, _, err := p.Source.TopicSettings(ctx, p.topic)
		hidden := errors.Is(err, kafka.ErrAuthorization) || errors.Is(err, kafka.ErrUnsupported)
		if err != nil && !hidden {
			return false, fmt.Errorf("source: %w", err)
		}
		compacts := hidden || strings.Contains(settings["cleanup.policy"], "compact")
		p.compacts = &compacts
	}
	return *p.compacts, nil
}

// fetch waits for an answer with something at an offset. It waits out what passes: a leader that moves, a broker that
// is away for a moment.
func (p *partition) fetch(ctx context.Context, at, to int64) (kafka.FetchResponse, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 20*time.Millisecond, 2*time.Second
	for since := time.Now(); ; {
		if err := p.timeLeft(ctx); err != nil {
			return kafka.FetchResponse{}, err
		}
		answer, err := p.Source.Fetch(ctx, kafka.FetchRequest{
			Topic: p.topic, Partition: p.place.partition, Offset: at,
			MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait, ReadCommitted: true,
		}, &p.buffer)
		switch {
		case err == nil && len(answer.Batches) > 0:
			return answer, nil
		case err == nil:
			if answer.LastStable >= 0 && answer.LastStable <= at && answer.LastStable < answer.HighWatermark {
				err = fmt.Errorf(
					"load %s: %w: the next offset is %d; it is loaded once its producer commits or aborts",
					p.place,
					ErrNotStable,
					at,
				)
			} else {
				err = fmt.Errorf("load %s: nothing at offset %d, the high watermark is %d and offset %d was asked for", p.place, at, answer.HighWatermark, to)
			}
			if time.Since(since) > p.RetryFor {
				return answer, err
			}
			continue // the broker has waited already
		case errors.Is(err, kafka.ErrOffsetOutOfRange):
			if explained := p.explain(ctx, at); explained != nil {
				return answer, explained
			}
		case !kafka.Retriable(err):
			return answer, err
		}
		if time.Since(since) > p.RetryFor {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, context.Cause(ctx)
		case <-time.After(wait.NextBackOff()):
		}
	}
}

// timeLeft is an error where the context has ended, or ends before anything can be done.
func (p *partition) timeLeft(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("load %s: %w: %w", p.place, ErrTime, err)
	}
	return nil
}

// explain says which way an offset is out of range; nil where it is not (any more).
func (p *partition) explain(ctx context.Context, at int64) error {
	number := p.place.partition
	earliest, err := p.Source.Offsets(ctx, p.topic, kafka.Earliest, number)
	if err != nil {
		return err
	}
	if available := earliest[number]; at < available {
		return &GapError{Topic: p.topic, Partition: number, First: at, Last: available - 1}
	}
	latest, err := p.Source.Offsets(ctx, p.topic, kafka.Latest, number)
	if err != nil {
		return err
	}
	if end := latest[number]; at > end {
		return p.journal.recreated(fmt.Sprintf("the next offset was %d, and it ends at %d", at, end))
	}
	return nil
}

// same makes sure that the topic is the one that the log speaks of. After a fetch, because ids never come back.
func (p *partition) same(ctx context.Context) error {
	now, err := p.Source.Topic(ctx, p.topic)
	if err != nil {
		return err
	}
	if id := now.ID.String(); id != p.id {
		return p.journal.recreated("its id was " + p.id + " and is " + id)
	}
	return nil
}
