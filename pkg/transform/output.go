package transform

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

func (l *loader) output(n, root *node) *output {
	if n == nil {
		n = &node{pos: root.pos, kind: mapping}
	}
	t := l.table(n, "output", "format", "field", "columns", "separator", "invalid_utf8", "headers", "tombstones", "topic", "routes", "key")
	o := &output{
		pos: n.pos, format: t.choice("format", "json", "raw", "logfmt", "csv"), topic: t.text("topic", ""),
		replace:    t.choice("invalid_utf8", "fail", "replace") == "replace",
		tombstones: t.choice("tombstones", "fail", "pass", "drop"),
	}
	if f := t.get("field"); f != nil {
		if o.format != "raw" {
			l.fault(f, "write format: raw", "field is a setting of the format raw only")
		}
		o.field = l.field(f)
	}
	o.columns, o.separator = l.fields(l.texts(t.get("columns"), "columns")), l.separator(t, ',')
	if o.format == "csv" && len(o.columns) == 0 {
		l.fault(n, "add columns: [a, b]", "csv needs the columns in their order")
	}
	for _, setting := range []string{"columns", "separator"} {
		if at := t.get(setting); at != nil && o.format != "csv" {
			l.fault(at, "write format: csv", "%s is a setting of the format csv only", setting)
		}
	}
	if o.format != "raw" && !l.shape.open && len(l.shape.fields) == 0 {
		l.fault(n, "add a parse or a set rule, or write format: raw", "there are no fields to write as %s", o.format)
	}
	l.checkTopic(t.get("topic"))
	o.routes = l.routes(t.get("routes"))
	l.outputKey(o, t.get("key"))
	l.outputHeaders(o, t)
	return o
}

// separator reads one ASCII character.
func (l *loader) separator(t *table, otherwise byte) byte {
	n := t.get("separator")
	if n == nil {
		return otherwise
	}
	s := l.text(n, "separator")
	if s == `\t` {
		s = "\t"
	}
	if len(s) != 1 || s[0] >= 0x80 || s[0] == '"' || s[0] == '\n' || s[0] == '\r' {
		l.fault(n, `write "," or "\t"`, "separator has to be one ASCII character, and no quote or line break")
		return otherwise
	}
	return s[0]
}

// outputKey reads `key: {field: f}`, `key: {expr: e}`, `key: none`.
func (l *loader) outputKey(o *output, n *node) {
	if n == nil {
		o.keepKey = true
		return
	}
	if n.kind == scalar && n.text == "none" {
		return
	}
	t := l.table(n, "key", "field", "expr")
	f, e := t.get("field"), t.get("expr")
	switch {
	case (f == nil) == (e == nil):
		l.fault(n, "write key: {field: name}, or key: none", "key needs one of field and expr")
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
