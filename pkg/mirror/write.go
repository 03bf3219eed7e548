package mirror

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// write brings given records to their end, from the checkpoint on.
func (p *partition) write(ctx context.Context, rng Range, records []batch.Record) (PartitionResult, error) {
	return p.persist(ctx, rng, func(ctx context.Context, result *PartitionResult) error {
		if err := p.open(ctx, rng.First); err != nil {
			return err
		}
		if p.Process == nil {
			return p.runGiven(ctx, records, rng.Last, result)
		}
		return p.process(ctx, rng.Last, 0, func(ctx context.Context, last, _ int64) error {
			return p.runGiven(ctx, records, last, result)
		})
	})
}

// runGiven is run for given records. Each chunk of them is a transaction.
func (p *partition) runGiven(ctx context.Context, records []batch.Record, last int64, result *PartitionResult) error {
	processing := p.newProcessing(ctx, last)
	defer p.judge(processing, p.next)
	planner := newPlanner(p, processing, last)
	open := transaction{partition: p, result: result}
	for p.next <= last {
		planner.begin(p.next, p.known.Epoch)
		planErr := planner.given(ctx, records, last)
		c, err := planner.end()
		if err != nil {
			return err
		}
		if c.next > p.next {
			if err := open.take(ctx, planned{chunk: c}, false); err != nil {
				return err
			}
		}
		if planErr != nil {
			return planErr
		}
	}
	return nil
}

// given plans the records up to last that are not below the checkpoint, or as many
// as the chunk has time for. With an error the chunk is what comes before it.
func (p *planner) given(ctx context.Context, records []batch.Record, last int64) error {
	codec := batch.None
	if p.codec != nil {
		codec = *p.codec
	}
	one := func(r batch.Record) (due bool, err error) { return false, p.copy(codec, r) }
	if j := p.processing; j != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, j.until)
		defer stop()
		j.codec = codec
		one = func(r batch.Record) (due bool, err error) {
			err = p.handle(ctx, r)
			return p.due(), err
		}
	}
	for _, r := range records {
		if r.Offset < p.chunk.next || r.Offset > last {
			continue
		}
		due, err := one(r)
		if err != nil {
			return err
		}
		if p.chunk.next = r.Offset + 1; due {
			return nil
		}
	}
	p.chunk.next = last + 1
	return nil
}
