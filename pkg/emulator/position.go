package emulator

import (
	"context"
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// position is where a partition is read from.
type position struct {
	start     int64
	committed int64 // -1 where the group had no offset
}

// positions finds out where to begin: at the group's committed offset, and only
// where it has none, at the trigger's offset setting. It tries until it knows;
// the error is the context's.
func (t *kafkaTrigger) positions(ctx context.Context, g *kafka.Generation, numbers []int32) (map[int32]position, error) {
	pause := t.backOff()
	for {
		found, err := t.findPositions(ctx, g, numbers)
		if err == nil {
			return found, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t.log().Warn("trigger cannot begin", "function", t.function, "trigger", t.name, "topic", t.set.Topic, "error", err)
		t.setError(err)
		if err := wait(ctx, t.clock(), pause.next()); err != nil {
			return nil, err
		}
		t.setError(nil)
	}
}

func (t *kafkaTrigger) findPositions(ctx context.Context, g *kafka.Generation, numbers []int32) (map[int32]position, error) {
	found := make(map[int32]position, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	committed, err := t.client.Committed(ctx, t.group(), t.set.Topic, numbers...)
	if err != nil {
		return nil, err
	}
	var none []int32
	for _, n := range numbers {
		c, ok := committed[n]
		if !ok || c.Offset < 0 {
			none = append(none, n)
			continue
		}
		found[n] = position{start: c.Offset, committed: c.Offset}
	}
	if len(none) == 0 {
		return found, nil
	}
	return found, t.begin(ctx, g, none, found)
}

// begin finds the positions of partitions for which the group has no offset.
func (t *kafkaTrigger) begin(ctx context.Context, g *kafka.Generation, numbers []int32, found map[int32]position) error {
	starts, err := t.client.Offsets(ctx, t.set.Topic, int64(t.set.Offset), numbers...)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		found[n] = position{start: starts[n], committed: -1}
		if t.set.Offset != scf.Latest {
			continue
		}
		// why: asked again later, "latest" would be another place, and what was
		// written in between would be skipped.
		if err := g.Commit(t.set.Topic, n, starts[n]); err != nil {
			return fmt.Errorf("keep the position of the offset setting latest: %w", err)
		}
		found[n] = position{start: starts[n], committed: starts[n]}
	}
	return nil
}

// readFailed takes note of a read that failed and says where to read on: in
// the same place, unless the topic does not have that offset.
func (t *kafkaTrigger) readFailed(ctx context.Context, part *partition, offset int64, err error) int64 {
	number := part.get().Partition
	part.unreadable(err)
	if !errors.Is(err, kafka.ErrOffsetOutOfRange) {
		return offset
	}
	starts, err := t.client.Offsets(ctx, t.set.Topic, kafka.Earliest, number)
	if err != nil {
		return offset
	}
	first := starts[number]
	why := fmt.Sprintf("the records from offset %d to %d are gone from the topic; delivery goes on at %d", offset, first-1, first)
	if offset > first {
		why = fmt.Sprintf("the topic ends before offset %d, as if it was made anew; delivery begins at its first offset, %d", offset, first)
	}
	t.log().Error("position lost", part.attrs("offset", offset, "first", first, "reason", why)...)
	part.set(func(s *PartitionStatus) {
		s.LastError = why
		s.Lost += max(0, first-offset)
	})
	return first
}
