package sls

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// resolver replaces variables by values, in place, each property when it is first needed.
type resolver struct {
	root   *Value
	files  *folder
	opts   Options
	budget *budget
	states map[*Value]*state // of texts that hold, or held, variables
	rounds map[*Value]int    // how many replacements a text stems from
	chain  []string          // paths of the properties being resolved, outermost first
	faults Errors
}

type state struct {
	running bool
	err     error
}

// place is where a variable stands: what its errors name.
type place struct {
	pos  Position
	path []string
}

func (at place) fault(value, reason, fix string) *Error {
	return &Error{Pos: at.pos, Path: strings.Join(at.path, "."), Value: value, Reason: reason, Fix: fix}
}

// maxPath bounds how deep values may come to stand after replacement.
const maxPath = 4 * maxDepth

// settle resolves everything in a tree. It gives the first fault; r.faults has all of them.
func (r *resolver) settle(v *Value, path []string) error {
	if len(path) > maxPath {
		return r.report(place{v.Pos, path[:8]}.fault("", fmt.Sprintf("is nested deeper than %d levels once variables are put in", maxPath), ""))
	}
	first := r.resolve(v, path)
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	for i, e := range v.List {
		keep(r.settle(e, append(slices.Clip(path), strconv.Itoa(i))))
	}
	for _, f := range v.fields {
		keep(r.settle(f.Value, append(slices.Clip(path), f.Name)))
	}
	return first
}

func (r *resolver) report(fault *Error) error {
	r.faults = append(r.faults, fault)
	return fault
}

// check reports a fault from outside the resolution.
func (r *resolver) check(err error) {
	if err != nil {
		r.faults = append(r.faults, asErrors(r.root.Pos.File, err)...)
	}
}

// resolve replaces the variables of one text. What they give may be a map or a list that holds texts to resolve.
func (r *resolver) resolve(v *Value, path []string) error {
	if v.Kind != String || !strings.Contains(v.Text, "${") {
		if s := r.states[v]; s != nil && !s.running {
			return s.err
		}
		return nil
	}
	at := place{v.Pos, path}
	if s := r.states[v]; s != nil {
		if s.running {
			return r.report(at.fault("", "refers to itself: "+r.circle(path), "break the circle"))
		}
		return s.err
	}
	s := &state{running: true}
	r.states[v] = s
	parts, err := parseText(v.Text)
	if err != nil {
		s.err = r.report(at.fault("", err.Error(), ""))
	} else {
		s.err = r.rewrite(v, parts, at)
	}
	s.running = false
	return s.err
}

func (r *resolver) circle(path []string) string {
	last := strings.Join(path, ".")
	from := max(slices.Index(r.chain, last), 0)
	return strings.Join(append(slices.Compact(slices.Clone(r.chain[from:])), last), " -> ")
}

// rewrite replaces the parts of a text by what they stand for, again and again while that holds variables.
func (r *resolver) rewrite(v *Value, parts []part, at place) error {
	if len(r.chain) >= maxChain {
		return r.report(at.fault("", fmt.Sprintf("follows a chain of more than %d variables", maxChain), ""))
	}
	r.chain = append(r.chain, strings.Join(at.path, "."))
	defer func() { r.chain = r.chain[:len(r.chain)-1] }()
	for whole := single(parts); len(parts) > 1 || hasVariable(parts); whole = whole && single(parts) {
		if r.rounds[v]++; r.rounds[v] > maxRounds+1 {
			return r.report(at.fault("", fmt.Sprintf("its variables give variables more than %d times over", maxRounds), ""))
		}
		var err error
		if whole {
			parts, err = r.replaceWhole(v, parts[0].variable, at)
		} else {
			parts, err = r.replaceParts(v, parts, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// replaceWhole puts the value of a variable in the place of a text that is nothing else.
func (r *resolver) replaceWhole(v *Value, x *variable, at place) ([]part, error) {
	value, err := r.variable(x, at)
	if err != nil {
		return nil, err
	}
	v.become(value)
	if v.Kind == String {
		return r.reparse(v.Text, at)
	}
	r.mark(v, r.rounds[v])
	return nil, nil
}

// mark notes for the texts with variables in a value how many replacements they stem from.
func (r *resolver) mark(v *Value, round int) {
	if v.Kind == String && strings.Contains(v.Text, "${") {
		r.rounds[v] = round
	}
	for _, e := range v.List {
		r.mark(e, round)
	}
	for _, f := range v.fields {
		r.mark(f.Value, round)
	}
}

func (r *resolver) reparse(text string, at place) ([]part, error) {
	parts, err := parseText(text)
	if err != nil {
		return nil, r.report(at.fault("", "after its variables: "+err.Error(), ""))
	}
	return parts, nil
}

// replaceParts joins plain text and variables into a text. Each piece is searched for variables on its own, so that none
// comes about by joining, and what was escaped stays a text: until another round, as in the framework.
func (r *resolver) replaceParts(v *Value, parts []part, at place) ([]part, error) {
	var joined strings.Builder
	var again []part
	more, literal := false, true
	for _, p := range parts {
		text := p.text
		if p.variable != nil {
			value, err := r.variable(p.variable, at)
			if err != nil {
				return nil, err
			}
			s, ok := value.Scalar()
			if !ok {
				return nil, r.report(at.fault(p.variable.raw, "gives "+value.Kind.String()+", which cannot stand inside a text", ""))
			}
			text, literal = s, literal && value.Literal
		}
		if err := r.budget.take(0, len(text)); err != nil {
			return nil, r.report(at.fault("", err.Error(), ""))
		}
		joined.WriteString(text)
		inner, err := r.reparse(text, at)
		if err != nil {
			return nil, err
		}
		more = more || len(inner) > 1 || hasVariable(inner)
		again = appendParts(again, inner)
	}
	v.become(&Value{Kind: String, Text: joined.String(), Literal: literal})
	if !more {
		return nil, nil
	}
	return again, nil
}

// appendParts makes plain texts that come to stand side by side one.
func appendParts(parts, more []part) []part {
	for _, p := range more {
		last := len(parts) - 1
		if last >= 0 && isPlain(p) && isPlain(parts[last]) {
			parts[last].text += p.text
			continue
		}
		parts = append(parts, p)
	}
	return parts
}

func isPlain(p part) bool { return p.variable == nil && !p.escaped }

// variable tries the sources of a variable in order. It gives a value of its own, that may be changed.
func (r *resolver) variable(x *variable, at place) (*Value, error) {
	var missing absence
	for _, s := range x.sources {
		var v *Value
		var err error
		if s.literal != nil {
			v = s.literal
		} else if v, missing, err = r.lookUp(s, at, x); err != nil {
			return nil, err
		}
		if v.IsNull() && s.literal == nil {
			continue
		}
		copied, err := v.clone(r.budget)
		if err != nil {
			return nil, r.report(at.fault(x.raw, err.Error(), ""))
		}
		return copied, nil
	}
	return nil, r.report(at.fault(x.raw, missing.reason, missing.fix))
}
