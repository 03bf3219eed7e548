package yamlfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reader takes a file apart and collects everything that is wrong with it. The zero value is ready for use.
type Reader struct{ faults []Fault }

// Fault notes a mistake at a node. fix, what to write instead, may be empty.
func (r *Reader) Fault(at *Node, fix, format string, arguments ...any) {
	r.faults = append(r.faults, Fault{Pos: at.Pos, Reason: fmt.Sprintf(format, arguments...), Fix: fix})
}

// Err is an *[Error] with all mistakes, or nil.
func (r *Reader) Err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return &Error{inOrder(r.faults)}
}

// Table is a mapping of which every key is known.
type Table struct {
	Node *Node
	r    *Reader
	what string
}

// Table checks that n is a mapping with no other keys than known. what is how faults name it.
func (r *Reader) Table(n *Node, what string, known ...string) *Table {
	t := &Table{r: r, Node: n, what: what}
	if n.Kind != Mapping {
		r.Fault(n, "write it as key: value", "%s has to be a mapping with some of: %s", what, strings.Join(known, ", "))
		t.Node = &Node{Pos: n.Pos, Kind: Mapping}
		return t
	}
	seen := map[string]bool{}
	for _, key := range n.Keys {
		switch {
		case !slices.Contains(known, key.Text):
			r.Fault(key, Suggest(key.Text, known), "%s has no setting %q", what, key.Text)
		case seen[key.Text]:
			r.Fault(key, "keep one", "%s has %q twice", what, key.Text)
		}
		seen[key.Text] = true
	}
	return t
}

// Get returns the value of key, or nil where it is not there or null.
func (t *Table) Get(key string) *Node {
	for i, k := range t.Node.Keys {
		if k.Text == key && t.Node.Values[i].Kind != Nothing {
			return t.Node.Values[i]
		}
	}
	return nil
}

// Need is Get, and a fault where there is nothing.
func (t *Table) Need(key string) *Node {
	n := t.Get(key)
	if n == nil {
		t.r.Fault(t.Node, fmt.Sprintf("add %s:", key), "%s needs the setting %q", t.what, key)
	}
	return n
}

// Text returns the scalar of key, or otherwise.
func (t *Table) Text(key, otherwise string) string {
	n := t.Get(key)
	if n == nil {
		return otherwise
	}
	return t.r.Text(n, key)
}

// Text returns a scalar; what is how a fault names it.
func (r *Reader) Text(n *Node, what string) string {
	if n.Kind != Scalar {
		r.Fault(n, "", "%s has to be one text", what)
		return ""
	}
	return n.Text
}

// List returns the members of a list, or the one node that is no list.
func (r *Reader) List(n *Node) []*Node {
	switch {
	case n == nil:
		return nil
	case n.Kind != Sequence:
		return []*Node{n}
	}
	return n.List
}

// Texts returns the scalars of a list, or of one scalar.
func (r *Reader) Texts(n *Node, what string) []*Node {
	var out []*Node
	for _, e := range r.List(n) {
		if e.Kind != Scalar {
			r.Fault(e, "write [a, b]", "%s has to be a list of texts", what)
			continue
		}
		out = append(out, e)
	}
	return out
}

// Choice returns the scalar of key, which has to be one of allowed; the first is the default.
func (t *Table) Choice(key string, allowed ...string) string {
	n := t.Get(key)
	if n == nil {
		return allowed[0]
	}
	text := t.r.Text(n, key)
	if n.Kind == Scalar && !slices.Contains(allowed, text) {
		// why: an empty default is nothing that somebody would write
		known := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
		fix := Suggest(text, known)
		if strings.HasPrefix(fix, thereAre) {
			fix = "" // the reason lists them already
		}
		t.r.Fault(n, fix, "%s %q is not one of: %s", key, text, strings.Join(known, ", "))
		return allowed[0]
	}
	return text
}

// Boolean returns the value of key, which is true or false, or false without one.
func (t *Table) Boolean(key string) bool { return t.Choice(key, "false", "true") == "true" }

// Number returns a whole number from least to most, or otherwise.
func (t *Table) Number(key string, otherwise, least, most int) int {
	n := t.Get(key)
	if n == nil {
		return otherwise
	}
	value, err := strconv.Atoi(t.r.Text(n, key))
	if err != nil || value < least || value > most {
		t.r.Fault(n, "", "%s has to be a whole number from %d to %d", key, least, most)
		return otherwise
	}
	return value
}

// Duration returns a length of time that is more than nothing, or 0 without one.
func (t *Table) Duration(key string) time.Duration {
	n := t.Get(key)
	if n == nil {
		return 0
	}
	d, err := time.ParseDuration(t.r.Text(n, key))
	if err != nil || d <= 0 {
		t.r.Fault(n, "write 10m, 1h30m or the like", "%s is no length of time", key)
	}
	return d
}
