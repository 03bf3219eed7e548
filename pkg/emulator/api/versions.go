package api

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

type publishVersionRequest struct{ FunctionName, Namespace, Description string }

// publishVersion makes a version of $LATEST as it is now.
func (s *Server) publishVersion(_ context.Context, r publishVersionRequest) (any, error) {
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.PublishVersion", Active)
	if err != nil {
		return nil, err
	}
	defer done()
	v := s.addVersion(st, r.Description)
	answer := struct {
		FunctionVersion, Description, Handler, Runtime, Namespace string
		CodeSize                                                  int64
		MemorySize, Timeout                                       int
	}{
		v.Number, r.Description, v.Settings.Handler, v.Settings.Runtime, orDefault(v.Settings.Namespace), v.Code.Size,
		v.Settings.MemorySize, v.Settings.Timeout,
	}
	return answer, s.begin(e, st, s.finishPublish)
}

type listVersionByFunctionRequest struct {
	FunctionName, Namespace string
	Offset                  int
	Limit                   *int
	Order, OrderBy          string
}

type versionSummary struct{ Version, Description, AddTime, ModTime, Status string }

// listVersionByFunction lists the versions; $LATEST is one of them [?].
func (s *Server) listVersionByFunction(_ context.Context, r listVersionByFunctionRequest) (any, error) {
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	all := append([]version{st.Latest}, st.Versions...)
	var less func(a, b version) int
	switch r.OrderBy {
	case "AddTime":
		less = func(a, b version) int { return a.AddTime.Compare(b.AddTime) }
	case "ModTime", "":
		less = func(a, b version) int { return a.ModTime.Compare(b.ModTime) }
	default:
		return nil, refuse("InvalidParameterValue.OrderBy", "OrderBy is %q, want AddTime or ModTime.", r.OrderBy)
	}
	page, err := pageOf(all, less, cmp.Or(r.Order, "DESC"), r.Offset, r.Limit)
	if err != nil {
		return nil, err
	}
	numbers, list := []string{}, []versionSummary{}
	for _, v := range page {
		numbers = append(numbers, v.Number)
		list = append(list,
			versionSummary{v.Number, v.Settings.Description, stamp(v.AddTime), stamp(v.ModTime), string(v.Status)})
	}
	return struct {
		FunctionVersion []string
		Versions        []versionSummary
		TotalCount      int
	}{numbers, list, len(all)}, nil
}

// deleteVersion takes a published version away; e.change is held.
func (s *Server) deleteVersion(ctx context.Context, e *entry, st *state, number string) error {
	v := st.version(number)
	switch {
	case number == latest:
		return refuse("InvalidParameterValue.Qualifier",
			"%s cannot be deleted alone: leave Qualifier out to delete the function.", latest)
	case v == nil:
		return refuse("ResourceNotFound.Qualifier", "The function %s has no version %q.", st.name(), number)
	case v.Status == Publishing:
		return badState("FailedOperation.DeleteFunction", v.Status)
	}
	for _, a := range st.Aliases {
		if a.points(number) {
			return refuse("UnsupportedOperation.AliasBind", "The alias %s points to the version %s.", a.Name, number)
		}
	}
	for _, t := range st.Triggers {
		if qualifierOf(t.Settings) == number {
			return refuse("FailedOperation.DeleteFunction",
				"The trigger %s invokes the version %s.", t.Settings.Name(), number)
		}
	}
	failed := v.Status == PublishFailed
	st.Versions = slices.DeleteFunc(st.Versions, func(v version) bool { return v.Number == number })
	if err := s.keep(e, st); err != nil {
		return err
	}
	err := s.platform.DeleteVersion(ctx, st.platformID(), number)
	if failed && errors.Is(err, emulator.ErrUnknownQualifier) {
		err = nil // why: it never was there
	}
	s.clean()
	return err
}

// points reports whether an alias sends invocations to a version.
func (a alias) points(number string) bool {
	return a.Version == number ||
		slices.ContainsFunc(a.Weights, func(w emulator.VersionWeight) bool { return w.Version == number }) ||
		slices.ContainsFunc(a.Matches, func(m emulator.VersionMatch) bool { return m.Version == number })
}
