package migrate

import (
	"context"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Finish ends the copy back: from then on the target stands alone.
func (o *Operator) Finish(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "finish", CutOver, Finished)
	if err != nil || state.Step == Finished {
		return state, err
	}
	late, err := o.late(ctx, state)
	if err != nil {
		return state, err
	}
	gate := Gate{Name: "records at the source since the cut-over", Want: "none that were not copied back from the target", Have: "none"}
	gate.OK = len(late) == 0 || o.AcceptLate
	if len(late) > 0 {
		gate.Have = fmt.Sprintf("some in %d partitions, the first at %s/%d offset %d: a producer was left there. To leave them behind: --accept-late",
			len(late), late[0].Topic, late[0].Partition, late[0].Offset)
	}
	return o.enter(ctx, state, Finished, []Gate{gate}, nil)
}

// late finds records that were written to the source after the cut-over.
func (o *Operator) late(ctx context.Context, state State) ([]LatePartition, error) {
	maps := mirror.NewOffsetMaps(o.Source, state.Plan.BackJob())
	var late []LatePartition
	for _, cut := range state.Cut {
		// the end before the map: what is copied back meanwhile is not looked at
		ends, err := o.Source.StableOffsets(ctx, cut.Topic, cut.Partition)
		if err != nil {
			return nil, fmt.Errorf("source: %w", err)
		}
		var back mirror.Translation // nothing, where there is no way back
		if !state.Plan.NoWayBack {
			if back, err = maps.Partition(ctx, cut.TargetTopic, cut.Topic, cut.Partition); err != nil {
				return nil, err
			}
		}
		earliest, err := o.Source.Offsets(ctx, cut.Topic, kafka.Earliest, cut.Partition)
		if err != nil {
			return nil, fmt.Errorf("source: %w", err)
		}
		cut.Source = max(cut.Source, earliest[cut.Partition])
		offset, found, err := firstNotCopied(ctx, o.Source, cut, ends[cut.Partition], back.Map)
		if err != nil {
			return nil, err
		}
		if found {
			late = append(late, LatePartition{cut.Topic, cut.Partition, offset})
		}
	}
	return late, nil
}

func firstNotCopied(ctx context.Context, source *kafka.Client, cut CutPartition, end int64, back mirror.OffsetMap) (int64, bool, error) {
	for next := cut.Source; next < end; {
		fetched, err := source.FetchRecords(ctx, kafka.FetchRequest{
			Topic: cut.Topic, Partition: cut.Partition, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second, ReadCommitted: true,
		})
		if err != nil {
			return 0, false, fmt.Errorf("source: %w", err)
		}
		for _, r := range fetched.Records {
			if r.Offset >= cut.Source && r.Offset < end && !back.Copied(r.Offset) {
				return r.Offset, true, nil
			}
		}
		next = fetched.Next
	}
	return 0, false, nil
}
