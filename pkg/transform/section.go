package transform

import (
	"iter"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// Section is a value of a rules file for a package that adds sections of its own to
// the format: see [Options.Sections]. What is wrong with it is a [Fault] beside those of
// the rules, with its place and what to write instead. The zero value stands for what
// is not there: it has no members, and each question is answered with the default.
type Section struct {
	l *loader
	n *yamlfile.Node
}

// Present says whether there is a value.
func (s Section) Present() bool { return s.n != nil }

// Fault notes a mistake at the value; where there is none, at the beginning of the file.
// fix is what to write instead, or empty.
func (s Section) Fault(fix, format string, arguments ...any) {
	at := s.n
	if at == nil {
		at = s.l.root
	}
	s.l.Fault(at, fix, format, arguments...)
}

// Table reads a mapping that has no other keys than known; what names it in errors.
func (s Section) Table(what string, known ...string) Table {
	if s.n == nil {
		return Table{}
	}
	return Table{s.l, s.l.Table(s.n, what, known...)}
}

// Text reads one text.
func (s Section) Text(what string) string {
	if s.n == nil {
		return ""
	}
	return s.l.Text(s.n, what)
}

// IsText says whether it is one text, and neither a list nor a mapping.
func (s Section) IsText() bool { return s.n != nil && s.n.Kind == yamlfile.Scalar }

// Number reads a whole number from least to most.
func (s Section) Number(what string, least, most int) int {
	if s.n == nil {
		return least
	}
	value, err := strconv.Atoi(s.l.Text(s.n, what))
	if err != nil || value < least || value > most {
		s.Fault("", "%s has to be a whole number from %d to %d", what, least, most)
		return least
	}
	return value
}

// Pairs reads a mapping of texts to texts, in the order of the file.
func (s Section) Pairs(what string) iter.Seq2[Section, Section] {
	return func(yield func(Section, Section) bool) {
		if s.n == nil {
			return
		}
		if s.n.Kind != yamlfile.Mapping {
			s.Fault("write {name: value}", "%s has to be a mapping of names to texts", what)
			return
		}
		for i, key := range s.n.Keys {
			if !yield(Section{s.l, key}, Section{s.l, s.n.Values[i]}) {
				return
			}
		}
	}
}

// Table is a [Section] that is a mapping. The zero value has no members.
type Table struct {
	l *loader
	t *yamlfile.Table
}

// Section is the mapping itself, for a fault that is about all of it.
func (t Table) Section() Section {
	if t.t == nil {
		return Section{}
	}
	return Section{t.l, t.t.Node}
}

// Get is the value of key; one that is not there is not [Section.Present].
func (t Table) Get(key string) Section {
	if t.t == nil {
		return Section{}
	}
	n := t.t.Get(key)
	if n == nil {
		return Section{}
	}
	return Section{t.l, n}
}

// Need is Get, and a fault where there is nothing.
func (t Table) Need(key string) Section {
	if t.t != nil {
		t.t.Need(key)
	}
	return t.Get(key)
}

// Text is the text of key, or otherwise.
func (t Table) Text(key, otherwise string) string {
	if t.t == nil {
		return otherwise
	}
	return t.t.Text(key, otherwise)
}

// Choice is the text of key, which has to be one of allowed; the first is the default.
func (t Table) Choice(key string, allowed ...string) string {
	if t.t == nil {
		return allowed[0]
	}
	return t.t.Choice(key, allowed...)
}

// Number is a whole number from least to most.
func (t Table) Number(key string, otherwise, least, most int) int {
	if t.t == nil {
		return otherwise
	}
	return t.t.Number(key, otherwise, least, most)
}

// Duration is a length of time above zero, or otherwise.
func (t Table) Duration(key string, otherwise time.Duration) time.Duration {
	if !t.Get(key).Present() {
		return otherwise
	}
	return t.t.Duration(key)
}

// Texts is a list of texts, or one text.
func (t Table) Texts(key string) []Section {
	if t.t == nil {
		return nil
	}
	var out []Section
	for _, n := range t.l.Texts(t.t.Get(key), key) {
		out = append(out, Section{t.l, n})
	}
	return out
}
