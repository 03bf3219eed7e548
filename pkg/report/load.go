package report

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// Limits of a file.
const (
	maxQueries = 50
	maxParts   = 60
	maxTitle   = 200 // characters
	maxTop     = 1000
)

// loader reads a file and collects everything that is wrong with it.
type loader struct {
	yamlfile.Reader
	spec *Spec
}

var reportName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Load reads a report.yaml. name is what positions in errors begin with. The error is a *[yamlfile.Error] with every
// mistake that was found. Columns of the dataset are checked by [Run], which has it.
func Load(name string, content []byte) (*Spec, error) {
	root, err := yamlfile.Parse(name, content)
	if err != nil {
		return nil, err
	}
	l := &loader{spec: &Spec{queries: map[string]*query{}}}
	l.file(root)
	if err := l.Err(); err != nil {
		return nil, err
	}
	return l.spec, nil
}

func (l *loader) file(root *yamlfile.Node) {
	t := l.Table(root, "the file", "version", "name", "title", "description", "language", "time", "where", "queries", "show")
	if v := t.Need("version"); v != nil && l.Text(v, "version") != "1" {
		l.Fault(v, "write 1", "this program reads version 1 of the format only")
	}
	if n := t.Need("name"); n != nil {
		if l.spec.Name = l.Text(n, "name"); !reportName.MatchString(l.spec.Name) {
			l.Fault(n, "write requests-daily or the like", "name has to be 1 to 63 small letters, digits and -")
		}
	}
	l.spec.Title = l.title(t, l.spec.Name)
	l.spec.Description = t.Text("description", "")
	l.spec.Language = Language(t.Choice("language", string(English), string(Chinese)))
	if n := t.Need("time"); n != nil {
		l.time(n)
	}
	shared := l.conditions(t.Get("where"))
	if n := t.Need("queries"); n != nil {
		l.queries(n, shared)
	}
	if n := t.Need("show"); n != nil {
		l.show(n)
	}
}

func (l *loader) title(t *yamlfile.Table, otherwise string) string {
	n := t.Get("title")
	if n == nil {
		return otherwise
	}
	text := l.Text(n, "title")
	if len([]rune(text)) > maxTitle {
		l.Fault(n, "", "title has more than %d characters", maxTitle)
	}
	return text
}

func (l *loader) time(n *yamlfile.Node) {
	t := l.Table(n, "time", "column", "range", "zone")
	l.spec.Time.Zone = l.zone(t, time.UTC)
	if c := t.Need("column"); c != nil {
		l.spec.Time.Column = l.column(c)
	}
	if r := t.Need("range"); r != nil {
		l.spec.Time.period = l.period(r, l.spec.Time.Zone)
	}
}

func (l *loader) zone(t *yamlfile.Table, otherwise *time.Location) *time.Location {
	n := t.Get("zone")
	if n == nil {
		return otherwise
	}
	text := l.Text(n, "zone")
	zone, err := time.LoadLocation(text)
	if err != nil || text == "Local" { // what that is differs between machines
		l.Fault(n, "write Asia/Shanghai, UTC or another name of the time zone database", "there is no time zone %q", text)
		return otherwise
	}
	return zone
}

// column notes that the file names a column of the dataset.
func (l *loader) column(n *yamlfile.Node) string {
	name := l.Text(n, "column")
	if name == "" && n.Kind == yamlfile.Scalar {
		l.Fault(n, "", "the name of a column is empty")
	}
	l.spec.columns = append(l.spec.columns, mention{name, n})
	return name
}

func (l *loader) queries(n *yamlfile.Node, shared []dataset.Condition) {
	if n.Kind != yamlfile.Mapping || len(n.Keys) == 0 {
		l.Fault(n, "write total: {measures: [{name: rows, op: count}]}", "queries has to be a mapping of names to queries")
		return
	}
	if len(n.Keys) > maxQueries {
		l.Fault(n, "", "more than %d queries", maxQueries)
		return
	}
	for i, key := range n.Keys {
		if l.spec.queries[key.Text] != nil {
			l.Fault(key, "give it another name", "two queries are called %q", key.Text)
			continue
		}
		l.spec.queries[key.Text] = l.query(n.Values[i], shared)
	}
}

func (l *loader) query(n *yamlfile.Node, shared []dataset.Condition) *query {
	q := &query{ops: map[string]dataset.Op{}}
	t := l.Table(n, "a query", "measures", "group_by", "where", "order_by", "limit")
	for _, g := range l.List(t.Get("group_by")) {
		l.group(g, q)
	}
	for _, m := range l.List(t.Need("measures")) {
		l.measure(m, q)
	}
	q.Where = append(slices.Clone(shared), l.conditions(t.Get("where"))...)
	for _, o := range l.List(t.Get("order_by")) {
		l.order(o, q)
	}
	q.Limit = t.Number("limit", 0, 1, 1_000_000)
	return q
}

