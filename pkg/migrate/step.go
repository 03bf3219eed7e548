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
// written meanwhile is not looked at. It may be repeated.
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
	gates := []Gate{faultGate(lags), lagGate(lags, limits.LagRecords)}
	if err := passed(name, Verified, gates); err != nil {
		return Verification{State: state}, err
	}
	topics, content, err := o.compare(ctx, way, lags)
	v := Verification{State: state, Topics: topics}
	if err != nil {
		return v, err
	}
	v.State, err = o.enter(ctx, state, Verified, append(gates, content), nil)
	return v, err
}

// CutOver ends the copy to the target and begins that back to the source.
// Producers must have stopped at the source, consumers too, and neither may
// have begun at the target.
func (o *Operator) CutOver(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "cutover", Verified)
	if err != nil {
		return state, err
	}
	way, err := o.forward(state.Plan)
	if err != nil {
		return state, err
	}
	gates, lags, err := o.still(ctx, way, "source")
	if err != nil {
		return state, err
	}
	back := Gate{Name: "the way back", Want: "a source with transactions (Kafka 0.11 or later)", Have: "one", OK: true}
	if !o.Source.SupportsTransactions() {
		back.Have, back.OK = "an older one: what is written after the cut-over could not be copied back", false
	}
	if gates = append(gates, back); passed(name, CutOver, gates) == nil {
		_, content, err := o.compare(ctx, way, lags)
		if err != nil {
			return state, err
		}
		gates = append(gates, content)
	}
	if err := passed(name, CutOver, gates); err != nil {
		return state, err
	}
	cut, err := o.cut(ctx, way, lags)
	if err != nil {
		return state, err
	}
	o.say("the way back begins at the end of %d partitions", len(cut))
	for _, c := range cut {
		// before the state says so: nobody copies back yet
		if err := mirror.ResetCheckpoint(ctx, o.Source, state.Plan.BackJob(), c.TargetTopic, c.Topic, c.Partition, c.Target); err != nil {
			return state, err
		}
	}
	return o.enter(ctx, state, CutOver, gates, func(s *State) { s.Cut = cut })
}

// cut is where both sides end.
func (o *Operator) cut(ctx context.Context, way route, lags []mirror.Lag) ([]CutPartition, error) {
	var cut []CutPartition
	for _, lag := range lags {
		ends, err := way.to.StableOffsets(ctx, lag.TargetTopic, lag.Partition)
		if err != nil {
			return nil, fmt.Errorf("target: %w", err)
		}
		cut = append(cut, CutPartition{Topic: lag.Topic, TargetTopic: lag.TargetTopic, Partition: lag.Partition, Source: lag.End, Target: ends[lag.Partition]})
	}
	slices.SortFunc(cut, compareCut)
	return cut, nil
}

// Rollback ends a migration in favour of the source. After the cut-over
// everything that was written to the target since must be at the source first,
// and producers and consumers stopped there.
func (o *Operator) Rollback(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "rollback", Planned, Mirroring, DualWriting, Verified, CutOver)
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
	gates, _, err := o.still(ctx, way, "target")
	if err != nil {
		return state, err
	}
	return o.enter(ctx, state, RolledBack, gates, nil)
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
	gate := Gate{Name: "records at the source since the cut-over", Want: "none that were not copied back from the target", Have: "none", OK: len(late) == 0}
	if len(late) > 0 {
		gate.Have = fmt.Sprintf("some in %d partitions, the first at %s/%d offset %d: a producer was left there", len(late), late[0].Topic, late[0].Partition, late[0].Offset)
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
		if errors.Is(err, kafka.ErrOffsetOutOfRange) {
			return next, true, nil // retention was faster than we are
		}
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
