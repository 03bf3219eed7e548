package api

import (
	"context"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// reviveInterval is how often a trigger is tried again whose cluster did not
// answer at the start.
const reviveInterval = 2 * time.Second

// reviveTimeout is how long its cluster may take: the function cannot be changed
// meanwhile.
const reviveTimeout = 5 * time.Second

// restore deploys what the state has.
func (s *Server) restore(ctx context.Context) error {
	states, err := s.store.load()
	if err != nil {
		return err
	}
	for _, st := range states {
		e := &entry{}
		e.state.Store(st)
		s.functions[st.platformID()] = e
	}
	if err := s.codes.clean(s.named, true); err != nil {
		return err
	}
	for _, e := range s.all() {
		e.change.Lock()
		s.restoreFunction(ctx, e)
		e.change.Unlock()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.work.Go(s.revive)
	return nil
}

// restoreFunction deploys one function as it was, and finishes what was under
// way. A function that cannot be is listed with the reason.
func (s *Server) restoreFunction(ctx context.Context, e *entry) {
	st := e.state.Load().clone()
	if st.Latest.Status == Deleting {
		s.finishDelete(ctx, e)
		return
	}
	if st.Serving != nil {
		if err := s.restoreServing(ctx, st); err != nil {
			st.Latest.Status, st.Latest.Reasons = UpdateFailed, []StatusReason{{"FailedOperation.UpdateFunctionCode", err.Error()}}
			s.settle(e, st)
			return
		}
		e.state.Store(st)
	}
	if st.Latest.Status == Creating || st.Latest.Status == Updating {
		s.finishDeploy(ctx, e)
	}
	s.finishPublish(ctx, e)
	st = e.state.Load()
	for _, a := range st.Aliases {
		if err := s.platform.SetAlias(ctx, st.platformID(), a.Alias); err != nil && st.Serving != nil {
			s.config.Log.Error("alias not restored", "function", st.platformID(), "alias", a.Name, "error", err)
		}
	}
}

// restoreServing deploys what ran, with its versions.
func (s *Server) restoreServing(ctx context.Context, st *state) error {
	if err := s.deploy(ctx, st.Serving); err != nil {
		return fmt.Errorf("deploy it again: %w", err)
	}
	s.noteDeployment(st)
	for i := range st.Versions {
		v := &st.Versions[i]
		if v.Status != Active {
			continue
		}
		if err := s.installVersion(ctx, v); err != nil {
			v.Status, v.Reasons = PublishFailed, []StatusReason{{"FailedOperation.PublishVersion", err.Error()}}
		}
	}
	return s.platform.SetUndriven(st.platformID(), st.undriven())
}

// revive makes the triggers that the states have, until all are there.
func (s *Server) revive() {
	tick := time.NewTicker(reviveInterval)
	defer tick.Stop()
	for {
		left := 0
		for _, e := range s.all() {
			e.change.Lock()
			left += s.reviveTriggers(e)
			e.change.Unlock()
		}
		if left == 0 {
			return
		}
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reviveTriggers makes those of one function, and returns how many could not be.
func (s *Server) reviveTriggers(e *entry) (left int) {
	st := e.state.Load()
	info, err := s.platform.Describe(st.platformID())
	if err != nil {
		return 0 // it does not run
	}
	there := adopted(info, nil, time.Time{})
	for _, t := range st.Triggers {
		if !emulator.Driven(t.Settings) || there.trigger(t.Settings.Kind(), t.Settings.Name()) != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(s.ctx, reviveTimeout)
		err := s.platform.CreateTrigger(ctx, st.platformID(), t.Settings)
		cancel()
		if err != nil {
			left++
			s.config.Log.Warn("trigger not restored yet", "function", st.platformID(), "trigger", t.Settings.Name(),
				"error", err)
		}
	}
	return left
}
