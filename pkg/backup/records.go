package backup

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// appendTime says that timestamps are when a broker appended the records.
func (u unit) appendTime() bool {
	if u.Batch != nil {
		return u.Batch.LogAppendTime()
	}
	return u.Message.LogAppendTime()
}

// records gives the records of a partition that a reader of committed records sees, from an
// offset on and up to the partition's end. Each is valid until the next one.
func (s *Source) records(ctx context.Context, part *partLog, from int64) iter.Seq2[FileRecord, error] {
	return func(yield func(FileRecord, error) bool) {
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
				yield(FileRecord{}, err)
				return
			}
			skips := newAborts(segment.Aborted)
			for u, err := range units(log) {
				if err != nil {
					yield(
						FileRecord{},
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
							FileRecord{},
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
					if !yield(FileRecord{r, u.appendTime()}, nil) {
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
		first := r.Clone()
		return &first, nil
	}
	return nil, nil
}
