package migrate

import (
	"context"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Status is where a migration is, as both clusters say.
type Status struct {
	State State `json:"state"`
	// Back says that lags and groups are those of the way back.
	Back   bool                   `json:"back"`
	Lags   []mirror.Lag           `json:"lags"`
	Groups []mirror.GroupPosition `json:"groups"`
	// Late are partitions whose source has records from after the cut-over that
	// were not copied back: somebody still writes there.
	Late []LatePartition `json:"late,omitempty"`
}

// LatePartition has records on the wrong side.
type LatePartition struct {
	Topic     string `json:"topic"` // of the source
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"` // of the first one
}

// Look gives the status. It changes nothing.
func Look(ctx context.Context, c Clusters, name string) (Status, error) {
	state, err := NewStore(c.Target).Load(ctx, name)
	if err != nil {
		return Status{}, err
	}
	if err := c.check(ctx, state.Plan); err != nil {
		return Status{}, err
	}
	if state.Step.Over() {
		return Status{State: state}, nil // nothing is copied any more
	}
	status := Status{State: state, Back: state.Step == CutOver && !state.Plan.NoWayBack}
	way, err := c.forward(state.Plan)
	if status.Back {
		way, err = c.back(state)
	}
	if err != nil {
		return status, err
	}
	if status.Lags, err = way.lags(ctx); err != nil {
		return status, err
	}
	if state.Step == Planned {
		return status, nil
	}
	if state.Step == CutOver {
		operator := Operator{Clusters: c}
		if status.Late, err = operator.late(ctx, state); err != nil {
			return status, err
		}
		if !status.Back {
			return status, nil // the groups of the target are on their own
		}
	}
	if status.Groups, err = way.groupSync(mirror.Shard{}).Preview(ctx); err != nil {
		return status, fmt.Errorf("groups: %w", err)
	}
	return status, nil
}
