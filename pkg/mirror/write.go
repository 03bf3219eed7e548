package mirror

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// write commits given records, from the checkpoint on.
func (p *partition) write(ctx context.Context, given Given) (PartitionResult, error) {
	rng := given.span()
	return p.persist(ctx, rng, func(ctx context.Context, result *PartitionResult) error {
		if err := p.open(ctx, rng.First); err != nil {
			return err
		}
		result.Target = p.target.name
		c, planErr := p.planGiven(given.Records)
		if c.next > p.next {
			if err := p.commit(ctx, c); err != nil {
				return err
			}
			result.add(c)
		}
		return planErr
	})
}

// planGiven plans the records that are not below the checkpoint.
func (p *partition) planGiven(records []batch.Record) (*chunk, error) {
	codec := batch.None
	if p.config.Codec != nil {
		codec = *p.config.Codec
	}
	planner := newPlanner(p.topic, p.number, len(p.source.Partitions), p.target, p.config.Codec)
	planner.begin(p.next)
	for _, r := range records {
		if r.Offset < planner.chunk.next {
			continue
		}
		if err := planner.build(planner.route(r), codec, r); err != nil {
			c, endErr := planner.end()
			if endErr != nil {
				return c, endErr
			}
			return c, err
		}
		planner.chunk.next = r.Offset + 1
	}
	return planner.end()
}
