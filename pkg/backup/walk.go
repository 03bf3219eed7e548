package backup

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// prefetched is how many manifests are read ahead.
const prefetched = 8

// walk reads the manifests from one sequence number to another, in order, some of them
// ahead. An error is about the manifest of the number beside it; the walk goes on behind
// it, unless ctx has ended. That each names the one before it is checked.
func (c *Chain) walk(ctx context.Context, from, to int64) iter.Seq2[int64, result[linked]] {
	return func(yield func(int64, result[linked]) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		slots := make(chan chan result[linked], prefetched)
		go func() {
			defer close(slots)
			for sequence := from; sequence <= to; sequence++ {
				slot := make(chan result[linked], 1)
				select {
				case slots <- slot:
				case <-ctx.Done():
					return
				}
				go func() {
					m, err := c.load(ctx, sequence)
					slot <- result[linked]{m, err}
				}()
			}
		}()
		var before Link
		sequence := from
		for slot := range slots {
			m := <-slot
			if m.err == nil && before.SHA256 != "" && *m.value.Previous != before {
				m.err = &DamageError{Key: c.layout.manifest(sequence), Offset: -1,
					Reason: fmt.Sprintf(
						"it names a manifest %d of another digest than that of the one before it",
						m.value.Previous.Sequence,
					)}
			}
			before = m.value.Link
			if !yield(sequence, m) || m.err != nil && ctx.Err() != nil {
				return
			}
			sequence++
		}
	}
}

// result is a value or an error.
type result[T any] struct {
	value T
	err   error
}

// segments collects those of places that are wanted, from the base and the manifests up to
// one, by place and in order of offsets. Damage is handed to damaged, which decides
// whether it is the end.
func (c *Chain) segments(
	ctx context.Context,
	newest *Manifest,
	to int64,
	wanted func(place) bool,
	damaged func(error) error,
) (map[place][]Segment, error) {
	all := map[place][]Segment{}
	if newest.Base != nil {
		base, err := c.base(ctx, *newest.Base)
		if errors.Is(err, ErrDamaged) {
			err = damaged(err)
		}
		if err != nil {
			return nil, err
		}
		for _, part := range base.Parts {
			if wanted(part.place()) {
				all[part.place()] = part.Segments
			}
		}
	}
	for _, m := range c.walk(ctx, newest.Oldest, to) {
		err := m.err
		if errors.Is(err, ErrDamaged) {
			err = damaged(err)
		}
		if err != nil {
			return nil, err
		}
		if m.err != nil {
			continue
		}
		for _, t := range m.value.Topics {
			for _, p := range t.Partitions {
				if at := (place{t.Name, t.Lineage, p.Number}); len(p.Segments) > 0 && wanted(at) {
					all[at] = append(all[at], p.Segments...)
				}
			}
		}
	}
	for at, list := range all {
		if err := validSegments(list); err != nil {
			return nil, fmt.Errorf("%s/%d: %w: %w", at.topic, at.number, ErrDamaged, err)
		}
	}
	return all, nil
}
