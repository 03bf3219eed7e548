package transform

import "github.com/scf-etl/scf-etl/pkg/yamlfile"

// output is the last part of a rules file: in which form, where, under which key.
type output struct {
	pos        Position
	format     string
	field      *path // raw: the field; nil for the value as it came
	columns    []*path
	separator  byte
	replace    bool          // bytes that are not UTF-8 become U+FFFD instead of an error
	headers    bool          // those that it came with are kept
	added      []addedHeader // behind them
	tombstones string
	topic      string
	routes     []route
	key        *expression
	keyField   *path
	keepKey    bool
}

func (l *loader) output(n, root *yamlfile.Node) *output {
	if n == nil {
		n = &yamlfile.Node{Pos: root.Pos, Kind: yamlfile.Mapping}
	}
	t := l.Table(n, "output", "format", "field", "columns", "separator", "invalid_utf8", "headers", "tombstones", "topic", "routes", "key")
	o := &output{
		pos: n.Pos, format: t.Choice("format", "json", "raw", "logfmt", "csv"), topic: t.Text("topic", ""),
		replace:    t.Choice("invalid_utf8", "fail", "replace") == "replace",
		tombstones: t.Choice("tombstones", "fail", "pass", "drop"),
	}
	if f := t.Get("field"); f != nil {
		if o.format != "raw" {
			l.Fault(f, "write format: raw", "field is a setting of the format raw only")
		}
		o.field = l.field(f)
	}
	o.columns, o.separator = l.fields(l.Texts(t.Get("columns"), "columns")), l.separator(t, ',')
	if o.format == "csv" && len(o.columns) == 0 {
		l.Fault(n, "add columns: [a, b]", "csv needs the columns in their order")
	}
	for _, setting := range []string{"columns", "separator"} {
		if at := t.Get(setting); at != nil && o.format != "csv" {
			l.Fault(at, "write format: csv", "%s is a setting of the format csv only", setting)
		}
	}
	if o.format != "raw" && !l.shape.open && len(l.shape.fields) == 0 {
		l.Fault(n, "add a parse or a set rule, or write format: raw", "there are no fields to write as %s", o.format)
	}
	l.checkTopic(t.Get("topic"))
	o.routes = l.routes(t.Get("routes"))
	l.outputKey(o, t.Get("key"))
	l.outputHeaders(o, t)
	return o
}

// separator reads one ASCII character.
func (l *loader) separator(t *yamlfile.Table, otherwise byte) byte {
	n := t.Get("separator")
	if n == nil {
		return otherwise
	}
	s := l.Text(n, "separator")
	if s == `\t` {
		s = "\t"
	}
	if len(s) != 1 || s[0] >= 0x80 || s[0] == '"' || s[0] == '\n' || s[0] == '\r' {
		l.Fault(n, `write "," or "\t"`, "separator has to be one ASCII character, and no quote or line break")
		return otherwise
	}
	return s[0]
}

// outputKey reads `key: {field: f}`, `key: {expr: e}`, `key: none`.
func (l *loader) outputKey(o *output, n *yamlfile.Node) {
	if n == nil {
		o.keepKey = true
		return
	}
	if n.Kind == yamlfile.Scalar && n.Text == "none" {
		return
	}
	t := l.Table(n, "key", "field", "expr")
	f, e := t.Get("field"), t.Get("expr")
	switch {
	case (f == nil) == (e == nil):
		l.Fault(n, "write key: {field: name}, or key: none", "key needs one of field and expr")
	case f != nil:
		o.keyField = l.field(f)
	default:
		o.key = l.expression(e)
	}
}

// tombstone decides about a record without a value; done says that no rule has to
// see it.
func (o *output) tombstone() (v verdict, err error, done bool) {
	switch o.tombstones {
	case "pass":
		return pass, nil, true
	case "drop":
		return filtered, nil, true
	}
	return pass, o.error(&failure{err: ErrTombstone}), true
}

func (o *output) error(err error) *Error {
	p := placed{kind: "output", pos: o.pos}
	return p.error(-1, err)
}
