package transform

import (
	"errors"
	"strings"

	"github.com/scf-etl/scf-etl/internal/rawjson"
	"github.com/scf-etl/scf-etl/pkg/transform/internal/pattern"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// The log formats of Apache httpd and nginx (mod_log_config "combined" and "common",
// ngx_http_log_module "combined"). A hyphen stands for nothing, so the field is not
// there. What clients send instead of a request line stays whole, as request. Quotes
// inside of quotes have a backslash before them. What a server is set to write after
// the known part is rest.
const (
	commonLog = `^(?P<client>\S+) (?:-|(?P<identity>\S+)) (?:-|(?P<user>[^\[]+?)) \[(?P<time>[^\]]+)\] ` +
		`"(?:(?P<method>[A-Z]+) (?P<path>[^ "]+)(?: (?P<protocol>HTTP/[0-9.]+))?|(?P<request>[^"\\]*(?:\\.[^"\\]*)*))" ` +
		`(?P<status>[0-9]{3}) (?:-|(?P<size>[0-9]+))`
	combinedLog = commonLog + ` "(?:-|(?P<referer>[^"\\]*(?:\\.[^"\\]*)*))" "(?:-|(?P<agent>[^"\\]*(?:\\.[^"\\]*)*))"`
	restOfLog   = `(?: (?P<rest>.*))?$`
)

// patternFormat is a regular expression whose groups with a name are fields.
type patternFormat struct {
	pattern *pattern.Pattern
	what    string
	slots   []slot
	empty   bool // an empty text is a value
}

// slot is a group with a name.
type slot struct {
	group     int
	name, key []byte
	kind      kind
}

func (l *loader) patternFormat(kind string, t *yamlfile.Table, prefix string) format {
	f := &patternFormat{what: kind, empty: true}
	expr, types := "", map[string]string{"status": "int", "size": "int"}
	switch kind {
	case "combined":
		expr = combinedLog + restOfLog
	case "common":
		expr = commonLog + restOfLog
	default:
		n := t.Need("pattern")
		if n == nil {
			l.shape.open = true
			return f
		}
		f.empty = kind == "regexp"
		var ok bool
		if expr, types, ok = l.expr(kind, n); !ok {
			l.shape.open = true
			return f
		}
	}
	l.compilePattern(f, t, expr, types, prefix)
	return f
}

// expr returns the regular expression of a pattern, and the types it names.
func (l *loader) expr(kind string, n *yamlfile.Node) (expr string, types map[string]string, ok bool) {
	expr = l.Text(n, "pattern")
	if kind == "regexp" {
		return expr, nil, true
	}
	grok, err := pattern.Expand(expr, l.patterns)
	if err != nil {
		fix := ""
		var unknown *pattern.UnknownError
		if errors.As(err, &unknown) {
			fix = suggestNear(unknown.Name, sorted(l.patterns))
		}
		l.Fault(n, fix, "%v", err)
		return "", nil, false
	}
	return grok.Expr, grok.Types, true
}

func (l *loader) compilePattern(f *patternFormat, t *yamlfile.Table, expr string, types map[string]string, prefix string) {
	compiled, err := pattern.Compile(expr)
	if err != nil {
		l.Fault(t.Get("pattern"), "", "the pattern: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		l.shape.open = true
		return
	}
	f.pattern = compiled
	for i, name := range compiled.Names() {
		if name == "" {
			continue
		}
		name = pattern.FieldName(name)
		s := slot{group: i, name: []byte(prefix + name), kind: text}
		s.key, _ = rawjson.AppendString(nil, s.name)
		known := stringType
		switch types[name] {
		case "int", "long", "integer":
			s.kind, known = number, intType
		case "float", "double":
			s.kind, known = number, floatType
		case "bool", "boolean":
			s.kind, known = boolean, boolType
		}
		f.slots = append(f.slots, s)
		l.shape.add(prefix+name, known)
	}
	if len(f.slots) == 0 {
		l.Fault(t.Node, "name its groups: (?P<name>...), %{NAME:field}", "the pattern makes no fields")
	}
}

// suggestNear is suggest without a list of hundreds of names.
func suggestNear(text string, known []string) string {
	if s := yamlfile.Suggest(text, known); strings.HasPrefix(s, "did") {
		return s
	}
	return "define it under patterns"
}

// definitions reads the grok patterns of the file.
func (l *loader) definitions(n *yamlfile.Node) map[string]string {
	own := map[string]string{}
	if n != nil && n.Kind != yamlfile.Mapping {
		l.Fault(n, "write NAME: pattern", "patterns has to be a mapping")
		n = nil
	}
	if n != nil {
		for i, key := range n.Keys {
			own[key.Text] = l.Text(n.Values[i], "a pattern")
		}
	}
	return pattern.Definitions(own)
}

func (f *patternFormat) start() parser {
	return &patternParser{format: f, matcher: f.pattern.Matcher()}
}

type patternParser struct {
	format  *patternFormat
	matcher *pattern.Matcher
}

func (p *patternParser) parse(line []byte, d *document) error {
	groups := p.matcher.Match(line)
	if groups == nil {
		return faultf("the line does not match the %s pattern", p.format.what)
	}
	for i := range p.format.slots {
		s := &p.format.slots[i]
		begin, end := groups[2*s.group], groups[2*s.group+1]
		if begin < 0 || begin == end && !p.format.empty {
			continue
		}
		v := value{text, line[begin:end:end]}
		if s.kind != text {
			var ok bool
			if v, ok = d.hinted(v, s.kind); !ok {
				return &failure{field: string(s.name), value: v.raw, err: faultf("it is no %s", s.what())}
			}
		}
		d.put(s.name, s.key, v)
	}
	return nil
}

func (s *slot) what() string {
	if s.kind == boolean {
		return "boolean"
	}
	return "number"
}

// hinted reads a text as the kind that a pattern gives it.
func (d *document) hinted(v value, k kind) (value, bool) {
	if k == boolean {
		return truth(v)
	}
	if n, ok := d.integer(v); ok {
		return n, true
	}
	return d.float(v)
}
