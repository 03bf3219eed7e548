package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// groups reads the positions of consumer groups in topics that are backed up. Those that
// cannot be read now stay as the last manifest has them, and are in the error.
func (r *run) groups(ctx context.Context) ([]Group, error) {
	listed, err := r.Source.Groups(ctx)
	if untold(err) {
		r.Log(ctx).Warn("positions of groups are not backed up: they cannot be listed", "reason", err)
		return nil, nil
	}
	if err != nil {
		if r.last.Manifest == nil {
			return nil, err
		}
		return r.last.Groups, err
	}
	all := make([]Group, len(listed))
	var group errgroup.Group
	group.SetLimit(observers)
	var mu sync.Mutex
	var faults []error
	var left error // a reason for which positions are not backed up
	for i, l := range listed {
		if r.Groups != nil && !r.Groups(l.ID) {
			continue
		}
		group.Go(func() error {
			committed, err := r.readPositions(ctx, l.ID)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case untold(err):
				left = err
			case err != nil:
				faults = append(faults, fmt.Errorf("positions of group %s: %w", l.ID, err))
				all[i] = r.last.group(l.ID)
			default:
				all[i] = r.positions(l.ID, committed)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in faults
	if left != nil {
		r.Log(ctx).Warn("positions of some groups are not backed up: they cannot be read", "reason", left)
	}
	all = slices.DeleteFunc(all, func(g Group) bool { return len(g.Positions) == 0 })
	slices.SortFunc(all, func(a, b Group) int { return compareText(a.ID, b.ID) })
	return all, errors.Join(faults...)
}

// untold says that a cluster will not tell, today or tomorrow.
func untold(err error) bool {
	return errors.Is(err, kafka.ErrAuthorization) || errors.Is(err, kafka.ErrUnsupported)
}

// readPositions reads one group's positions. A transaction that hangs in them is waited for no
// longer than a partition is.
func (r *run) readPositions(ctx context.Context, id string) (map[string]map[int32]kafka.Committed, error) {
	ctx, stop := context.WithTimeout(ctx, r.RetryFor)
	defer stop()
	return r.Source.CommittedAll(ctx, id)
}

func (r *run) positions(id string, committed map[string]map[int32]kafka.Committed) Group {
	g := Group{ID: id}
	for topic, partitions := range committed {
		if !r.knows(topic) {
			continue
		}
		for number, c := range partitions {
			if c.Offset >= 0 {
				g.Positions = append(
					g.Positions,
					Position{Topic: topic, Partition: number, Offset: c.Offset, Metadata: c.Metadata},
				)
			}
		}
	}
	slices.SortFunc(g.Positions, func(a, b Position) int {
		return cmp.Or(compareText(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return g
}
