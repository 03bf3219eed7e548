package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// routingConfig is RoutingConfig of the data types (583/17244), with the
// service's spelling.
type routingConfig struct {
	AdditionalVersionWeights []versionWeight
	AddtionVersionMatchs     []versionMatch
}

type versionWeight struct {
	Version string
	Weight  float64
}

type versionMatch struct{ Version, Key, Method, Expression string }

type aliasRequest struct {
	FunctionName, Namespace, Name, FunctionVersion string
	Description                                    *string
	RoutingConfig                                  *routingConfig
}

// createAlias gives a function another alias.
func (s *Server) createAlias(ctx context.Context, r aliasRequest) (any, error) {
	e, st, done, err := s.aliased(r)
	if err != nil {
		return nil, err
	}
	defer done()
	if st.alias(r.Name) != nil {
		return nil, refuse("ResourceInUse.Alias", "The function %s has an alias %s already.", r.FunctionName, r.Name)
	}
	now := s.config.Now()
	a := alias{Alias: emulator.Alias{Name: r.Name}, AddTime: now}
	st.Aliases = append(st.Aliases, a)
	return nil, s.setAlias(ctx, e, st, r)
}

// updateAlias changes one. An alias without RoutingConfig goes to its one
// version alone.
func (s *Server) updateAlias(ctx context.Context, r aliasRequest) (any, error) {
	e, st, done, err := s.aliased(r)
	if err != nil {
		return nil, err
	}
	defer done()
	if st.alias(r.Name) == nil {
		return nil, noAlias(st, r.Name)
	}
	return nil, s.setAlias(ctx, e, st, r)
}

func noAlias(st *state, name string) error {
	return refuse("ResourceNotFound.Alias", "The function %s has no alias %q.", st.name(), name)
}

// aliased finds the function of a request about an alias, to change it.
func (s *Server) aliased(r aliasRequest) (*entry, *state, func(), error) {
	switch {
	case r.FunctionName == "":
		return nil, nil, nil, missing("FunctionName")
	case r.Name == "":
		return nil, nil, nil, missing("Name")
	case r.FunctionVersion == "":
		return nil, nil, nil, missing("FunctionVersion")
	case r.Name != scf.DefaultQualifier && !scf.ValidAlias(r.Name):
		return nil, nil, nil, refuse("InvalidParameterValue.Name", "Name is %q, want %s.", r.Name, scf.AliasNames)
	}
	return s.edit(r.Namespace, r.FunctionName, "FailedOperation.FunctionStatusError", Active, UpdateFailed)
}

// setAlias makes the alias of the state what a request says.
func (s *Server) setAlias(ctx context.Context, e *entry, st *state, r aliasRequest) error {
	a := st.alias(r.Name)
	before := a.Alias
	a.Version, a.Description, a.ModTime = r.FunctionVersion, orText(r.Description, a.Description), s.config.Now()
	a.Weights, a.Matches = nil, nil
	if r.RoutingConfig != nil {
		for _, w := range r.RoutingConfig.AdditionalVersionWeights {
			a.Weights = append(a.Weights, emulator.VersionWeight{Version: w.Version, Weight: w.Weight})
		}
		for _, m := range r.RoutingConfig.AddtionVersionMatchs {
			a.Matches = append(a.Matches,
				emulator.VersionMatch{Version: m.Version, Key: m.Key, Method: m.Method, Expression: m.Expression})
		}
	}
	if err := a.ready(st); err != nil {
		return err
	}
	if err := s.platform.SetAlias(ctx, st.platformID(), a.Alias); err != nil {
		if errors.Is(err, emulator.ErrBadAlias) {
			return refuse("InvalidParameterValue.RoutingConfig", "%v.", err)
		}
		return refuse("FailedOperation.CreateAlias", "%v.", err)
	}
	if err := s.keep(e, st); err != nil {
		if before.Version == "" {
			return errors.Join(err, s.platform.DeleteAlias(ctx, st.platformID(), r.Name))
		}
		return errors.Join(err, s.platform.SetAlias(ctx, st.platformID(), before))
	}
	return nil
}

