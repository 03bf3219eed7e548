package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// Source answers queries: a [dataset.Dataset]. An error is that of the report.
type Source interface {
	Query(context.Context, dataset.Query) (dataset.Answer, error)
}

// Schema is a [Source] that knows its columns, so that one that the file names and that is not there is found with its
// place. Without any columns, as of a dataset that has no objects yet, nothing is checked.
type Schema interface {
	Columns(context.Context) ([]dataset.Column, error)
}

// Run asks the queries of the period of a moment, and those of numbers for the period before too. A column that the
// dataset does not have is a *[yamlfile.Error] with its place, found before anything is asked.
func Run(ctx context.Context, spec *Spec, source Source, at time.Time) (*Report, error) {
	r := &runner{Spec: spec, source: source, now: map[string]dataset.Answer{}, earlier: map[string]dataset.Answer{}}
	r.period, r.before = spec.Period(at)
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	if err := r.ask(ctx); err != nil {
		return nil, err
	}
	report := &Report{
		Name: spec.Name, Title: spec.Title, Description: spec.Description, Language: spec.Language,
		Made: at.In(spec.Time.Zone).Truncate(time.Second), Period: r.period, Before: r.before,
	}
	for _, p := range spec.parts {
		made, err := r.part(p)
		if err != nil {
			return nil, fmt.Errorf("report %s: %s %q: %w", spec.Name, p.kind, p.title, err)
		}
		report.Parts = append(report.Parts, made)
	}
	return report, nil
}

type runner struct {
	*Spec
	source         Source
	types          map[string]dataset.Type // of columns; empty where they are not known
	period, before Period
	now, earlier   map[string]dataset.Answer // by query
}

// check looks whether the dataset has the columns.
func (r *runner) check(ctx context.Context) error {
	schema, ok := r.source.(Schema)
	if !ok {
		return nil
	}
	columns, err := schema.Columns(ctx)
	if err != nil || len(columns) == 0 {
		return err
	}
	r.types = map[string]dataset.Type{}
	var names []string
	for _, c := range columns {
		r.types[c.Name], names = c.Type, append(names, c.Name)
	}
	reader := &yamlfile.Reader{}
	for _, m := range r.columns {
		if r.types[m.column] == "" {
			reader.Fault(m.at, yamlfile.Suggest(m.column, names), "the dataset has no column %q", m.column)
		}
	}
	if err := reader.Err(); err != nil {
		return err
	}
	if is := r.types[r.Time.Column]; is != dataset.Timestamp {
		reader.Fault(r.columns[r.timeMention()].at, "take one of type timestamp", "column %q is of type %s", r.Time.Column, is)
	}
	return reader.Err()
}

func (r *runner) timeMention() int {
	return slices.IndexFunc(r.columns, func(m mention) bool { return m.column == r.Time.Column })
}

// ask asks every query that something is shown of.
func (r *runner) ask(ctx context.Context) error {
	compared := map[string]bool{}
	used := map[string]bool{}
	for _, p := range r.parts {
		used[p.query] = true
		if p.kind == number {
			compared[p.query] = true
		}
		if p.per != nil {
			used[p.per.query], compared[p.per.query] = true, true
		}
	}
	for _, name := range sortedNames(used) {
		if err := r.one(ctx, name, r.period, r.now); err != nil {
			return err
		}
		if compared[name] {
			if err := r.one(ctx, name, r.before, r.earlier); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *runner) one(ctx context.Context, name string, p Period, to map[string]dataset.Answer) error {
	q := r.queries[name].Query
	q.Where = []dataset.Condition{
		{Column: r.Time.Column, Op: dataset.GreaterEqual, Values: []any{p.From}},
		{Column: r.Time.Column, Op: dataset.Less, Values: []any{p.To}},
	}
	for _, c := range r.queries[name].Where {
		values := make([]any, len(c.Values))
		for i, v := range c.Values {
			values[i] = fit(v, r.types[c.Column], r.Time.Zone)
		}
		q.Where = append(q.Where, dataset.Condition{Column: c.Column, Op: c.Op, Values: values})
	}
	answer, err := r.source.Query(ctx, q)
	if err != nil {
		return fmt.Errorf("report %s: query %s: %w", r.Name, name, err)
	}
	to[name] = answer
	return nil
}

func (r *runner) part(p *part) (Part, error) {
	made := Part{Kind: p.kind, Title: p.title, Query: p.query, Format: p.format}
	var err error
	switch p.kind {
	case number:
		made.Figure, err = r.figure(p)
	case table:
		made.Grid, err = r.table(p)
	default:
		made.Grid, err = r.chart(p)
	}
	return made, err
}

// figure is a number with its change.
func (r *runner) figure(p *part) (*Figure, error) {
	f := &Figure{Better: p.better}
	for to, answers := range map[*Value]map[string]dataset.Answer{&f.Value: r.now, &f.Before: r.earlier} {
		value, err := single(answers[p.query], p.value)
		if err != nil {
			return nil, err
		}
		if p.per != nil {
			by, err := single(answers[p.per.query], p.per.value)
			if err != nil {
				return nil, err
			}
			value = ratio(value, by)
		}
		*to = Value{value}
	}
	now, ok := asNumber(f.Value.any)
	before, was := asNumber(f.Before.any)
	if ok && was && before != 0 {
		change := (now - before) / max(before, -before)
		f.Change = &change
	}
	return f, nil
}

// single is a value of the only row of an answer, nil where there is none.
func single(a dataset.Answer, name string) (any, error) {
	i, err := indexOf(a, name)
	if err != nil || len(a.Rows) == 0 {
		return nil, err
	}
	return a.Rows[0][i], nil
}

func ratio(value, by any) any {
	a, ok := asNumber(value)
	b, too := asNumber(by)
	if !ok || !too || b == 0 {
		return nil
	}
	return a / b
}

func indexOf(a dataset.Answer, name string) (int, error) {
	for i, c := range a.Columns {
		if c.Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the answer has no column %q", name)
}

func (r *runner) table(p *part) (*Grid, error) {
	g, a, q := &Grid{}, r.now[p.query], r.queries[p.query]
	var at []int
	for _, name := range p.columns {
		i, err := indexOf(a, name)
		if err != nil {
			return nil, err
		}
		at = append(at, i)
		head := Head{Name: name}
		if q.ops[name] != "" {
			head.format = cmp.Or(p.formats[name], p.format)
		}
		g.Columns = append(g.Columns, head)
	}
	for _, row := range a.Rows[:min(p.top, len(a.Rows))] {
		out := make([]Value, len(at))
		for i, j := range at {
			out[i] = Value{row[j]}
		}
		g.Rows = append(g.Rows, out)
	}
	g.Left = len(a.Rows) - len(g.Rows)
	return g, nil
}
