package scf

import (
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// Lint holds the service against the limits of the platform and tells of what is likely not meant, in the order of the
// file. No finding of severity Error means that the platform can take the service; whether the account has the topics,
// networks and roles is not looked at. The result is never nil.
func (s *Service) Lint() []Finding {
	l := &linter{service: s, found: append([]Finding{}, s.found...)}
	if len(s.Functions) == 0 {
		l.add(Warning, "the service has no functions", "", "describe one under functions", "functions")
	}
	names := map[string]string{}
	groups := map[string]string{}
	l.bucket(s.DeploymentBucket)
	for _, f := range s.Functions {
		if other, twice := names[f.Name]; twice {
			l.add(Error, "has the name of "+other, "a name of its own", "", "functions."+f.Key+".name", "functions."+f.Key)
		}
		names[f.Name] = "functions." + f.Key
		l.function(f)
		l.environment(f)
		l.deployed(f)
		l.triggers(f)
		l.sharedGroups(f, groups)
		l.deadLetters(f)
	}
	l.loops()
	return inOrder(once(l.found))
}

// once drops what is told of each function that has a setting from provider.
func once(list []Finding) []Finding {
	seen := map[Finding]bool{}
	return slices.DeleteFunc(list, func(f Finding) bool {
		twice := seen[f]
		seen[f] = true
		return twice
	})
}

type linter struct {
	service *Service
	found   []Finding
	buckets []bucketTrigger // of the functions so far
}

// add places a finding at the first of paths that the file has, or else at what is nearest above the first one. A path goes
// by dots: no key of a path that is looked up here holds one.
func (l *linter) add(severity Severity, message, allowed, fix string, paths ...string) {
	for _, path := range paths {
		if v := l.at(path); v != nil {
			l.found = append(l.found, finding(severity, path, v, message, allowed, fix))
			return
		}
	}
	above, place := paths[0], &sls.Value{Pos: sls.Position{File: l.service.File, Line: 1, Column: 1}}
	for more := true; more; {
		if above, more = parent(above); more {
			if v := l.at(above); v != nil {
				place, more = &sls.Value{Pos: v.Pos}, false
			}
		}
	}
	l.found = append(l.found, finding(severity, paths[0], place, message, allowed, fix))
}

// at gives what the file has at a path; nil where it has nothing there.
func (l *linter) at(path string) *sls.Value {
	v := l.service.config.At(strings.Split(path, ".")...)
	if v == nil || v.Pos.Line == 0 {
		return nil
	}
	return v
}

func parent(path string) (string, bool) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], i > 0
}

// setting names a function's key in the file: its own, or the one that it has from provider.
func setting(f Function, key string) []string {
	return []string{"functions." + f.Key + "." + key, "provider." + key}
}
