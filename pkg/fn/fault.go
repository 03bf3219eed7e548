package fn

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// maxShown is how much of a wrong value a fault shows, in bytes.
const maxShown = 80

// Fault is one thing wrong with a configuration.
type Fault struct {
	Key    string // environment key; empty for a rule that a Validate method checks
	Value  string // what it is set to; empty if it is not set, or secret
	Reason string // what is wrong, and what is allowed
}

// String is the fault in one sentence.
func (f Fault) String() string {
	switch {
	case f.Key == "":
		return f.Reason
	case f.Value == "":
		return f.Key + " " + f.Reason
	case len(f.Value) > maxShown:
		return fmt.Sprintf("%s is %q...: %s", f.Key, f.Value[:maxShown], f.Reason)
	default:
		return fmt.Sprintf("%s is %q: %s", f.Key, f.Value, f.Reason)
	}
}

// fault says what err of the env library means for this setting.
func (f field) fault(value string, err error) Fault {
	fault := Fault{Key: f.Key, Value: value}
	var (
		unset env.VarIsNotSetError
		empty env.EmptyVarError
		parse env.ParseError
		file  env.LoadFileContentError
	)
	switch {
	case errors.As(err, &unset):
		fault.Reason = "is not set, and required: " + f.purpose()
	case errors.As(err, &empty):
		fault.Reason = "is empty, and required: " + f.purpose()
	case errors.As(err, &parse) && f.Secret:
		// why no more: the parser's error shows the value
		fault.Value, fault.Reason = "", "has a value that cannot be read (not shown): want "+f.purpose()
	case errors.As(err, &parse) && f.Type != "":
		fault.Reason = "want " + f.Type
	case errors.As(err, &parse):
		fault.Reason = parse.Err.Error()
	case errors.As(err, &file):
		fault.Reason = fmt.Sprintf("cannot read the file it names: %v", file.Err)
	default: // a tag or a type that env does not know: a mistake in the code
		fault.Reason = fmt.Sprintf("is a setting that cannot be read: %v", err)
	}
	return fault
}

// purpose is what the setting is for, or else what it takes.
func (f field) purpose() string {
	switch {
	case f.Doc != "":
		return f.Doc
	case f.Type != "":
		return f.Type
	default:
		return wordText
	}
}

// finding is what a Validate method says, and the prefix of the settings that it says it about.
type finding struct {
	text, prefix string
	keys         []string // of the struct, without the prefix
}

// fault gives the keys in the text the prefix that they are set with, which the struct that says it does not know.
func (f finding) fault() Fault {
	if f.prefix == "" || len(f.keys) == 0 {
		return Fault{Reason: f.text}
	}
	words := regexp.MustCompile(`\b(?:` + strings.Join(f.keys, "|") + `)\b`)
	if !words.MatchString(f.text) {
		return Fault{Reason: fmt.Sprintf("settings %s*: %s", f.prefix, f.text)}
	}
	return Fault{Reason: words.ReplaceAllStringFunc(f.text, func(key string) string { return f.prefix + key })}
}

// keysOf lists the keys of a struct's own fields.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("env"), ","); key != "" {
			keys = append(keys, regexp.QuoteMeta(key))
		}
	}
	return keys
}

// validate calls the Validate methods of a struct and of the structs in it, the inner first.
func validate(v reflect.Value, prefix string) []finding {
	var inside []finding
	for i := range v.NumField() {
		sf, inner := v.Type().Field(i), v.Field(i)
		if key, _, _ := strings.Cut(sf.Tag.Get("env"), ","); key != "" || !sf.IsExported() {
			continue
		}
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem() // of nil: the zero Value, which is no struct
		}
		if inner.Kind() == reflect.Struct {
			inside = append(inside, validate(inner, prefix+sf.Tag.Get("envPrefix"))...)
		}
	}
	findings := inside
	if validator, ok := v.Addr().Interface().(interface{ Validate() error }); ok {
		for _, err := range split(validator.Validate()) {
			said := func(f finding) bool { return f.text == err.Error() }
			// why: the method may be that of an embedded struct
			if !slices.ContainsFunc(inside, said) {
				findings = append(findings, finding{text: err.Error(), prefix: prefix, keys: keysOf(v.Type())})
			}
		}
	}
	return findings
}

// split takes the result of errors.Join apart, and leaves errors that only wrap several as they are.
func split(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var texts []string
	var parts []error
	for _, part := range joined.Unwrap() {
		texts = append(texts, part.Error())
		parts = append(parts, split(part)...)
	}
	if err.Error() != strings.Join(texts, "\n") {
		return []error{err}
	}
	return parts
}
