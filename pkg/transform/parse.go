package transform

import (
	"bytes"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// parser reads a text into a document. An error wraps [ErrParse].
type parser interface {
	parse(text []byte, d *document) error
}

// format is a compiled way to parse; start gives it the memory for a transformer.
type format interface{ start() parser }

// parseRule turns a text into fields. A field that is there already gets the new
// value in its old place.
type parseRule struct {
	format format
	from   *path // nil: the value of the record
	lines  bool  // a line break at the end is not part of the text
	types  []typed
}

func formats() []string {
	return []string{"json", "combined", "common", "regexp", "grok", "logfmt", "keyvalue", "csv", "syslog", "rfc3164", "rfc5424"}
}

// parse reads `parse: json` or a mapping with the settings of a format.
func (l *loader) parse(n *yamlfile.Node) rule {
	if n.Kind == yamlfile.Scalar {
		n = &yamlfile.Node{Pos: n.Pos, Kind: yamlfile.Mapping, Keys: []*yamlfile.Node{{Pos: n.Pos, Text: "format"}}, Values: []*yamlfile.Node{n}}
	}
	t := l.Table(n, "parse", "format", "field", "prefix", "types", "pattern", "columns", "separator", "assign")
	r := &parseRule{lines: true}
	if from := t.Get("field"); from != nil {
		r.from = l.field(from)
	}
	if t.Need("format") == nil {
		l.shape.open = true // its fields are unknown, not wrong
		return r
	}
	kind := t.Choice("format", formats()...)
	for setting, of := range map[string][]string{
		"pattern": {"regexp", "grok"}, "columns": {"csv"}, "separator": {"csv", "keyvalue"}, "assign": {"keyvalue"},
	} {
		if at := t.Get(setting); at != nil && !contains(of, kind) {
			l.Fault(at, "", "%s is not a setting of the format %s, only of %v", setting, kind, of)
		}
	}
	prefix := t.Text("prefix", "")
	r.format = l.format(kind, t, prefix)
	r.types = append(r.types, l.types(t.Get("types"), kind)...)
	r.lines = kind != "json"
	return r
}

func contains(list []string, text string) bool {
	for _, s := range list {
		if s == text {
			return true
		}
	}
	return false
}

func (l *loader) format(kind string, t *yamlfile.Table, prefix string) format {
	switch kind {
	case "json":
		l.shape.open = true
		return jsonFormat{prefix: prefix}
	case "combined", "common", "regexp", "grok":
		return l.patternFormat(kind, t, prefix)
	case "logfmt":
		l.shape.open = true
		return logfmtFormat{prefix}
	case "keyvalue":
		l.shape.open = true
		return l.keyValueFormat(t, prefix)
	case "csv":
		return l.csvFormat(t, prefix)
	}
	return l.syslogFormat(kind, prefix)
}

func (r *parseRule) start() step { return &parseStep{rule: r, parser: r.format.start()} }

type parseStep struct {
	rule   *parseRule
	parser parser
}

func (p *parseStep) apply(s *state) (verdict, error) {
	text := s.in.Value
	field := ""
	if p.rule.from != nil {
		field = p.rule.from.text
		v := s.doc.get(p.rule.from)
		if v.kind == missing {
			return pass, &failure{field: field, err: ErrMissing}
		}
		text = s.doc.text(v)
	}
	if p.rule.lines {
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\r'})
	}
	if err := p.parser.parse(text, &s.doc); err != nil {
		return pass, &failure{field: field, value: text, err: err}
	}
	for i := range p.rule.types {
		if err := p.rule.types[i].convert(&s.doc); err != nil {
			return pass, err
		}
	}
	return pass, nil
}

// faultf is an error that wraps ErrParse and says more.
func faultf(format string, arguments ...any) error {
	return fmt.Errorf("%w: %s", ErrParse, fmt.Sprintf(format, arguments...))
}
