package migrate

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Finish ends the copy back: once it has returned nothing is copied any more, and the
// target stands alone. Killed at any point it is called again.
func (o *Operator) Finish(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "finish", CutOver, Finished)
	if err != nil {
		return state, err
	}
	if state.Step != Finished {
		if state, err = o.finish(ctx, state); err != nil {
			return state, err
		}
	}
	if state.Plan.NoWayBack {
		return state, nil
	}
	way, err := o.back(state)
	if err != nil {
		return state, err
	}
	return state, o.end(ctx, state, way)
}

// end closes the copy of each partition of a way for good, so that an invocation that
// is under way, and has not heard of the step yet, copies nothing more.
func (o *Operator) end(ctx context.Context, state State, way route) error {
	if err := o.closeWay(ctx, way); err != nil {
		return fmt.Errorf("migration %s is %s, but a copy that is under way could not be ended yet: try again: %w", state.Plan.Name, state.Step, err)
	}
	return nil
}

func (o *Operator) closeWay(ctx context.Context, way route) error {
	lags, err := way.lags(ctx)
	if err != nil {
		return err
	}
	o.say("closing the copy of %d partitions", len(lags))
	closing, ctx := errgroup.WithContext(ctx)
	closing.SetLimit(looks)
	for _, lag := range lags {
		if lag.Next < 0 {
			continue // nothing was copied
		}
		closing.Go(func() error {
			_, err := mirror.CloseCopy(ctx, way.to, way.job, lag.Topic, lag.TargetTopic, lag.Partition)
			return err
		})
	}
	return closing.Wait()
}

func (o *Operator) finish(ctx context.Context, state State) (State, error) {
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
