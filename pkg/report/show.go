package report

import (
	"slices"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

func (l *loader) show(n *yamlfile.Node) {
	if n.Kind != yamlfile.Sequence || len(n.List) == 0 {
		l.Fault(n, "write - number: {query: total, value: rows} and so on", "show has to be a list")
		return
	}
	if len(n.List) > maxParts {
		l.Fault(n, "", "more than %d parts", maxParts)
		return
	}
	kinds := []string{number, line, bar, stacked, pie, donut, table}
	for _, e := range n.List {
		t := l.Table(e, "a part of show", kinds...)
		switch {
		case e.Kind != yamlfile.Mapping:
		case len(e.Keys) > 1:
			l.Fault(e.Keys[1], "begin a new one with -", "a part of show is one thing")
		case len(e.Keys) == 1 && slices.Contains(kinds, e.Keys[0].Text):
			if body := t.Need(e.Keys[0].Text); body != nil {
				l.spec.parts = append(l.spec.parts, l.part(e.Keys[0].Text, body))
			}
		}
	}
}

func (l *loader) part(kind string, n *yamlfile.Node) *part {
	p := &part{kind: kind}
	known := []string{"title", "query", "format"}
	switch kind {
	case number:
		known = append(known, "value", "per", "better")
	case line, bar, stacked:
		known = append(known, "x", "y", "series", "top")
	case pie, donut:
		known = append(known, "x", "y", "top")
	case table:
		known = append(known, "columns", "formats", "top")
	}
	t := l.Table(n, kind, known...)
	p.title = l.title(t, "")
	p.format = Format(t.Choice("format", formats()...))
	q := l.queryOf(t)
	if q == nil {
		return p
	}
	p.query = t.Text("query", "")
	switch kind {
	case number:
		l.number(t, p, q)
	case table:
		l.tablePart(t, p, q)
	default:
		l.chart(t, p, q)
	}
	if p.title == "" {
		p.title = p.query
	}
	return p
}

// queryOf gives the query that a part names, nil where it names none that there is.
func (l *loader) queryOf(t *yamlfile.Table) *query {
	n := t.Need("query")
	if n == nil {
		return nil
	}
	name := l.Text(n, "query")
	if !l.known(n, name, sortedNames(l.spec.queries), "a part shows one of the queries") {
		return nil
	}
	return l.spec.queries[name]
}

// measureOf gives the name under a key, which has to be one of the measures.
func (l *loader) measureOf(n *yamlfile.Node, q *query) string {
	name := l.Text(n, "a measure")
	l.known(n, name, q.outputs[len(q.groups):], "this is about a measure of the query")
	return name
}

func (l *loader) number(t *yamlfile.Table, p *part, q *query) {
	if len(q.groups) > 0 {
		l.Fault(t.Node, "take a query without group_by", "a number is of a query with one row")
	}
	if v := t.Need("value"); v != nil {
		p.value = l.measureOf(v, q)
	}
	p.better = t.Choice("better", "", "more", "less")
	n := t.Get("per")
	if n == nil {
		return
	}
	per := l.Table(n, "per", "query", "value")
	divisor := l.queryOf(per)
	if divisor == nil {
		return
	}
	if len(divisor.groups) > 0 {
		l.Fault(n, "take a query without group_by", "a number is divided by one of a query with one row")
	}
	p.per = &share{query: per.Text("query", "")}
	if v := per.Need("value"); v != nil {
		p.per.value = l.measureOf(v, divisor)
	}
}

// topOf is how many groups of each kind are shown, where the file does not say.
func topOf(kind string, series bool) int {
	switch {
	case kind == table:
		return 100
	case kind == pie, kind == donut, series:
		return 8
	}
	return 24
}

func (l *loader) chart(t *yamlfile.Table, p *part, q *query) {
	if len(q.groups) == 0 {
		l.Fault(t.Node, "add group_by to the query, or show a number", "a chart is of a query with groups")
		return
	}
	if x := t.Need("x"); x != nil {
		p.x = l.Text(x, "x")
		l.known(x, p.x, q.groups, "x is a group of the query")
	}
	for _, y := range l.Texts(t.Need("y"), "y") {
		p.y = append(p.y, l.measureOf(y, q))
	}
	if s := t.Get("series"); s != nil {
		p.series = l.Text(s, "series")
		l.known(s, p.series, q.groups, "series is a group of the query")
		if p.series == p.x {
			l.Fault(s, "take another group", "series is the same as x")
		}
	}
	p.top = t.Number("top", topOf(p.kind, p.series != ""), 1, maxTop)
	l.shape(t, p, q)
}

// maxSeries is how many lines, or parts of a bar, people can tell apart.
const maxSeries = 12

// shape checks that a chart has a place for all groups and measures.
func (l *loader) shape(t *yamlfile.Table, p *part, q *query) {
	used := 1
	if p.series != "" {
		used = 2
	}
	if len(q.groups) > used {
		l.Fault(t.Node, "leave a group of the query out, or name one as series", "the chart shows %d of the %d groups of the query", used, len(q.groups))
	}
	many := len(p.y) > 1
	switch {
	case many && (p.kind == pie || p.kind == donut):
		l.Fault(t.Get("y"), "keep one", "a %s is of one measure", p.kind)
	case many && p.series != "":
		l.Fault(t.Get("y"), "keep one, or leave series out", "series are made by a group or by measures, not by both")
	case len(p.y) > maxSeries:
		l.Fault(t.Get("y"), "", "more than %d measures", maxSeries)
	case p.series != "" && p.top > maxSeries:
		l.Fault(t.Get("top"), "", "a chart has at most %d series", maxSeries)
	}
}

func (l *loader) tablePart(t *yamlfile.Table, p *part, q *query) {
	p.columns = q.outputs
	if n := t.Get("columns"); n != nil {
		p.columns = nil
		for _, c := range l.Texts(n, "columns") {
			if l.known(c, c.Text, q.outputs, "a table shows columns of the query's answer") {
				p.columns = append(p.columns, c.Text)
			}
		}
	}
	if n := t.Get("formats"); n != nil {
		of := l.Table(n, "formats", q.outputs[len(q.groups):]...)
		p.formats = map[string]Format{}
		for _, key := range of.Node.Keys {
			p.formats[key.Text] = Format(of.Choice(key.Text, formats()...))
		}
	}
	p.top = t.Number("top", topOf(table, false), 1, maxTop)
}
