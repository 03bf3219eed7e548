package pattern

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// Pattern is a compiled expression. It does not change, so any number of
// goroutines may use it, each with a [Matcher] of its own.
type Pattern struct {
	expr     *regexp.Regexp
	program  // without nodes where regexp does all
	start    int
	first    *first
	prefix   []byte // what every match begins with
	anchored bool
}

// Compile compiles an expression of regexp's syntax. The error is regexp's own.
func Compile(expr string) (*Pattern, error) {
	compiled, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	p := &Pattern{expr: compiled}
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, start, err := compile(parsed)
	if err != nil {
		return p, nil // regexp does all
	}
	p.program, p.start = prog, start
	p.first = (&compiler{program: prog}).first(start)
	prefix, _ := compiled.LiteralPrefix()
	p.prefix = []byte(prefix)
	p.anchored = p.nodes[start].op == opLook && syntax.EmptyOp(p.nodes[start].look) == syntax.EmptyBeginText
	return p, nil
}

// Scans tells whether a scanner does the work, and regexp only the exceptions.
func (p *Pattern) Scans() bool { return p.nodes != nil }

// Names are the names of the groups, by number; the whole match, number 0, and
// groups without a name have an empty one.
func (p *Pattern) Names() []string { return p.expr.SubexpNames() }

// Matcher returns the working memory for one goroutine.
func (p *Pattern) Matcher() *Matcher {
	return &Matcher{pattern: p, groups: make([]int, 2*(p.expr.NumSubexp()+1))}
}

// Matcher matches with one pattern, one text at a time.
type Matcher struct {
	pattern *Pattern
	groups  []int
	trail   []undo
	text    []byte
	end     int
	left    int // steps that are left
	depth   int
	unsure  bool
}

// undo is what a slot held before.
type undo struct{ slot, position int }

// Match returns the first match as regexp.FindSubmatchIndex does: pairs of
// positions by group, -1 for a group that took no part; nil where there is none.
// What it returns is valid until the next call.
func (m *Matcher) Match(text []byte) []int {
	if m.pattern.nodes == nil || !utf8.Valid(text) {
		return m.pattern.expr.FindSubmatchIndex(text)
	}
	m.text, m.left, m.depth, m.unsure = text, 5_000+32*len(text), 0, false
	found := m.search()
	m.text = nil
	switch {
	case m.unsure:
		return m.pattern.expr.FindSubmatchIndex(text)
	case found:
		return m.groups
	}
	return nil
}

func (m *Matcher) search() bool {
	p := m.pattern
	for start := 0; start <= len(m.text); start++ {
		if len(p.prefix) > 0 && !p.anchored {
			skip := bytes.Index(m.text[start:], p.prefix)
			if skip < 0 {
				return false
			}
			start += skip
		}
		inside := start > 0 && start < len(m.text) && continues(m.text[start])
		if !inside && p.first.begins(m.text, start) {
			for i := range m.groups {
				m.groups[i] = -1
			}
			m.trail = m.trail[:0]
			if m.run(p.start, start) {
				m.groups[0], m.groups[1] = start, m.end
				return true
			}
		}
		if m.unsure || p.anchored {
			return false
		}
	}
	return false
}
