package migrate

import (
	"context"
	"fmt"
	"slices"
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
	gates := []Gate{faultGate(lags), lagGate(lags, 0), openGate(side, lags), quietGate(side, quiet, before, lags)}
	groups, err := o.groupGates(ctx, way, side)
	return append(gates, groups...), lags, err
}

// openGate wants no open transaction: what is behind it is not copied yet, and
// lag does not count it.
func openGate(side string, lags []mirror.Lag) Gate {
	gate := Gate{Name: "open transactions at the " + side, Want: "none", Have: "none", OK: true}
	for _, lag := range lags {
		if lag.HighWatermark > lag.End {
			gate.OK = false
			gate.Have = fmt.Sprintf("one in %s/%d at offset %d, with %d offsets from there on: have its producer end it, or wait for its time-out",
				lag.Topic, lag.Partition, lag.End, lag.HighWatermark-lag.End)
			break
		}
	}
	return gate
}

// copiedGate wants every partition that has records to have been begun.
func copiedGate(lags []mirror.Lag) Gate {
	gate := Gate{Name: "partitions with records", Want: "all begun", Have: "all", OK: true}
	for _, lag := range lags {
		if lag.Next < 0 && lag.Records > 0 {
			gate.OK, gate.Have = false, fmt.Sprintf("nothing of %s/%d is copied yet: the function's log says why", lag.Topic, lag.Partition)
			break
		}
	}
	return gate
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
		ends[key{lag.Topic, lag.Partition}] = lag.HighWatermark
	}
	for _, lag := range after {
		if end, ok := ends[key{lag.Topic, lag.Partition}]; !ok || end != lag.HighWatermark {
			gate.OK = false
			gate.Have = fmt.Sprintf("%s/%d went from offset %d to %d", lag.Topic, lag.Partition, end, lag.HighWatermark)
		}
	}
	return gate
}

// groupGates want the groups of a side to have stopped, and their positions on
// the other side to be what they are here. They are looked at before and after
// the positions are carried over: a consumer commits when it is stopped.
func (o *Operator) groupGates(ctx context.Context, way route, side string) ([]Gate, error) {
	o.say("looking at the consumer groups of the %s", side)
	groups := way.groupSync(mirror.Shard{})
	positions, err := groups.Preview(ctx)
	if err != nil {
		return nil, err
	}
	active, err := activeGate(ctx, way, side, positions)
	if err != nil {
		return nil, err
	}
	if positions, err = groups.Sync(ctx); err != nil {
		return nil, err
	}
	exact := Gate{Name: "positions of groups", Want: "all translated", Have: fmt.Sprintf("%d translated", len(positions)), OK: true}
	for _, p := range positions {
		if p.Reason != "" {
			exact.OK, exact.Have = false, fmt.Sprintf("group %s, %s/%d at %d: %s", p.Group, p.Topic, p.Partition, p.Source, p.Reason)
			break
		}
	}
	if active.OK {
		active, err = activeGate(ctx, way, side, positions)
	}
	return []Gate{active, exact}, err
}

// activeGate wants no group to have members that read topics of the migration.
func activeGate(ctx context.Context, way route, side string, positions []mirror.GroupPosition) (Gate, error) {
	gate := Gate{Name: "consumers at the " + side, Want: "none", Have: "none", OK: true}
	groups, err := way.from.Groups(ctx)
	if err != nil {
		return gate, fmt.Errorf("%s: %w", side, err)
	}
	for _, group := range groups {
		if !way.groups(group.ID) {
			continue
		}
		described, err := way.from.DescribeGroup(ctx, group.ID)
		if err != nil {
			return gate, fmt.Errorf("%s: %w", side, err)
		}
		reads := slices.ContainsFunc(positions, func(p mirror.GroupPosition) bool { return p.Group == group.ID })
		for _, member := range described.Members {
			for topic := range member.Assigned {
				reads = reads || way.topics.Match(topic)
			}
		}
		if reads && described.Active() {
			gate.OK, gate.Have = false, fmt.Sprintf("group %s is %s with %d members: stop them, they go on at the other side", group.ID, described.State, len(described.Members))
			break
		}
	}
	return gate, nil
}
