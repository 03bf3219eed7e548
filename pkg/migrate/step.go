package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Limits are what the gates measure against. The zero value is the default of
// each.
type Limits struct {
	// LagRecords is how many records the copy may be behind to count as caught up
	// (10,000 by default).
	LagRecords int64
	// Quiet is for how long nobody may have written to the side that is left
	// (3 s by default).
	Quiet time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.LagRecords <= 0 {
		l.LagRecords = 10_000
	}
	if l.Quiet <= 0 {
		l.Quiet = 3 * time.Second
	}
	return l
}

// Operator takes the steps of a migration.
type Operator struct {
	Clusters
	Limits Limits
	// Full has Verify and CutOver compare from the beginning, and not from where
	// the last comparison has ended.
	Full bool
	// AcceptLate has Finish leave records behind that were written to the source
	// after the cut-over.
	AcceptLate bool
	// Progress, where not nil, is told what is being measured.
	Progress func(text string)

	now func() time.Time
}

func (o *Operator) store() *Store {
	s := NewStore(o.Target)
	if o.now != nil {
		s.now = o.now
	}
	return s
}

func (o *Operator) say(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

// load reads the migration and makes sure of step and clusters.
func (o *Operator) load(ctx context.Context, name, want string, from ...Step) (State, error) {
	state, err := o.store().Load(ctx, name)
	if err != nil {
		return state, err
	}
	if err := state.require(want, from...); err != nil {
		return state, err
	}
	return state, o.check(ctx, state.Plan)
}

// enter stores a step whose gates hold, if the migration is still what was
// measured.
func (o *Operator) enter(ctx context.Context, measured State, step Step, gates []Gate, more func(s *State, others []State) error) (State, error) {
	if err := passed(measured.Plan.Name, step, gates); err != nil {
		return measured, err
	}
	store := o.store()
	return store.changeBeside(ctx, measured.Plan.Name, func(s *State, others []State) error {
		if s.Revision != measured.Revision {
			return fmt.Errorf("%w %s: it is %s now (revision %d, measured was %d): look at its status and try again",
				ErrConflict, s.Plan.Name, s.Step, s.Revision, measured.Revision)
		}
		if more != nil {
			if err := more(s, others); err != nil {
				return err
			}
		}
		s.enter(step, store.now(), gates)
		return nil
	})
}

// Verification is what Verify has compared.
type Verification struct {
	State  State                    `json:"state"`
	Topics []mirror.TopicComparison `json:"topics"`
}

// Verify compares both sides by content, up to the checkpoints: what is
// written meanwhile is not looked at. It may be repeated, and then goes on where
// it has ended: counts and digests are of all that was compared.
func (o *Operator) Verify(ctx context.Context, name string) (Verification, error) {
	state, err := o.load(ctx, name, "verify", Mirroring, DualWriting, Verified)
	if err != nil {
		return Verification{State: state}, err
	}
	way, err := o.forward(state.Plan)
	if err != nil {
		return Verification{State: state}, err
	}
	lags, err := way.lags(ctx)
	if err != nil {
		return Verification{State: state}, err
	}
	limits := o.Limits.withDefaults()
	gates := []Gate{faultGate(lags), copiedGate(lags), lagGate(lags, limits.LagRecords)}
	if err := passed(name, Verified, gates); err != nil {
		return Verification{State: state}, err
	}
	before, err := o.before(ctx, name)
	if err != nil {
		return Verification{State: state}, err
	}
	found, err := o.compare(ctx, way, lags, before)
	v := Verification{State: state, Topics: found.topics}
	if err != nil {
		return v, err
	}
	gates = append(gates, found.gate)
	if err := passed(name, Verified, gates); err != nil {
		return v, err
	}
	// before the step: whoever sees that can go on from them
	if err := o.store().savePoints(ctx, name, found.points); err != nil {
		return v, err
	}
	v.State, err = o.enter(ctx, state, Verified, gates, nil)
	return v, err
}

// before is how far the migration was compared, unless all is to be.
func (o *Operator) before(ctx context.Context, name string) (points, error) {
	if o.Full {
		return nil, nil
	}
	return o.store().loadPoints(ctx, name)
}

// CutOver ends the copy to the target and begins that back to the source, unless
// the plan goes without ([Plan.NoWayBack]).
// Producers must have stopped at the source, consumers too.
//
// It is done in two changes, so that it can be killed at any point and called
// again: once the gates hold, the migration is [CuttingOver] and nobody copies
// any more; then the copy of each partition is closed, and where it has ended is
// what the other direction begins at.
func (o *Operator) CutOver(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "cutover", Verified, CuttingOver, CutOver)
	if err != nil || state.Step == CutOver { // the one who took it was not told
		return state, err
	}
	way, err := o.forward(state.Plan)
	if err != nil {
		return state, err
	}
	var gates []Gate
	if state.Step == Verified {
		if gates, err = o.cutOverGates(ctx, state.Plan, way); err != nil {
			return state, err
		}
		if state, err = o.enter(ctx, state, CuttingOver, gates, nil); err != nil {
			return state, err
		}
	}
	cut, err := o.cut(ctx, state.Plan, way)
	if err != nil {
		return state, err
	}
	return o.enter(ctx, state, CutOver, gates, func(s *State, _ []State) error {
		s.Cut = cut
		return nil
	})
}

