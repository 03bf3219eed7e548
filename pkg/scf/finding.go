package scf

import (
	"errors"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// Severity says what comes of a finding.
type Severity string

// The severities.
const (
	// Error is what the platform refuses, or what cannot work.
	Error Severity = "error"
	// Warning is what works and is likely not meant.
	Warning Severity = "warning"
	// Note is worth knowing.
	Note Severity = "note"
)

// Finding is one thing to know about a configuration: where it is, what stands there, what is allowed, what to do.
type Finding struct {
	Path     string   `json:"path"` // the key with those above it: functions.dump.memorySize
	File     string   `json:"file"`
	Line     int      `json:"line"` // from 1; 0 where it concerns the file as a whole
	Column   int      `json:"column"`
	Severity Severity `json:"severity"`
	Value    string   `json:"value,omitempty"` // what stands there; never a secret
	Allowed  string   `json:"allowed,omitempty"`
	Message  string   `json:"message"`
	Fix      string   `json:"fix,omitempty"`
}

// String gives the finding as one line: file:line:column: severity: path: message; fix.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(sls.Position{File: f.File, Line: f.Line, Column: f.Column}.String())
	b.WriteString(": " + string(f.Severity) + ": ")
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	switch {
	case strings.HasPrefix(f.Value, "${"): // a variable as written
		b.WriteString(f.Value + ": ")
	case f.Value != "":
		b.WriteString(strconv.Quote(f.Value) + ": ")
	}
	b.WriteString(f.Message)
	if f.Allowed != "" {
		b.WriteString(", want " + f.Allowed)
	}
	if f.Fix != "" {
		b.WriteString("; " + f.Fix)
	}
	return b.String()
}

// LoadError says why a configuration could not be read: every fault that was found, in the order of the file.
type LoadError struct{ Findings []Finding }

// Error gives one finding a line.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// loadError turns the faults of reading and of variables into findings.
func loadError(err error) error {
	var faults sls.Errors
	if !errors.As(err, &faults) {
		return err
	}
	e := &LoadError{}
	for _, f := range faults {
		e.Findings = append(e.Findings, Finding{
			Path: f.Path, File: f.Pos.File, Line: f.Pos.Line, Column: f.Pos.Column,
			Severity: Error, Value: f.Value, Message: f.Reason, Fix: f.Fix,
		})
	}
	return e
}
