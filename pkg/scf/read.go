package scf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// reader turns values into Go types and collects what it cannot turn.
type reader struct {
	faults  []Finding // values of the wrong type: there is no Service then
	unknown []Finding // keys that nothing reads
}

// section is a map of settings. Keys that were asked for are the known ones: there is no second list of them.
type section struct {
	r     *reader
	path  string
	v     *sls.Value
	asked map[string]bool
}

// section opens a map; a value of another kind is a fault, none is an empty map.
func (r *reader) section(v *sls.Value, path string) section {
	s := section{r, path, v, map[string]bool{}}
	if !v.IsNull() && v.Kind != sls.Map {
		r.fault(path, v, "is "+v.Kind.String(), "a map of settings", "")
		s.v = &sls.Value{Kind: sls.Map, Pos: v.Pos}
	}
	return s
}

func (r *reader) fault(path string, v *sls.Value, message, allowed, fix string) {
	r.faults = append(r.faults, finding(Error, path, v, message, allowed, fix))
}

// finding places a message at a value; nil is the file as a whole.
func finding(severity Severity, path string, v *sls.Value, message, allowed, fix string) Finding {
	f := Finding{Path: path, Severity: severity, Message: message, Allowed: allowed, Fix: fix}
	if v != nil {
		f.File, f.Line, f.Column = v.Pos.File, v.Pos.Line, v.Pos.Column
		f.Value = shown(path, v)
	}
	return f
}

// shown gives a scalar for a message, and nothing of what may be a secret.
func shown(path string, v *sls.Value) string {
	text, ok := v.Scalar()
	if !ok || v.Kind == sls.List {
		return ""
	}
	if isSecret(path[strings.LastIndexByte(path, '.')+1:]) {
		return "[redacted]"
	}
	if len(text) > 100 {
		text = text[:100] + "..."
	}
	return text
}

func (s section) get(key string) *sls.Value {
	s.asked[key] = true
	if v := s.v.Get(key); !v.IsNull() {
		return v
	}
	return nil
}

// fault is about a key of this section, or about all of it.
func (s section) fault(key, message, fix string) {
	v, path := s.v, s.path
	if key != "" {
		path = s.at(key)
		if under := s.v.Get(key); under != nil {
			v = under
		}
	}
	s.r.fault(path, v, message, "", fix)
}

func (s section) at(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

func (s section) section(key string) section { return s.r.section(s.get(key), s.at(key)) }

func (s section) list(key string) []*sls.Value {
	v := s.get(key)
	if v != nil && v.Kind != sls.List {
		s.r.fault(s.at(key), v, "is "+v.Kind.String(), "a list", "")
		return nil
	}
	if v == nil {
		return nil
	}
	return v.List
}

// text reads a scalar; numbers and booleans count as what they look like.
func (s section) text(key, otherwise string) string {
	v := s.get(key)
	if v == nil {
		return otherwise
	}
	if v.Kind == sls.Map || v.Kind == sls.List {
		s.r.fault(s.at(key), v, "is "+v.Kind.String(), "a text", "")
		return otherwise
	}
	text, _ := v.Scalar()
	return text
}

// texts reads a list of texts, or one text with commas between them, which is what an environment variable can hold.
func (s section) texts(key string) []string {
	v := s.get(key)
	var all []string
	switch {
	case v == nil:
		return nil
	case v.Kind == sls.List:
		for _, e := range v.List {
			text, ok := e.Scalar()
			if !ok || e.Kind == sls.List {
				s.r.fault(s.at(key), e, "holds "+e.Kind.String(), "texts", "")
			}
			all = append(all, text)
		}
	default:
		all = strings.Split(s.text(key, ""), ",")
	}
	kept := all[:0]
	for _, text := range all {
		if text = strings.TrimSpace(text); text != "" {
			kept = append(kept, text)
		}
	}
	return kept
}

// integer reads a whole number. A variable gives a text, so one that is a number counts.
func (s section) integer(key string, otherwise int) int {
	v := s.get(key)
	if v == nil {
		return otherwise
	}
	f := v.Number
	ok := v.Kind == sls.Number
	if v.Kind == sls.String {
		n, err := strconv.Atoi(strings.TrimSpace(v.Text))
		f, ok = float64(n), err == nil
	}
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		s.r.fault(s.at(key), v, "is no whole number", "a whole number", "")
		return otherwise
	}
	return int(f)
}

func (s section) flag(key string, otherwise bool) bool {
	v := s.get(key)
	if v == nil {
		return otherwise
	}
	text, _ := v.Scalar()
	switch text {
	case "true", "false":
		return text == "true"
	}
	s.r.fault(s.at(key), v, "is neither true nor false", "true or false", "")
	return otherwise
}

func (s section) oneOf(key, otherwise string, allowed ...string) string {
	v := s.get(key)
	if v == nil {
		return otherwise
	}
	text := s.text(key, otherwise)
	for _, a := range allowed {
		if a == text {
			return a
		}
	}
	quoted := make([]string, len(allowed))
	for i, a := range allowed {
		quoted[i] = strconv.Quote(a)
	}
	s.r.fault(s.at(key), v, "is not known", strings.Join(quoted, " or "), "")
	return otherwise
}

func (s section) duration(key string) time.Duration {
	v := s.get(key)
	if v == nil {
		return 0
	}
	d, err := time.ParseDuration(s.text(key, ""))
	if err != nil || d < 0 {
		s.r.fault(s.at(key), v, "is no time span", "a number with its unit, like 500ms, 30s or 1m", "")
		return 0
	}
	return d
}

// end tells of the keys that nothing has asked for.
func (s section) end() { s.endAs(Error) }

func (s section) endAs(severity Severity) {
	known := make([]string, 0, len(s.asked))
	for key := range s.asked {
		known = append(known, key)
	}
	for _, f := range s.v.Fields() {
		if s.asked[f.Name] {
			continue
		}
		fix := "remove it"
		if near := suggest(f.Name, known); near != "" {
			fix = fmt.Sprintf("did you mean %s?", near)
		}
		found := finding(severity, s.at(f.Name), nil, "is not a setting here", "", fix)
		found.File, found.Line, found.Column = f.Pos.File, f.Pos.Line, f.Pos.Column
		s.r.unknown = append(s.r.unknown, found)
	}
}
