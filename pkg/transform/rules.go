package transform

import (
	"fmt"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// Options are what a rules file cannot hold itself.
type Options struct {
	// Secret looks up what a rule names as the environment variable of a key. Where
	// it is nil, rules that need a key are refused.
	Secret func(env string) (value string, found bool)

	// Sections are keys of the file that are not about rules, and who reads them. Each
	// is called once, also where the file has no such key, before the rules are read.
	Sections map[string]func(Section)
}

// Rules is a checked and compiled rules file. It does not change: any number of
// goroutines may use it, each with a [Transformer] of its own.
type Rules struct {
	rules  []placed
	output *output
}

// placed is a rule with what an error says about it.
type placed struct {
	rule rule
	kind string
	pos  Position
	when *expression // nil: always
}

// rule is compiled; start gives it the memory that a transformer needs for it.
type rule interface{ start() step }

// step does the work of one rule for one transformer.
type step interface {
	apply(s *state) (verdict, error)
}

type verdict uint8

const (
	pass verdict = iota
	filtered
	duplicate
)

// Load reads a rules file. name is what positions in errors begin with. The error is
// a *[RulesError] with every mistake that was found.
func Load(name string, content []byte, options Options) (*Rules, error) {
	root, err := yamlfile.Parse(name, content)
	if err != nil {
		return nil, err
	}
	l := &loader{options: options, shape: shape{fields: map[string]fieldType{}}}
	rules := l.file(root)
	if err := l.Err(); err != nil {
		return nil, err
	}
	return rules, nil
}

// Topic is what output names as the topic where no route fits; empty where it names
// none.
func (r *Rules) Topic() string { return r.output.topic }

// Window is how far back the rules look before a record: over so many offsets, or so
// much event time, and over most offsets in either case. See [Transformer.Warm].
func (r *Rules) Window() (offsets int64, span time.Duration, most int64) {
	for _, p := range r.rules {
		if d, ok := p.rule.(*deduplicateRule); ok {
			offsets, span, most = max(offsets, d.records), max(span, d.span), max(most, int64(d.capacity))
		}
	}
	return offsets, span, most
}

func (l *loader) file(root *yamlfile.Node) *Rules {
	l.root = root
	sections := sorted(l.options.Sections)
	t := l.Table(root, "the file", append(sections, "version", "patterns", "rules", "output")...)
	for _, name := range sections {
		l.options.Sections[name](Section{l, t.Get(name)})
	}
	if version := t.Get("version"); version != nil && l.Text(version, "version") != "1" {
		l.Fault(version, "write 1", "this program reads version 1 of the format only")
	}
	l.patterns = l.definitions(t.Get("patterns"))
	r := &Rules{}
	if list := t.Get("rules"); list != nil {
		if list.Kind != yamlfile.Sequence {
			l.Fault(list, "write - parse: json and so on", "rules has to be a list")
		}
		for _, n := range list.List {
			if p, ok := l.rule(n); ok {
				r.rules = append(r.rules, p)
			}
		}
	}
	r.output = l.output(t.Get("output"), root)
	return r
}

func ruleKinds() []string {
	return []string{"parse", "timestamp", "filter", "mask", "rename", "drop", "keep", "set", "deduplicate"}
}

func (l *loader) rule(n *yamlfile.Node) (placed, bool) {
	t := l.Table(n, "a rule", append(ruleKinds(), "when")...)
	p := placed{pos: n.Pos}
	var when *yamlfile.Node
	var body *yamlfile.Node
	for i, key := range t.Node.Keys {
		switch {
		case key.Text == "when":
			when = t.Node.Values[i]
		case !slices.Contains(ruleKinds(), key.Text):
		case body != nil:
			l.Fault(key, "begin a new rule with -", "a rule does one thing: %s and %s are two", p.kind, key.Text)
		default:
			p.kind, body = key.Text, t.Node.Values[i]
			p.pos = key.Pos
		}
	}
	if body == nil {
		if n.Kind == yamlfile.Mapping && len(n.Keys) <= 1 && when != nil {
			l.Fault(n, "", "a rule with nothing to do")
		}
		return p, false
	}
	if when != nil {
		p.when = l.condition(when)
	}
	before := l.shape.clone()
	p.rule = l.body(p.kind, body)
	if when != nil {
		l.shape.merge(before)
	}
	return p, p.rule != nil
}

func (l *loader) body(kind string, n *yamlfile.Node) rule {
	switch kind {
	case "parse":
		return l.parse(n)
	case "timestamp":
		return l.timestamp(n)
	case "filter":
		return l.filter(n)
	case "mask":
		return l.mask(n)
	case "rename":
		return l.rename(n)
	case "drop":
		return l.drop(n)
	case "keep":
		return l.keep(n)
	case "set":
		return l.set(n)
	case "deduplicate":
		return l.deduplicate(n)
	}
	panic(fmt.Sprintf("no rule is called %s", kind)) // ruleKinds has no other
}
