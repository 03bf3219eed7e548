package scf

import (
	"fmt"
	"maps"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// environment checks one function's variables, provider's among them.
func (l *linter) environment(f Function) {
	for _, key := range slices.Sorted(maps.Keys(f.Environment)) {
		l.environmentKey(f, key)
		l.environmentValue(f, key)
	}
	if size := EnvironmentSize(f.Environment); size > MaxEnvironment {
		l.add(Error, fmt.Sprintf("keys and values take %d bytes", size), fmt.Sprintf("at most %d", MaxEnvironment),
			"keep long values in COS or in the package", setting(f, "environment")...)
	}
	l.withoutValue(f)
}

// withoutValue tells of keys that no environment can hold: null is neither a text nor no variable.
func (l *linter) withoutValue(f Function) {
	for _, section := range setting(f, "environment") {
		for _, field := range l.at(section).Fields() {
			if _, set := f.Environment[field.Name]; field.Value.IsNull() && !set {
				l.found = append(l.found, finding(Error, section+"."+field.Name, field.Value, "has no value", "",
					"write '' for an empty text, or remove the key"))
			}
		}
	}
}

// variable finds where an environment variable of a function is written.
func (l *linter) variable(f Function, key string) (string, *sls.Value) {
	for _, section := range setting(f, "environment") {
		if v := l.at(section).Get(key); v != nil {
			return section + "." + key, v
		}
	}
	return "", nil
}

func (l *linter) environmentKey(f Function, key string) {
	path, v := l.variable(f, key)
	refuse := func(message, allowed, fix string) {
		found := finding(Error, path, v, message, allowed, fix)
		found.Value = ""
		l.found = append(l.found, found)
	}
	if !ValidVariable(key) {
		refuse("is refused as the name of a variable", VariableNames, "")
	}
	if prefix := ReservedPrefix(key); prefix != "" {
		refuse("names that begin with "+prefix+" belong to the platform", "", "choose another name")
	}
}

func (l *linter) environmentValue(f Function, key string) {
	path, v := l.variable(f, key)
	if v == nil {
		return
	}
	if isSecret(key) && v.Literal && f.Environment[key] != "" {
		l.found = append(l.found, finding(Warning, path, v, "a secret stands in the file", "",
			fmt.Sprintf("take it from the environment: ${env:%s}, without a default", key)))
	}
	if v.Kind == sls.Number && v.Raw != "" && v.Raw != f.Environment[key] {
		found := finding(Warning, path, v, fmt.Sprintf("%s is a number and reaches the function as %s", v.Raw, f.Environment[key]),
			"", fmt.Sprintf("quote it: '%s'", v.Raw))
		found.Value = ""
		l.found = append(l.found, found)
	}
}
