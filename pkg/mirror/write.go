package mirror

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// write commits given records, from the checkpoint on.
func (p *partition) write(ctx context.Context, rng Range, records []batch.Record) (PartitionResult, error) {
	return p.persist(ctx, rng, func(ctx context.Context, result *PartitionResult) error {
		if err := p.open(ctx, rng.First); err != nil {
			return err
		}
		c, planErr := p.planGiven(records)
		if c != nil && c.next > p.next {
			open := transaction{partition: p, result: result}
			if err := open.take(ctx, planned{chunk: c}, false); err != nil {
				return err
			}
		}
		return planErr
	})
}

// planGiven plans the records that are not below the checkpoint. With an error
// the chunk is what comes before it.
func (p *partition) planGiven(records []batch.Record) (*chunk, error) {
	codec := batch.None
	if p.Codec != nil {
		codec = *p.Codec
	}
	planner := newPlanner(p)
	planner.begin(p.next, p.known.Epoch)
	var fault error
	for _, r := range records {
		if r.Offset < planner.chunk.next {
			continue
		}
		if fault = planner.build(planner.route(r), codec, r); fault != nil {
			break
		}
		planner.chunk.next = r.Offset + 1
	}
	c, err := planner.end()
	if err != nil {
		return nil, err
	}
	return c, fault
}
