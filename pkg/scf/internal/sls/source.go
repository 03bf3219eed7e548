package sls

import (
	"fmt"
	"strconv"
	"strings"
)

// absence says why a source has no value and what would give it one.
type absence struct{ reason, fix string }

// lookUp asks one source. No value is nil or null with an absence; a fault ends the resolution, defaults or not.
func (r *resolver) lookUp(s source, at place, x *variable) (*Value, absence, error) {
	params, address, err := r.arguments(s, at)
	if err != nil {
		return nil, absence{}, err
	}
	if address == "" && (s.kind == "env" || s.kind == "opt" || s.kind == "sls" || s.kind == "param") {
		return nil, absence{}, r.report(at.fault(x.raw, "names nothing to look up", "write ${"+s.kind+":NAME}"))
	}
	switch s.kind {
	case "env":
		v, why := r.env(address)
		return v, why, nil
	case "opt":
		v, why := given(r.opts.Opts, address, "--"+address+" is not given", "give --"+address+" VALUE")
		return v, why, nil
	case "self":
		return r.self(address)
	case "param":
		return r.param(address)
	case "file":
		return r.file(params, address, at, x)
	case "sls":
		return r.sls(address, at, x)
	case "strToBool":
		v, err := r.strToBool(params, at, x)
		return v, absence{}, err
	}
	return nil, absence{}, r.report(at.fault(x.raw, fmt.Sprintf("%q is no source of variables", s.kind),
		"the sources are env, opt, self, file, sls, param and strToBool"))
}

// arguments gives the parameters and the address with the variables in them replaced.
func (r *resolver) arguments(s source, at place) (params []*Value, address string, err error) {
	for _, a := range s.params {
		v, err := r.argument(a, at)
		if err != nil {
			return nil, "", err
		}
		params = append(params, v)
	}
	if s.address == nil {
		return params, "", nil
	}
	v, err := r.argument(*s.address, at)
	if err != nil {
		return nil, "", err
	}
	if v.Kind == Map {
		return nil, "", r.report(at.fault("", "the address of a variable is a map", "use a text"))
	}
	if !falsy(v) {
		address, _ = v.Scalar()
	}
	return params, address, nil
}

func (r *resolver) argument(a argument, at place) (*Value, error) {
	if a.value != nil {
		return a.value, nil
	}
	v := &Value{Kind: String, Pos: at.pos}
	if err := r.rewrite(v, a.parts, at); err != nil {
		return nil, err
	}
	return v, r.settle(v, at.path)
}

func (r *resolver) env(name string) (*Value, absence) {
	if r.opts.LookupEnv != nil {
		if text, ok := r.opts.LookupEnv(name); ok {
			return &Value{Kind: String, Text: text}, absence{}
		}
	}
	return nil, absence{"is not set in the environment", "set " + name + ", or give a default: ${env:" + name + ", 'value'}"}
}

func given(from map[string]string, name, reason, fix string) (*Value, absence) {
	if text, ok := from[name]; ok {
		return &Value{Kind: String, Text: text}, absence{}
	}
	return nil, absence{reason, fix}
}

// self follows a path of this configuration, and resolves what it meets on the way.
func (r *resolver) self(address string) (*Value, absence, error) {
	var path []string
	if address != "" {
		path = strings.Split(address, ".")
	}
	v, err := r.walk(r.root, path, nil)
	if err != nil || v == nil {
		return nil, absence{"the configuration has no " + address, "set it, or give a default: ${self:" + address + ", 'value'}"}, err
	}
	return v, absence{}, r.settle(v, path)
}

// walk goes down a path. It gives nil where that ends early.
func (r *resolver) walk(v *Value, path, from []string) (*Value, error) {
	for i, name := range path {
		if err := r.resolve(v, append(from[:len(from):len(from)], path[:i]...)); err != nil {
			return nil, err
		}
		if v.Kind == String && (isIndex(name) || name == "length") || v.Kind == List && name == "length" {
			at := place{v.Pos, append(from[:len(from):len(from)], path[:i]...)}
			return nil, r.report(at.fault("", "is "+v.Kind.String()+", which has no "+name+" here", "name what is inside of a map or a list"))
		}
		if v = v.Get(name); v.IsNull() {
			return nil, nil
		}
	}
	return v, nil
}

// isIndex says whether a key would take a letter out of a text, as JavaScript's do.
func isIndex(name string) bool {
	_, err := strconv.ParseUint(name, 10, 32)
	return err == nil
}

func (r *resolver) stage() (string, error) {
	if stage := r.opts.Opts["stage"]; stage != "" {
		return stage, nil
	}
	v, _, err := r.self("provider.stage")
	if err != nil {
		return "", err
	}
	if stage, _ := v.Scalar(); stage != "" {
		return stage, nil
	}
	return defaultStage, nil
}

func (r *resolver) sls(address string, at place, x *variable) (*Value, absence, error) {
	if address != "stage" {
		return nil, absence{}, r.report(at.fault(x.raw, fmt.Sprintf("sls:%s is not known here", address), "the only one is ${sls:stage}"))
	}
	stage, err := r.stage()
	return &Value{Kind: String, Text: stage}, absence{}, err
}

// param looks on the command line, then in params under the stage, then in params.default.
func (r *resolver) param(name string) (*Value, absence, error) {
	v, why := given(r.opts.Params, name, "no such parameter", "give --param "+name+"=VALUE, or set params.default."+name)
	if v != nil {
		return v, absence{}, nil
	}
	stage, err := r.stage()
	if err != nil {
		return nil, why, err
	}
	for _, section := range []string{stage, "default"} {
		path := []string{"params", section, name}
		v, err := r.walk(r.root, path, nil)
		if err != nil || v == nil {
			if err != nil {
				return nil, why, err
			}
			continue
		}
		return v, absence{}, r.settle(v, path)
	}
	return nil, why, nil
}

func (r *resolver) strToBool(params []*Value, at place, x *variable) (*Value, error) {
	var text string
	if len(params) > 0 {
		text, _ = params[0].Scalar()
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1":
		return &Value{Kind: Bool, Bool: true}, nil
	case "false", "0":
		return &Value{Kind: Bool}, nil
	}
	return nil, r.report(at.fault(x.raw, fmt.Sprintf("strToBool takes true, false, 1 or 0, not %q", clip(text)), ""))
}