// output notes the name of a column of the answer.
func (l *loader) output(at *yamlfile.Node, q *query, name string) {
	if slices.Contains(q.outputs, name) {
		l.Fault(at, "give one of them another name", "two columns of the answer are called %q", name)
	}
	q.outputs = append(q.outputs, name)
}

func (l *loader) group(n *yamlfile.Node, q *query) {
	g, size := dataset.Group{}, bucket{}
	if n.Kind == yamlfile.Scalar {
		g.Column = l.column(n)
		g.Name = g.Column
	} else {
		t := l.Table(n, "a group", "name", "column", "bucket", "zone")
		if c := t.Need("column"); c != nil {
			g.Column = l.column(c)
		}
		g.Name = t.Text("name", g.Column)
		if b := t.Get("bucket"); b != nil {
			g.Bucket = l.length(b)
			g.Zone = l.zone(t, l.spec.Time.Zone)
			size = bucket{g.Bucket, g.Zone}
		} else if z := t.Get("zone"); z != nil {
			l.Fault(z, "add bucket: 1h, or leave zone out", "a zone is that of a bucket")
		}
	}
	l.output(n, q, g.Name)
	q.groups, q.buckets = append(q.groups, g.Name), append(q.buckets, size)
	q.GroupBy = append(q.GroupBy, g)
}

var days = regexp.MustCompile(`^([1-9][0-9]{0,2})d$`)

// length is the size of a bucket: one of time.ParseDuration, or days.
func (l *loader) length(n *yamlfile.Node) time.Duration {
	text := l.Text(n, "bucket")
	if found := days.FindStringSubmatch(text); found != nil {
		text = found[1] + "h"
	}
	d, err := time.ParseDuration(text)
	if days.MatchString(n.Text) {
		d *= 24
	}
	if err != nil || d < time.Second || d%time.Second != 0 {
		l.Fault(n, "write 15m, 1h, 1d or the like", "a bucket has to be whole seconds, minutes, hours or days")
		return time.Hour
	}
	return d
}

func (l *loader) measure(n *yamlfile.Node, q *query) {
	t := l.Table(n, "a measure", "name", "op", "column", "q")
	ops := []string{
		string(dataset.Count), string(dataset.Sum), string(dataset.Min), string(dataset.Max), string(dataset.Avg),
		string(dataset.Distinct), string(dataset.Quantile),
	}
	m := dataset.Measure{}
	if t.Need("op") != nil {
		m.Op = dataset.Op(t.Choice("op", ops...))
	}
	if c := t.Get("column"); c != nil {
		m.Column = l.column(c)
	} else if m.Op != dataset.Count && m.Op != "" {
		l.Fault(n, "add column:", "%s is of a column", m.Op)
	}
	m.Name = t.Text("name", strings.Trim(string(m.Op)+"_"+m.Column, "_"))
	switch share := t.Get("q"); {
	case m.Op == dataset.Quantile && share == nil:
		l.Fault(n, "add q: 0.99", "quantile needs the setting \"q\"")
	case m.Op != dataset.Quantile && share != nil:
		l.Fault(share, "take it out", "q is of the op quantile")
	case share != nil:
		m.Q = l.fraction(share)
	}
	l.output(n, q, m.Name)
	q.Measures, q.ops[m.Name] = append(q.Measures, m), m.Op
}

func (l *loader) fraction(n *yamlfile.Node) float64 {
	if f, ok := scalarValue(n).(float64); ok && f >= 0 && f <= 1 {
		return f
	}
	if i, ok := scalarValue(n).(int64); ok && (i == 0 || i == 1) {
		return float64(i)
	}
	l.Fault(n, "write 0.99 or the like", "q has to be a number from 0 to 1")
	return 0
}

func (l *loader) order(n *yamlfile.Node, q *query) {
	o, at := dataset.Order{}, n
	if n.Kind == yamlfile.Scalar {
		o.Name = n.Text
	} else {
		t := l.Table(n, "an order", "name", "desc")
		if at = t.Need("name"); at == nil {
			return
		}
		o.Name, o.Desc = l.Text(at, "name"), t.Boolean("desc")
	}
	if l.known(at, o.Name, q.outputs, "a query is ordered by a column of its answer") {
		q.OrderBy = append(q.OrderBy, o)
	}
}

// known notes a name that is none of those that there are.
func (l *loader) known(at *yamlfile.Node, name string, names []string, why string) bool {
	if slices.Contains(names, name) {
		return true
	}
	l.Fault(at, yamlfile.Suggest(name, names), "%s, and %q is none", why, name)
	return false
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
