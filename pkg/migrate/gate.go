package migrate

import (
	"context"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// still measures the gates of leaving a side: nothing to copy is left on it,
// nobody writes to it, and its groups have their positions on the other side.
func (o *Operator) still(ctx context.Context, way route, side string) ([]Gate, []mirror.Lag, error) {
	quiet := o.Limits.withDefaults().Quiet
	before, err := way.lags(ctx)
	if err != nil {
		return nil, nil, err
	}
	o.say("watching the %s for %v", side, quiet)
	select {
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case <-time.After(quiet):
	}
	lags, err := way.lags(ctx)
	if err != nil {
		return nil, nil, err
	}
	gates := []Gate{faultGate(lags), lagGate(lags, 0), quietGate(side, quiet, before, lags)}
	groups, err := o.groupGates(ctx, way, side)
	return append(gates, groups...), lags, err
}

func faultGate(lags []mirror.Lag) Gate {
	gate := Gate{Name: "partitions that have stopped", Want: "none", Have: "none", OK: true}
	n := 0
	for _, lag := range lags {
		if lag.Fault == "" {
			continue
		}
		if n++; n == 1 {
			gate.Have = lag.Fault
		}
	}
	if gate.OK = n == 0; n > 1 {
		gate.Have = fmt.Sprintf("%d, the first: %s", n, gate.Have)
	}
	return gate
}

func lagGate(lags []mirror.Lag, most int64) Gate {
	var sum int64
	var worst mirror.Lag
	for _, lag := range lags {
		sum += lag.Records
		if lag.Records > worst.Records {
			worst = lag
		}
	}
	gate := Gate{Name: "lag", Want: fmt.Sprintf("%d records at most", most), Have: fmt.Sprintf("%d in %d partitions", sum, len(lags)), OK: sum <= most}
	if worst.Records > 0 {
		gate.Have += fmt.Sprintf(", most in %s/%d: %d", worst.Topic, worst.Partition, worst.Records)
	}
	return gate
}

// quietGate wants no partition's end to have moved.
func quietGate(side string, quiet time.Duration, before, after []mirror.Lag) Gate {
	gate := Gate{Name: "producers at the " + side, Want: fmt.Sprintf("none for %v", quiet), Have: "none", OK: true}
	type key struct {
		topic     string
		partition int32
	}
	ends := map[key]int64{}
	for _, lag := range before {
		ends[key{lag.Topic, lag.Partition}] = lag.End
	}
	for _, lag := range after {
		if end, ok := ends[key{lag.Topic, lag.Partition}]; !ok || end != lag.End {
			gate.OK = false
			gate.Have = fmt.Sprintf("%s/%d went from offset %d to %d", lag.Topic, lag.Partition, end, lag.End)
		}
	}
	return gate
}

// groupGates want the groups of a side to have stopped, and their positions on
// the other side to be what they are here.
func (o *Operator) groupGates(ctx context.Context, way route, side string) ([]Gate, error) {
	o.say("looking at the consumer groups of the %s", side)
	positions, err := way.groupSync(mirror.Shard{}).Sync(ctx)
	if err != nil {
		return nil, err
	}
	active := Gate{Name: "consumers at the " + side, Want: "none", Have: "none", OK: true}
	exact := Gate{Name: "positions of groups", Want: "all translated", Have: fmt.Sprintf("%d translated", len(positions)), OK: true}
	seen := map[string]bool{}
	for _, p := range positions {
		if !seen[p.Group] {
			seen[p.Group] = true
			described, err := way.from.DescribeGroup(ctx, p.Group)
			if err != nil {
				return nil, err
			}
			if described.Active() && active.OK {
				active.OK, active.Have = false, fmt.Sprintf("group %s is %s with %d members: stop them, they go on at the other side", p.Group, described.State, len(described.Members))
			}
		}
		if p.Reason != "" && exact.OK {
			exact.OK, exact.Have = false, fmt.Sprintf("group %s, %s/%d at %d: %s", p.Group, p.Topic, p.Partition, p.Source, p.Reason)
		}
	}
	return []Gate{active, exact}, nil
}
