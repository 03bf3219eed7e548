package transform

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// loader reads a rules file and collects everything that is wrong with it.
type loader struct {
	options  Options
	root     *node
	faults   []Fault
	shape    shape             // the fields that there are at this point
	patterns map[string]string // grok patterns by name
}

func (l *loader) fault(at *node, fix, format string, arguments ...any) {
	l.faults = append(l.faults, Fault{Pos: at.pos, Reason: fmt.Sprintf(format, arguments...), Fix: fix})
}

// table is a mapping of which every key is known.
type table struct {
	l    *loader
	node *node
	what string
}

// table checks that n is a mapping with no other keys than known.
func (l *loader) table(n *node, what string, known ...string) *table {
	t := &table{l: l, node: n, what: what}
	if n.kind != mapping {
		l.fault(n, "write it as key: value", "%s has to be a mapping with some of: %s", what, strings.Join(known, ", "))
		t.node = &node{pos: n.pos, kind: mapping}
		return t
	}
	seen := map[string]bool{}
	for _, key := range n.keys {
		switch {
		case !slices.Contains(known, key.text):
			l.fault(key, suggest(key.text, known), "%s has no setting %q", what, key.text)
		case seen[key.text]:
			l.fault(key, "keep one", "%s has %q twice", what, key.text)
		}
		seen[key.text] = true
	}
	return t
}

// get returns the value of key, or nil where it is not there or null.
func (t *table) get(key string) *node {
	for i, k := range t.node.keys {
		if k.text == key && t.node.values[i].kind != nothing {
			return t.node.values[i]
		}
	}
	return nil
}

// need is get, and a fault where there is nothing.
func (t *table) need(key string) *node {
	n := t.get(key)
	if n == nil {
		t.l.fault(t.node, fmt.Sprintf("add %s:", key), "%s needs the setting %q", t.what, key)
	}
	return n
}

// text returns the scalar of key, or otherwise.
func (t *table) text(key, otherwise string) string {
	n := t.get(key)
	if n == nil {
		return otherwise
	}
	return t.l.text(n, key)
}

func (l *loader) text(n *node, what string) string {
	if n.kind != scalar {
		l.fault(n, "", "%s has to be one text", what)
		return ""
	}
	return n.text
}

// texts returns the scalars of a list, or of one scalar.
func (l *loader) texts(n *node, what string) []*node {
	switch {
	case n == nil:
		return nil
	case n.kind == scalar:
		return []*node{n}
	case n.kind != sequence:
		l.fault(n, "write [a, b]", "%s has to be a list", what)
		return nil
	}
	var out []*node
	for _, e := range n.list {
		if e.kind != scalar {
			l.fault(e, "", "%s has to be a list of texts", what)
			continue
		}
		out = append(out, e)
	}
	return out
}

// choice returns the scalar of key, which has to be one of allowed; the first is
// the default.
func (t *table) choice(key string, allowed ...string) string {
	n := t.get(key)
	if n == nil {
		return allowed[0]
	}
	text := t.l.text(n, key)
	if n.kind == scalar && !slices.Contains(allowed, text) {
		t.l.fault(n, suggest(text, allowed), "%s %q is not one of: %s", key, text, strings.Join(allowed, ", "))
		return allowed[0]
	}
	return text
}

func (t *table) boolean(key string) bool { return t.choice(key, "false", "true") == "true" }

// number returns a whole number from least to most.
func (t *table) number(key string, otherwise, least, most int) int {
	n := t.get(key)
	if n == nil {
		return otherwise
	}
	value, err := strconv.Atoi(t.l.text(n, key))
	if err != nil || value < least || value > most {
		t.l.fault(n, "", "%s has to be a whole number from %d to %d", key, least, most)
		return otherwise
	}
	return value
}

func (t *table) duration(key string) time.Duration {
	n := t.get(key)
	if n == nil {
		return 0
	}
	d, err := time.ParseDuration(t.l.text(n, key))
	if err != nil || d <= 0 {
		t.l.fault(n, "write 10m, 1h30m or the like", "%s is no length of time", key)
	}
	return d
}

// suggest says which of known is meant by text.
func suggest(text string, known []string) string {
	best, least := "", 1+len(text)/2
	for _, k := range known {
		if d := distance(strings.ToLower(text), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "there are: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance is the number of characters to add, remove or replace, by Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
