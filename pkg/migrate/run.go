package migrate

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// RunConfig is how a migration is carried out.
type RunConfig struct {
	Name string // of the migration
	Clusters

	Shard    mirror.Shard
	Rate     mirror.Rate
	Memory   int // see [mirror.FollowConfig]
	Parallel int

	// Watch is how often the migration's state is read, and GroupInterval how
	// often positions of consumer groups are carried over (2 s by default).
	Watch, GroupInterval time.Duration

	Limits Limits
	Log    func(context.Context) *slog.Logger
}

// Runner does what the state of a migration says. Keep it between calls of Run:
// a warm one need not read its checkpoints again.
type Runner struct {
	config RunConfig
	store  *Store

	forward, back *worker // nil until needed
}

// Outcome is what one call of [Runner.Run] has done.
type Outcome struct {
	Step   Step           `json:"step"` // at its end
	Copied mirror.Result  `json:"copied"`
	Faults []mirror.Fault `json:"-"` // that hold on
}

// NewRunner touches no cluster.
func NewRunner(config RunConfig) (*Runner, error) {
	if err := mirror.CheckJob(config.Name); err != nil {
		return nil, err
	}
	if config.Watch <= 0 {
		config.Watch = 2 * time.Second
	}
	if config.GroupInterval <= 0 {
		config.GroupInterval = 2 * time.Second
	}
	if config.Log == nil {
		discard := slog.New(slog.DiscardHandler)
		config.Log = func(context.Context) *slog.Logger { return discard }
	}
	return &Runner{config: config, store: NewStore(config.Target)}, nil
}

// Run copies as the state of the migration says, and follows it, until ctx
// ends or there is nothing to do in its state. It stops at a committed point.
func (r *Runner) Run(ctx context.Context) (Outcome, error) {
	var outcome Outcome
	for ctx.Err() == nil {
		state, err := r.store.Load(ctx, r.config.Name)
		if err != nil {
			return outcome, ignoreEnd(ctx, err)
		}
		outcome.Step = state.Step
		worker, err := r.worker(ctx, state)
		if err != nil || worker == nil {
			return outcome, ignoreEnd(ctx, err)
		}
		copied := r.during(ctx, state.Step, worker)
		outcome.Copied.Partitions = append(outcome.Copied.Partitions, copied.Partitions...)
		outcome.Faults = worker.follower.Faults()
	}
	return outcome, nil
}

// ignoreEnd drops an error that only says that ctx has ended.
func ignoreEnd(ctx context.Context, err error) error {
	if kafka.Ended(ctx) != nil {
		return nil
	}
	return err
}

// worker gives the way that a step copies; nil where it copies none.
func (r *Runner) worker(ctx context.Context, state State) (*worker, error) {
	switch {
	case state.Step.Forward():
		if r.forward != nil {
			return r.forward, nil
		}
		if err := r.config.check(ctx, state.Plan); err != nil {
			return nil, err
		}
		way, err := r.config.forward(state.Plan)
		if err == nil {
			r.forward, err = r.newWorker(way, func(ctx context.Context, topic, target string) error {
				return r.store.ClaimTopic(ctx, r.config.Name, topic, target)
			})
		}
		return r.forward, err
	case state.Step == CutOver && !state.Plan.NoWayBack:
		if r.back != nil {
			return r.back, nil
		}
		if err := r.config.check(ctx, state.Plan); err != nil {
			return nil, err
		}
		way, err := r.config.back(state)
		if err == nil {
			r.back, err = r.newWorker(way, nil) // of the topics that were cut over, and no others
		}
		return r.back, err
	}
	return nil, nil
}

// worker is one way, kept copied.
type worker struct {
	way      route
	follower *mirror.Follower
	groups   *mirror.GroupSync
}

func (r *Runner) newWorker(way route, admit func(ctx context.Context, topic, target string) error) (*worker, error) {
	follower, err := mirror.NewFollower(mirror.FollowConfig{
		Config: mirror.Config{
			Job: way.job, Source: way.from, Target: way.to, Topics: way.names,
			CreateTopics: true, OffsetMap: true, Parallel: r.config.Parallel, Log: r.config.Log,
			// to the target all is the copy's; the source has what it had before
			Exclusive: way.begun == nil, Begun: way.begun,
		},
		ACLs: way.acls, KeepSettings: way.keepSettings,
		Admit: admit, Select: way.topics, Shard: r.config.Shard, Rate: r.config.Rate, Memory: r.config.Memory,
	})
	if err != nil {
		return nil, err
	}
	return &worker{way: way, follower: follower, groups: way.groupSync(r.config.Shard)}, nil
}

// during copies one way as long as the step goes that way.
func (r *Runner) during(ctx context.Context, step Step, w *worker) mirror.Result {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	running.Go(func() {
		defer stop()
		r.watch(ctx, step, w)
	})
	running.Go(func() { r.carryGroups(ctx, w) })
	result := w.follower.Run(ctx)
	running.Wait()
	return result
}

// unreadable is how often in a row the state may be unreadable.
const unreadable = 5

// watch returns once the migration goes another way than step, or ctx has ended.
func (r *Runner) watch(ctx context.Context, step Step, w *worker) {
	forward, failed := step.Forward(), 0
	for sleep(ctx, r.config.Watch) {
		state, err := r.store.Load(ctx, r.config.Name)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if failed++; failed == unreadable {
				return // better not to copy than to copy the wrong way
			}
			r.config.Log(ctx).Warn("the state of the migration cannot be read", "migration", r.config.Name, "error", err)
		case state.Step.Forward() != forward || !forward && state.Step != step:
			return
		case state.Step == Mirroring:
			r.caughtUp(ctx, state, w)
		}
		if err == nil {
			failed = 0
		}
	}
}

// caughtUp enters dual-writing once the copy has caught up.
func (r *Runner) caughtUp(ctx context.Context, state State, w *worker) {
	lags, err := w.way.lags(ctx)
	if err != nil {
		return // the next look may be better
	}
	gates := []Gate{faultGate(lags), copiedGate(lags), lagGate(lags, r.config.Limits.withDefaults().LagRecords)}
	operator := Operator{Clusters: r.config.Clusters}
	_, err = operator.enter(ctx, state, DualWriting, gates, nil)
	var notYet *GateError
	switch {
	case err == nil:
		r.config.Log(ctx).Info("the copy has caught up", "migration", state.Plan.Name, "step", DualWriting)
	case ctx.Err() == nil && !errors.As(err, &notYet) && !errors.Is(err, ErrConflict):
		r.config.Log(ctx).Warn("the state of the migration cannot be changed", "migration", state.Plan.Name, "error", err)
	}
}

// carryGroups carries positions over until ctx ends.
func (r *Runner) carryGroups(ctx context.Context, w *worker) {
	for sleep(ctx, r.config.GroupInterval) {
		positions, err := w.groups.Sync(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.config.Log(ctx).Warn("positions of consumer groups could not be carried over", "migration", r.config.Name, "error", err)
		}
		written := 0
		for _, p := range positions {
			if p.Written {
				written++
			}
		}
		r.config.Log(ctx).Debug("positions of consumer groups", "migration", r.config.Name, "known", len(positions), "written", written)
	}
}

// sleep is false once ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
