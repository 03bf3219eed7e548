package scf

import (
	"maps"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// Options is all that a configuration depends on besides the files of its folder.
type Options struct {
	// LookupEnv answers ${env:KEY}. nil is an empty environment.
	LookupEnv func(key string) (string, bool)
	// Stage is --stage: it goes before provider.stage. Empty is not given.
	Stage string
	// Opts answers ${opt:key}: what is given as --key value. Stage goes before its key stage.
	Opts map[string]string
	// Params answers ${param:key} before the section params does: what is given as --param key=value.
	Params map[string]string
	// Now is what Lint takes for the present, when it looks whether a timer fires again. Zero is the machine's time at Load.
	Now time.Time
}

// Load reads serverless.yml (or .yaml, .json) at path, resolves its variables, and fills in every default. Only files
// inside the folder of path are read. A fault is a [*LoadError] with all faults that were found: of syntax, of variables, of
// values that are of the wrong type. Limits of the platform are not checked here: see [Service.Lint].
func Load(path string, o Options) (*Service, error) {
	opts := maps.Clone(o.Opts)
	if o.Stage != "" {
		if opts == nil {
			opts = map[string]string{}
		}
		opts["stage"] = o.Stage
	}
	config, err := sls.Load(path, sls.Options{LookupEnv: o.LookupEnv, Opts: opts, Params: o.Params})
	if err != nil {
		return nil, loadError(err)
	}
	r := &reader{}
	s := r.service(config)
	if len(r.faults) > 0 {
		return nil, &LoadError{Findings: inOrder(r.faults)}
	}
	s.File, s.config, s.found, s.now = path, config, r.unknown, o.Now
	if s.now.IsZero() {
		s.now = time.Now()
	}
	if stage := opts["stage"]; stage != "" {
		s.Stage = stage
	}
	return s, nil
}

// inOrder sorts findings by their place in the file.
func inOrder(list []Finding) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return list
}

// service reads the top level.
func (r *reader) service(config *sls.Value) *Service {
	top := r.section(config, "")
	if config.Get("component") != nil {
		top.fault("component", "belongs to Serverless Components, which no framework reads any more",
			"write service, provider and functions")
		return nil
	}
	provider := top.section("provider")
	s := &Service{Name: top.text("service", "")}
	if s.Name == "" {
		top.fault("service", "is missing", "give the service a name: service: etl")
	}
	if name := provider.text("name", ""); name != "tencent" {
		provider.fault("name", "the provider must be tencent", "write provider.name: tencent")
	}
	inherited := provider.provider(s)
	inherited.Patterns = top.section("package").texts("patterns")
	functions := top.section("functions")
	for _, f := range functions.v.Fields() {
		s.Functions = append(s.Functions, functions.section(f.Name).function(f.Name, inherited))
	}
	custom := top.section("custom")
	s.Local = r.local(custom.section("local"))
	provider.end()
	for _, key := range frameworkKeys() {
		top.get(key)
	}
	top.endAs(Warning)
	return s
}

// frameworkKeys are those of the top level that the framework or a plugin reads and this package does not.
func frameworkKeys() []string {
	return []string{"plugins", "package", "params", "resources", "frameworkVersion", "configValidationMode", "useDotenv",
		"disabledDeprecations", "deprecationNotificationMode", "org", "app"}
}
