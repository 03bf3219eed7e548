package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// begin keeps the state of a change that is under way, and finishes it: before
// the answer where changes take no time, else later. e.change is held. What a
// change needs is in the state alone, so that it can be finished after a crash.
func (s *Server) begin(e *entry, st *state, finish func(context.Context, *entry)) error {
	if err := s.keep(e, st); err != nil {
		return err
	}
	if s.config.ChangeTime <= 0 {
		finish(s.ctx, e)
		return nil
	}
	s.work.Go(func() {
		select {
		case <-s.ctx.Done():
			return // the next start finishes it
		case <-s.config.After(s.config.ChangeTime):
		}
		e.change.Lock()
		defer e.change.Unlock()
		finish(s.ctx, e)
	})
	return nil
}

// finishDeploy makes $LATEST of the state what the platform runs.
func (s *Server) finishDeploy(ctx context.Context, e *entry) {
	st := e.state.Load().clone()
	failed, code := CreateFailed, "FailedOperation.CreateFunction"
	if st.Serving != nil {
		failed, code = UpdateFailed, "FailedOperation.UpdateFunctionCode"
	}
	err := s.deploy(ctx, &st.Latest)
	if ctx.Err() != nil {
		return // the next start finishes it
	}
	st.Latest.Status, st.Latest.Reasons = Active, nil
	if err != nil {
		st.Latest.Status, st.Latest.Reasons, st.Then = failed, []StatusReason{{code, err.Error()}}, nil
	} else {
		serving := st.Latest
		st.Serving = &serving
		s.noteDeployment(st)
	}
	then := st.Then
	st.Then = nil
	if then != nil {
		s.addVersion(st, then.Description)
	}
	s.settle(e, st)
	if then != nil {
		s.finishPublish(ctx, e)
	}
}

// noteDeployment takes a deployment for one of this API.
func (s *Server) noteDeployment(st *state) {
	if info, err := s.platform.Describe(st.platformID()); err == nil {
		st.deployments = info.Deployments
	}
}

// settle keeps the state in which a change has ended. Where that fails, it is
// the state of this run all the same, and the next one makes the change again.
func (s *Server) settle(e *entry, st *state) {
	if err := s.store.put(st); err != nil {
		s.config.Log.Error("state not kept", "function", st.platformID(), "error", err)
	}
	e.state.Store(st)
	s.clean()
}

// deploy puts a version on the platform as $LATEST; the triggers stay.
func (s *Server) deploy(ctx context.Context, v *version) error {
	folder, remove, err := s.codeOf(v)
	if err != nil {
		return err
	}
	defer remove()
	settings := v.Settings
	info, err := s.platform.Describe(emulator.FunctionID(settings.Namespace, settings.Name))
	switch {
	case err == nil:
		settings.Events = info.Triggers
	case !errors.Is(err, emulator.ErrUnknownFunction):
		return err
	}
	return s.platform.Deploy(ctx, settings, folder)
}

// codeOf is a folder with the code of a version.
func (s *Server) codeOf(v *version) (folder string, remove func(), err error) {
	if v.Code.SHA256 != "" {
		return s.codes.unpack(v.Code)
	}
	info, err := s.platform.Describe(emulator.FunctionID(v.Settings.Namespace, v.Settings.Name))
	if err != nil {
		return "", nil, err
	}
	return info.Versions[0].Code, func() {}, nil
}

// addVersion adds a version that is still to be published.
func (s *Server) addVersion(st *state, description string) *version {
	v := st.clone().Latest
	st.LastVersion++
	v.Number, v.Status, v.Reasons = strconv.Itoa(st.LastVersion), Publishing, nil
	v.Settings.Description = description
	v.AddTime, v.ModTime = s.config.Now(), s.config.Now()
	st.Versions = append(st.Versions, v)
	return &st.Versions[len(st.Versions)-1]
}

// finishPublish puts versions that are Publishing on the platform.
func (s *Server) finishPublish(ctx context.Context, e *entry) {
	st := e.state.Load().clone()
	for i := range st.Versions {
		v := &st.Versions[i]
		if v.Status != Publishing {
			continue
		}
		v.Status, v.Reasons = Active, nil
		if err := s.installVersion(ctx, v); err != nil {
			v.Status, v.Reasons = PublishFailed, []StatusReason{{"FailedOperation.PublishVersion", err.Error()}}
		}
	}
	if ctx.Err() == nil {
		s.settle(e, st)
	}
}

func (s *Server) installVersion(ctx context.Context, v *version) error {
	folder, remove, err := s.codeOf(v)
	if err != nil {
		return err
	}
	defer remove()
	return s.platform.InstallVersion(ctx, v.Settings, v.Number, folder)
}

// finishDelete takes a function from the platform and forgets it.
func (s *Server) finishDelete(ctx context.Context, e *entry) {
	st := e.state.Load().clone()
	err := s.platform.Remove(ctx, st.platformID())
	if errors.Is(err, emulator.ErrUnknownFunction) {
		err = nil
	}
	if ctx.Err() != nil {
		return // the next start finishes it
	}
	if err == nil {
		err = s.store.remove(st)
	}
	if err != nil {
		st.Latest.Status, st.Latest.Reasons = DeleteFailed, []StatusReason{{"FailedOperation.DeleteFunction",
			fmt.Sprint(err)}}
		s.settle(e, st)
		return
	}
	s.drop(st)
	s.clean()
}

// clean removes code that no function has any more.
func (s *Server) clean() {
	if err := s.codes.clean(s.named, false); err != nil {
		s.config.Log.Warn("remove code that nothing uses", "error", err)
	}
}

// named are the zips that functions have.
func (s *Server) named() map[string]bool {
	named := map[string]bool{}
	for _, e := range s.all() {
		st := e.state.Load()
		named[st.Latest.Code.SHA256] = true
		if st.Serving != nil {
			named[st.Serving.Code.SHA256] = true
		}
		for _, v := range st.Versions {
			named[v.Code.SHA256] = true
		}
	}
	return named
}
