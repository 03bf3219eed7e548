package sls

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
)

// Options is everything that a configuration can depend on besides the files of its folder.
type Options struct {
	// LookupEnv answers ${env:key}. nil is an empty environment.
	LookupEnv func(key string) (string, bool)
	// Opts answers ${opt:key}: what the command line gives as --key value. Its stage wins over provider.stage.
	Opts map[string]string
	// Params answers ${param:key} before the params section does: what the command line gives as --param key=value.
	Params map[string]string
}

// Load reads the service file at path (.yml, .yaml or .json), resolves every variable and puts in what the framework puts
// in: the stage dev, names of functions, and empty lists of events. Faults come as [Errors], all that were found.
func Load(path string, o Options) (*Value, error) {
	b := newBudget()
	files, err := openFolder(filepath.Dir(path), b)
	if err != nil {
		return nil, Errors{{Pos: Position{File: path}, Reason: err.Error()}}
	}
	defer files.close()
	root, err := files.service(path)
	if err != nil {
		return nil, asErrors(path, err)
	}
	if root.Kind != Map {
		return nil, Errors{{Pos: root.Pos, Reason: "holds " + root.Kind.String() + " where a map of settings is expected"}}
	}
	r := &resolver{root: root, files: files, opts: o, budget: b, states: map[*Value]*state{}, rounds: map[*Value]int{}}
	_ = r.settle(root, nil) // the faults are in r.faults, each once
	if len(r.faults) == 0 {
		r.check(normalise(root, o.Opts["stage"], b))
	}
	if len(r.faults) > 0 {
		return nil, r.sorted(path)
	}
	return root, nil
}

func asErrors(path string, err error) Errors {
	var fault *Error
	if !errors.As(err, &fault) {
		fault = &Error{Pos: Position{File: path}, Reason: err.Error()}
	}
	return Errors{fault}
}

// sorted puts the faults of the service file first, then those of the files that it reads, each by line.
func (r *resolver) sorted(path string) Errors {
	slices.SortStableFunc(r.faults, func(a, b *Error) int {
		if a.Pos.File != b.Pos.File && (a.Pos.File == path || b.Pos.File == path) {
			if a.Pos.File == path {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return r.faults
}
