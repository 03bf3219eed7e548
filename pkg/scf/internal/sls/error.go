package sls

import "strings"

// Error is one fault of a configuration.
type Error struct {
	Pos    Position
	Path   string // the key with those above it, dots between; empty for the file as a whole
	Value  string // what stands there: a variable as written, or a value; empty where that says nothing
	Reason string // what is wrong
	Fix    string // what to do about it; empty where the reason says it
}

// Error gives position, path, value, reason and fix in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Pos.String())
	for _, part := range []string{e.Path, e.Value, e.Reason} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Errors is every fault found in one load, in the order of the file.
type Errors []*Error

// Error gives one fault a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, fault := range e {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the faults one by one.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i, fault := range e {
		list[i] = fault
	}
	return list
}
