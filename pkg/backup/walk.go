package backup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// prefetched is how many manifests are read ahead.
const prefetched = 8

// walk reads the manifests from one sequence number to another, in order, some of them
// ahead. An error is about the manifest of the number beside it, or where several are
// missing, about all of them; the walk goes on behind it, unless ctx has ended. That each
// names the one before it is checked.
func (c *Chain) walk(ctx context.Context, from, to int64) iter.Seq2[int64, result[linked]] {
	return func(yield func(int64, result[linked]) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		var before Link
		var there []int64 // once one was missing
		for from <= to {
			gone := int64(-1)
			for sequence, m := range c.walkAlong(ctx, from, to) {
				if m.err == nil && before.SHA256 != "" && *m.value.Previous != before {
					m.err = &DamageError{Key: c.layout.manifest(sequence), Offset: -1,
						Reason: fmt.Sprintf(
							"it names a manifest %d of another digest than that of the one before it",
							m.value.Previous.Sequence,
						)}
				}
				if before = m.value.Link; c.isMissing(m.err, sequence) {
					gone = sequence
					break
				}
				if !yield(sequence, m) || m.err != nil && ctx.Err() != nil {
					return
				}
			}
			if gone < 0 {
				return
			}
			// why a list: what a manifest that somebody has made up says of its number must not
			// have the rest of the numbers tried, one by one
			if there == nil {
				var err error
				if there, err = c.there(ctx, gone, to); err != nil {
					yield(gone, result[linked]{err: err})
					return
				}
			}
			next := to + 1
			if i, _ := slices.BinarySearch(there, gone+1); i < len(there) {
				next = there[i]
			}
			reason := missing
			if next > gone+1 {
				reason = fmt.Sprintf("%s, and so is every manifest up to %d", missing, next-1)
			}
			if !yield(gone, result[linked]{err: &DamageError{Key: c.layout.manifest(gone), Offset: -1, Reason: reason}}) {
				return
			}
			from = next
		}
	}
}

// isMissing says that an error is about a manifest that is not there.
func (c *Chain) isMissing(err error, sequence int64) bool {
	var d *DamageError
	return errors.As(err, &d) && d.Reason == missing && d.Key == c.layout.manifest(sequence)
}

// there lists the manifests behind one sequence number and up to another, in order.
func (c *Chain) there(ctx context.Context, behind, to int64) ([]int64, error) {
	all := []int64{}
	for object, err := range c.store.List(ctx, c.layout.manifests(), c.layout.manifest(to+1)) {
		if err != nil {
			return nil, fmt.Errorf("list the manifests: %w", err)
		}
		sequence, ok := c.layout.sequence(object.Key)
		if !ok {
			continue
		}
		if sequence <= behind {
			break
		}
		all = append(all, sequence)
	}
	slices.Reverse(all)
	return all, nil
}

// walkAlong reads them by their numbers, and checks none against another.
func (c *Chain) walkAlong(ctx context.Context, from, to int64) iter.Seq2[int64, result[linked]] {
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
		sequence := from
		for slot := range slots {
			if !yield(sequence, <-slot) {
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