// ready refuses an alias to what is not there, or not Active.
func (a alias) ready(st *state) error {
	for _, v := range append([]version{st.Latest}, st.Versions...) {
		if a.points(v.Number) && v.Status != Active {
			return badState("FailedOperation.FunctionVersionStatusNotActive", v.Status)
		}
	}
	numbers := []string{a.Version}
	for _, w := range a.Weights {
		numbers = append(numbers, w.Version)
	}
	for _, m := range a.Matches {
		numbers = append(numbers, m.Version)
	}
	for _, number := range numbers {
		if st.version(number) == nil {
			return refuse("ResourceNotFound.FunctionVersion", "The function %s has no version %q.", st.name(), number)
		}
	}
	return nil
}

type namedAliasRequest struct{ FunctionName, Namespace, Name string }

type aliasDetail struct {
	Name, FunctionVersion, Description string
	RoutingConfig                      routingConfig
	AddTime, ModTime                   string
}

func (a alias) detail() aliasDetail {
	d := aliasDetail{
		Name: a.Name, FunctionVersion: a.Version, Description: a.Description, AddTime: stamp(a.AddTime),
		ModTime: stamp(a.ModTime),
		RoutingConfig: routingConfig{AdditionalVersionWeights: []versionWeight{},
			AddtionVersionMatchs: []versionMatch{}},
	}
	for _, w := range a.Weights {
		d.RoutingConfig.AdditionalVersionWeights = append(d.RoutingConfig.AdditionalVersionWeights,
			versionWeight{w.Version, w.Weight})
	}
	for _, m := range a.Matches {
		d.RoutingConfig.AddtionVersionMatchs = append(d.RoutingConfig.AddtionVersionMatchs,
			versionMatch{m.Version, m.Key, m.Method, m.Expression})
	}
	return d
}

// getAlias tells all of one.
func (s *Server) getAlias(_ context.Context, r namedAliasRequest) (any, error) {
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	if r.Name == "" {
		return nil, missing("Name")
	}
	a := st.alias(r.Name)
	if a == nil {
		return nil, noAlias(st, r.Name)
	}
	return a.detail(), nil
}

type listAliasesRequest struct{ FunctionName, Namespace, FunctionVersion, Offset, Limit string }

// listAliases is 583/44162. Its Offset and Limit are texts.
func (s *Server) listAliases(_ context.Context, r listAliasesRequest) (any, error) {
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	offset, err := strconv.Atoi(cmp.Or(r.Offset, "0"))
	if err != nil {
		return nil, refuse("InvalidParameterValue.Offset", "Offset is %q, want a whole number.", r.Offset)
	}
	limit, err := strconv.Atoi(cmp.Or(r.Limit, strconv.Itoa(defaultLimit)))
	if err != nil {
		return nil, refuse("InvalidParameterValue.Limit", "Limit is %q, want a whole number.", r.Limit)
	}
	var found []alias
	for _, a := range st.Aliases {
		if r.FunctionVersion == "" || a.points(r.FunctionVersion) {
			found = append(found, a)
		}
	}
	page, err := pageOf(found, func(a, b alias) int { return cmp.Compare(a.Name, b.Name) }, "ASC", offset, &limit)
	if err != nil {
		return nil, err
	}
	list := []aliasDetail{}
	for _, a := range page {
		list = append(list, a.detail())
	}
	return struct {
		Aliases    []aliasDetail
		TotalCount int
	}{list, len(found)}, nil
}

// deleteAlias takes one away.
func (s *Server) deleteAlias(ctx context.Context, r namedAliasRequest) (any, error) {
	if r.Name == "" {
		return nil, missing("Name")
	}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.DeleteAlias", Active, UpdateFailed)
	if err != nil {
		return nil, err
	}
	defer done()
	switch {
	case r.Name == scf.DefaultQualifier:
		return nil, refuse("InvalidParameterValue.Alias", "The alias %s cannot be deleted.", scf.DefaultQualifier)
	case st.alias(r.Name) == nil:
		return nil, noAlias(st, r.Name)
	}
	for _, t := range st.Triggers {
		if qualifierOf(t.Settings) == r.Name {
			return nil, refuse("FailedOperation.DeleteAlias",
				"The trigger %s invokes the alias %s.", t.Settings.Name(), r.Name)
		}
	}
	st.Aliases = slices.DeleteFunc(st.Aliases, func(a alias) bool { return a.Name == r.Name })
	if err := s.keep(e, st); err != nil {
		return nil, err
	}
	return nil, s.platform.DeleteAlias(ctx, st.platformID(), r.Name)
}