func (o *Operator) cutOverGates(ctx context.Context, plan Plan, way route) ([]Gate, error) {
	back := o.wayBackGate(plan)
	gates, lags, err := o.still(ctx, way, "source")
	if err != nil || passed("", CutOver, append(gates, back)) != nil {
		return append(gates, back), err
	}
	keeps, err := o.keepsTimes(ctx, plan, lags)
	if err != nil {
		return nil, err
	}
	before, err := o.before(ctx, plan.Name)
	if err != nil {
		return nil, err
	}
	found, err := o.compare(ctx, way, lags, before)
	if err != nil {
		return nil, err
	}
	// the comparison may have taken long: is everybody still away?
	if gates, _, err = o.still(ctx, way, "source"); err != nil {
		return nil, err
	}
	return append(gates, back, keeps, found.gate), nil
}

// wayBackGate wants a source that can be copied back to, unless the plan goes
// without.
func (o *Operator) wayBackGate(plan Plan) Gate {
	gate := Gate{Name: "the way back", Want: "a source with transactions (Kafka 0.11 or later)", Have: "one", OK: true}
	switch {
	case plan.NoWayBack:
		gate.Want, gate.Have = "none (--no-way-back)", "none"
	case !o.Source.SupportsTransactions():
		gate.Have, gate.OK = "an older one: what is written after the cut-over could not be copied back", false
	}
	return gate
}

// keepsTimes wants no topic of the source to replace the times of records that
// are copied back.
func (o *Operator) keepsTimes(ctx context.Context, plan Plan, lags []mirror.Lag) (Gate, error) {
	gate := Gate{Name: "times at the source", Want: "message.timestamp.type=CreateTime", Have: "all", OK: true}
	if plan.NoWayBack {
		gate.Have = "not looked at: nothing is copied back"
		return gate, nil
	}
	for _, partitions := range byTopic(lags) {
		settings, _, err := o.Source.TopicSettings(ctx, partitions[0].Topic)
		switch {
		case errors.Is(err, kafka.ErrAuthorization) || errors.Is(err, kafka.ErrUnsupported):
			continue
		case err != nil:
			return gate, fmt.Errorf("source: %w", err)
		case settings["message.timestamp.type"] == "LogAppendTime" && gate.OK:
			gate.OK, gate.Have = false, fmt.Sprintf("topic %s has LogAppendTime: what is copied back would get other times; set CreateTime, now that its producers have stopped", partitions[0].Topic)
		}
	}
	return gate, nil
}

