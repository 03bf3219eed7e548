package api

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

type createFunctionRequest struct {
	FunctionName string
	Namespace    string
	Handler      *string
	Code         *sourceCode
	CodeSource   *string
	Type         *string
	Tags         []Tag
	settings
	stored
}

// createFunction is 583/18586.
func (s *Server) createFunction(ctx context.Context, r createFunctionRequest) (any, error) {
	f := scf.Function{
		Name: r.FunctionName, Namespace: orDefault(r.Namespace), Handler: orText(r.Handler, ""),
		Runtime:    scf.DefaultRuntime,
		MemorySize: scf.DefaultMemory, Timeout: scf.DefaultTimeout,
	}
	switch {
	case r.FunctionName == "":
		return nil, missing("FunctionName")
	case r.Code == nil:
		return nil, refuse("MissingParameter.Code", "The request is missing a required parameter `Code`.")
	case r.Runtime == nil:
		return nil, refuse("MissingParameter.Runtime", "The request is missing a required parameter `Runtime`.")
	case !scf.ValidName(f.Name):
		return nil, refuse("InvalidParameterValue.FunctionName",
			"FunctionName is %q, want %s.", f.Name, scf.FunctionNames)
	case !scf.ValidNamespace(f.Namespace):
		return nil, refuse("InvalidParameterValue.NamespaceInvalid",
			"Namespace is %q, want %s.", f.Namespace, scf.Namespaces)
	case r.Type != nil && *r.Type != "Event":
		return nil, refuse("InvalidParameterValue.FunctionType", "Type is %q; what runs here is Event.", *r.Type)
	case r.CodeSource != nil && !slices.Contains([]string{"ZipFile", "Cos"}, *r.CodeSource):
		return nil, refuse("InvalidParameterValue.CodeSource", "CodeSource is %q, want ZipFile or Cos.", *r.CodeSource)
	}
	if err := checkHandler(f.Handler); err != nil {
		return nil, err
	}
	if err := r.settings.over(&f, s.config.Roles); err != nil {
		return nil, err
	}
	if err := r.stored.check(); err != nil {
		return nil, err
	}
	if err := checkTags(r.Tags); err != nil {
		return nil, err
	}
	kept, release, err := r.Code.fetch(ctx, s)
	if err != nil {
		return nil, err
	}
	defer release()
	now := s.config.Now()
	st := &state{
		ID: functionID(emulator.FunctionID(f.Namespace, f.Name)), Tags: r.Tags, AddTime: now,
		Latest: version{Number: latest, Settings: f, Stored: r.stored, Code: kept, Status: Creating, AddTime: now,
			ModTime: now},
		Aliases: []alias{{Alias: emulator.Alias{Name: scf.DefaultQualifier, Version: latest}, AddTime: now,
			ModTime: now}},
	}
	return nil, s.create(st)
}

// create begins to make a function.
func (s *Server) create(st *state) error {
	e := &entry{}
	e.state.Store(st)
	e.change.Lock()
	defer e.change.Unlock()
	id := st.platformID()
	s.mu.Lock()
	taken := s.functions[id] != nil
	if !taken {
		s.functions[id] = e
	}
	s.mu.Unlock()
	if taken {
		return refuse("ResourceInUse.FunctionName", "The function %s exists already.", st.name())
	}
	if err := s.begin(e, st, s.finishDeploy); err != nil {
		s.drop(st)
		return err
	}
	return nil
}

func checkHandler(handler string) error {
	switch {
	case handler == "":
		return missing("Handler")
	case handler == "." || !filepath.IsLocal(handler) || filepath.Base(handler) != handler:
		return refuse("InvalidParameterValue.Handler",
			"Handler is %q, want the name of the file at the top of the code that is started.", handler)
	}
	return nil
}

func checkTags(tags []Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		if t.Key == "" || seen[t.Key] {
			return refuse("InvalidParameter", "A tag has no key, or the key %q of another one.", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

type updateFunctionCodeRequest struct {
	FunctionName      string
	Namespace         string
	Handler           *string
	Code              *sourceCode
	CodeSource        *string
	InstallDependency *string
	EnvId             *string
	Publish           *string
	source
}

// updateFunctionCode gives $LATEST other code, and another handler.
func (s *Server) updateFunctionCode(ctx context.Context, r updateFunctionCodeRequest) (any, error) {
	from := r.source
	if r.Code != nil {
		if from.given() {
			return nil, refuse("InvalidParameterValue.Code", "Give the code in Code or beside it, not both.")
		}
		from = r.Code.source
	}
	if r.Handler != nil {
		if err := checkHandler(*r.Handler); err != nil {
			return nil, err
		}
	}
	publish, err := flag("Publish", r.Publish)
	if err != nil {
		return nil, err
	}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.UpdateFunctionCode", Active, UpdateFailed)
	if err != nil {
		return nil, err
	}
	defer done()
	kept, release, err := from.fetch(ctx, s)
	if err != nil {
		return nil, err
	}
	defer release()
	st.Latest.Code, st.Latest.Settings.Handler = kept, orText(r.Handler, st.Latest.Settings.Handler)
	return nil, s.update(e, st, publish)
}

// update begins to make $LATEST what the state says.
func (s *Server) update(e *entry, st *state, publish bool) error {
	st.Latest.Status, st.Latest.Reasons, st.Latest.ModTime = Updating, nil, s.config.Now()
	if publish {
		st.Then = &publication{Description: st.Latest.Settings.Description}
	}
	return s.begin(e, st, s.finishDeploy)
}

func flag(name string, v *string) (bool, error) {
	switch text := orText(v, "FALSE"); text {
	case "TRUE", "FALSE":
		return text == "TRUE", nil
	default:
		return false, refuse("InvalidParameterValue", "%s is %q, want TRUE or FALSE.", name, text)
	}
}

type updateFunctionConfigurationRequest struct {
	FunctionName string
	Namespace    string
	Publish      *string
	settings
	stored
}

// updateFunctionConfiguration gives $LATEST other settings; those that are not
// given stay.
func (s *Server) updateFunctionConfiguration(_ context.Context, r updateFunctionConfigurationRequest) (any, error) {
	publish, err := flag("Publish", r.Publish)
	if err != nil {
		return nil, err
	}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.UpdateFunctionConfiguration", Active,
		UpdateFailed)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := r.settings.over(&st.Latest.Settings, s.config.Roles); err != nil {
		return nil, err
	}
	if err := r.stored.check(); err != nil {
		return nil, err
	}
	st.Latest.Stored = st.Latest.Stored.merge(r.stored)
	return nil, s.update(e, st, publish)
}

type deleteFunctionRequest struct{ FunctionName, Namespace, Qualifier string }

// deleteFunction deletes a version, or all of a function.
func (s *Server) deleteFunction(ctx context.Context, r deleteFunctionRequest) (any, error) {
	in := []Status{Active, UpdateFailed, CreateFailed, DeleteFailed}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.DeleteFunction", in...)
	if err != nil {
		return nil, err
	}
	defer done()
	if r.Qualifier != "" {
		return nil, s.deleteVersion(ctx, e, st, r.Qualifier)
	}
	st.Latest.Status, st.Latest.Reasons = Deleting, nil
	return nil, s.begin(e, st, s.finishDelete)
}
