package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
func (o *Operator) enter(ctx context.Context, measured State, step Step, gates []Gate, more func(*State)) (State, error) {
	if err := passed(measured.Plan.Name, step, gates); err != nil {
		return measured, err
	}
	store := o.store()
	return store.Change(ctx, measured.Plan.Name, func(s *State) error {
		if s.Revision != measured.Revision {
			return fmt.Errorf("%w %s: it is %s now (revision %d, measured was %d): look at its status and try again",
				ErrConflict, s.Plan.Name, s.Step, s.Revision, measured.Revision)
		}
		if more != nil {
			more(s)
		}
		s.enter(step, store.now(), gates)
		return nil
	})
}

// Start begins to copy: from the next second on the function migrate does.
func (o *Operator) Start(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "start", Planned)
	if err != nil {
		return state, err
	}
	preview, err := o.Preview(ctx, state.Plan)
	if err != nil {
		return state, err
	}
	gates := []Gate{{Name: "conflicts", Want: "none", Have: fmt.Sprintf("%d, see etl migrate plan", len(preview.Conflicts)), OK: len(preview.Conflicts) == 0}}
	return o.enter(ctx, state, Mirroring, gates, nil)
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

// CutOver ends the copy to the target and begins that back to the source.
// Producers must have stopped at the source, consumers too.
//
// It is done in two changes, so that it can be killed at any point and called
// again: once the gates hold, the migration is [CuttingOver] and nobody copies
// any more; then the copy of each partition is closed, and where it has ended is
// what the other direction begins at.
func (o *Operator) CutOver(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "cutover", Verified, CuttingOver)
	if err != nil {
		return state, err
	}
	way, err := o.forward(state.Plan)
	if err != nil {
		return state, err
	}
	var gates []Gate
	if state.Step == Verified {
		if gates, err = o.cutOverGates(ctx, name, way); err != nil {
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
	return o.enter(ctx, state, CutOver, gates, func(s *State) { s.Cut = cut })
}

func (o *Operator) cutOverGates(ctx context.Context, name string, way route) ([]Gate, error) {
	back := Gate{Name: "the way back", Want: "a source with transactions (Kafka 0.11 or later)", Have: "one", OK: true}
	if !o.Source.SupportsTransactions() {
		back.Have, back.OK = "an older one: what is written after the cut-over could not be copied back", false
	}
	gates, lags, err := o.still(ctx, way, "source")
	if err != nil || passed("", CutOver, append(gates, back)) != nil {
		return append(gates, back), err
	}
	keeps, err := o.keepsTimes(ctx, lags)
	if err != nil {
		return nil, err
	}
	before, err := o.before(ctx, name)
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

// keepsTimes wants no topic of the source to replace the times of records that
// are copied back.
func (o *Operator) keepsTimes(ctx context.Context, lags []mirror.Lag) (Gate, error) {
	gate := Gate{Name: "times at the source", Want: "message.timestamp.type=CreateTime", Have: "all", OK: true}
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
	maps := mirror.NewOffsetMaps(way.to, way.job)
	var cut []CutPartition
	for _, lag := range lags {
		next, err := mirror.CloseCopy(ctx, way.to, way.job, lag.Topic, lag.TargetTopic, lag.Partition)
		if err != nil {
			return nil, err
		}
		c := CutPartition{Topic: lag.Topic, TargetTopic: lag.TargetTopic, Partition: lag.Partition, Source: max(next, 0)}
		translation, err := maps.Partition(ctx, lag.Topic, lag.TargetTopic, lag.Partition)
		if err != nil {
			return nil, err
		}
		if !translation.Map.Empty() {
			if c.Target, err = translation.Position(c.Source); err != nil {
				return nil, fmt.Errorf("%s/%d: %w", lag.Topic, lag.Partition, err)
			}
		}
		if err := mirror.BeginAt(ctx, o.Source, plan.BackJob(), c.TargetTopic, c.Topic, c.Partition, c.Target); err != nil {
			return nil, err
		}
		cut = append(cut, c)
	}
	slices.SortFunc(cut, compareCut)
	return cut, nil
}

// Rollback ends a migration in favour of the source. After the cut-over
// everything that was written to the target since must be at the source first,
// and producers and consumers stopped there.
func (o *Operator) Rollback(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "rollback", Planned, Mirroring, DualWriting, Verified, CuttingOver, CutOver)
	if err != nil {
		return state, err
	}
	if state.Step != CutOver {
		return o.enter(ctx, state, RolledBack, nil, nil)
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

// Finish ends the copy back: from then on the target stands alone.
func (o *Operator) Finish(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "finish", CutOver)
	if err != nil {
		return state, err
	}
	late, err := o.late(ctx, state)
	if err != nil {
		return state, err
	}
	gate := Gate{Name: "records at the source since the cut-over", Want: "none that were not copied back from the target", Have: "none", OK: len(late) == 0 || o.AcceptLate}
	if len(late) > 0 {
		gate.Have = fmt.Sprintf("some in %d partitions, the first at %s/%d offset %d: a producer was left there. To leave them behind: --accept-late", len(late), late[0].Topic, late[0].Partition, late[0].Offset)
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
		back, err := maps.Partition(ctx, cut.TargetTopic, cut.Topic, cut.Partition)
		if err != nil {
			return nil, err
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
