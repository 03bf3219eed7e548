package backup

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// records gives the records of a partition that a reader of committed records sees, from an
// offset on and up to the partition's end. Each is valid until the next one.
func (s *Source) records(ctx context.Context, part *partLog, from int64) iter.Seq2[batch.Record, error] {
	return func(yield func(batch.Record, error) bool) {
		l := loader{chain: s.chain, identities: s.identities}
		decoder := batch.Decoder{Limit: maxDecoded}
		for i := part.find(from); i < len(part.segments); i++ {
			segment := part.segments[i]
			log, err := l.load(ctx, part.at, segment)
			if errors.Is(err, ErrDamaged) {
				if err = s.damaged(err); err == nil {
					continue
				}
			}
			if err != nil {
				yield(batch.Record{}, err)
				return
			}
			skips := newAborts(segment.Aborted)
			for u, err := range units(log) {
				if err != nil {
					yield(
						batch.Record{},
						fmt.Errorf("read %s/%d of the backup: %w", part.at.topic, part.at.number, err),
					)
					return
				}
				if skips.skip(u) {
					continue
				}
				for r, err := range u.Records(&decoder) {
					switch {
					case err != nil:
						yield(
							batch.Record{},
							fmt.Errorf(
								"decode %s/%d of the backup up to offset %d: %w",
								part.at.topic,
								part.at.number,
								u.LastOffset(),
								err,
							),
						)
						return
					case r.Offset < max(from, segment.First):
						continue
					case r.Offset >= part.end:
						return
					}
					if !yield(r, nil) {
						return
					}
				}
			}
		}
	}
}

// first gives the first record from an offset on; nil where there is none.
func (s *Source) first(ctx context.Context, part *partLog, from int64) (*batch.Record, error) {
	for r, err := range s.records(ctx, part, from) {
		if err != nil {
			return nil, err
		}
		r = r.Clone()
		return &r, nil
	}
	return nil, nil
}