// cut closes the copy of each partition, and has the way back begin where it
// has ended.
func (o *Operator) cut(ctx context.Context, plan Plan, way route) ([]CutPartition, error) {
	lags, err := way.lags(ctx)
	if err != nil {
		return nil, err
	}
	for _, partitions := range byTopic(lags) {
		if !plan.ACLs {
			break
		}
		if _, err := mirror.CarryACLs(ctx, o.Source, o.Target, partitions[0].Topic, partitions[0].TargetTopic, true); err != nil {
			return nil, fmt.Errorf("ACLs of %s: %w", partitions[0].Topic, err)
		}
	}
	o.say("closing the copy of %d partitions", len(lags))
	cut, err := closeAll(ctx, way, lags)
	if err != nil || plan.NoWayBack {
		return cut, err
	}
	beginning, ctx := errgroup.WithContext(ctx)
	beginning.SetLimit(looks)
	for _, c := range cut {
		beginning.Go(func() error {
			return mirror.BeginAt(ctx, o.Source, plan.BackJob(), c.TargetTopic, c.Topic, c.Partition, c.Target)
		})
	}
	return cut, beginning.Wait()
}

// closeAll closes the copy of each partition, and says where it has ended on
// both sides.
func closeAll(ctx context.Context, way route, lags []mirror.Lag) ([]CutPartition, error) {
	cut := make([]CutPartition, len(lags))
	closing, closeCtx := errgroup.WithContext(ctx)
	closing.SetLimit(looks) // services wait for it
	for i, lag := range lags {
		closing.Go(func() error {
			next, err := mirror.CloseCopy(closeCtx, way.to, way.job, lag.Topic, lag.TargetTopic, lag.Partition)
			cut[i] = CutPartition{Topic: lag.Topic, TargetTopic: lag.TargetTopic, Partition: lag.Partition, Source: max(next, 0)}
			return err
		})
	}
	if err := closing.Wait(); err != nil {
		return nil, err
	}
	maps := mirror.NewOffsetMaps(way.to, way.job)
	for i := range cut {
		c := &cut[i]
		translation, err := maps.Partition(ctx, c.Topic, c.TargetTopic, c.Partition)
		if err != nil {
			return nil, err
		}
		if translation.Map.Empty() {
			continue
		}
		if c.Target, err = translation.Position(c.Source); err != nil {
			return nil, fmt.Errorf("%s/%d: %w", c.Topic, c.Partition, err)
		}
	}
	slices.SortFunc(cut, compareCut)
	return cut, nil
}

// Rollback ends a migration in favour of the source. After the cut-over
// everything that was written to the target since must be at the source first,
// and producers and consumers stopped there; [ErrNoWayBack] where the plan goes
// without. Once it has returned nothing is copied any more; killed at any point it is
// called again.
func (o *Operator) Rollback(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "rollback", Planned, Mirroring, DualWriting, Verified, CuttingOver, CutOver, RolledBack)
	if err != nil {
		return state, err
	}
	if state.Step != RolledBack {
		before := state.Step
		if state, err = o.rollBack(ctx, state); err != nil || before == Planned {
			return state, err
		}
	}
	way, err := o.forward(state.Plan)
	if len(state.Cut) > 0 {
		way, err = o.back(state)
	}
	if err != nil {
		return state, err
	}
	return state, o.end(ctx, state, way)
}

func (o *Operator) rollBack(ctx context.Context, state State) (State, error) {
	name := state.Plan.Name
	if state.Step != CutOver {
		return o.enter(ctx, state, RolledBack, nil, nil)
	}
	if state.Plan.NoWayBack {
		return state, fmt.Errorf("%w: migration %s was planned so (--no-way-back), and is cut over: etl migrate finish %s ends it",
			ErrNoWayBack, name, name)
	}
	way, err := o.back(state)
	if err != nil {
		return state, err
	}
	gates, lags, err := o.still(ctx, way, "target")
	if err != nil {
		return state, err
	}
	return o.enter(ctx, state, RolledBack, append(gates, completeGate(state, lags)), nil)
}

// completeGate wants every partition that was cut over to have been measured.
func completeGate(state State, lags []mirror.Lag) Gate {
	gate := Gate{Name: "partitions that were cut over", Want: fmt.Sprintf("%d measured", len(state.Cut)), Have: "all", OK: true}
	for _, cut := range state.Cut {
		if !slices.ContainsFunc(lags, func(lag mirror.Lag) bool { return lag.Topic == cut.TargetTopic && lag.Partition == cut.Partition }) {
			gate.OK, gate.Have = false, fmt.Sprintf("%s/%d is gone from the target", cut.TargetTopic, cut.Partition)
			break
		}
	}
	return gate
}
