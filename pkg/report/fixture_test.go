package report_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/report"
)

// rows are a dataset in memory: by column. It answers what the tests ask, exactly.
type rows struct {
	columns []dataset.Column
	rows    []map[string]any
	asked   []dataset.Query
	err     error
}

func (r *rows) Columns(context.Context) ([]dataset.Column, error) { return r.columns, nil }

func (r *rows) Query(_ context.Context, q dataset.Query) (a dataset.Answer, err error) {
	r.asked = append(r.asked, q)
	if r.err != nil {
		return a, r.err
	}
	groups := map[string][]map[string]any{}
	keys := map[string][]any{}
	var order []string
	for _, row := range r.rows {
		if !meets(row, q.Where) {
			continue
		}
		var values []any
		for _, g := range q.GroupBy {
			v := row[g.Column]
			if at, ok := v.(time.Time); ok && g.Bucket > 0 {
				at = at.In(g.Zone)
				_, offset := at.Zone()
				local := at.Add(time.Duration(offset) * time.Second)
				v = at.Add(-local.Sub(local.Truncate(g.Bucket)))
			}
			values = append(values, v)
		}
		key := fmt.Sprintf("%#v", values)
		if _, ok := groups[key]; !ok {
			order = append(order, key)
			keys[key] = values
		}
		groups[key] = append(groups[key], row)
	}
	if len(q.GroupBy) == 0 && len(order) == 0 {
		order = []string{""}
	}
	for _, g := range q.GroupBy {
		a.Columns = append(a.Columns, dataset.Column{Name: g.Name})
	}
	for _, m := range q.Measures {
		a.Columns = append(a.Columns, dataset.Column{Name: m.Name})
	}
	for _, key := range order {
		row := slices.Clone(keys[key])
		for _, m := range q.Measures {
			row = append(row, measure(m, groups[key]))
		}
		a.Rows = append(a.Rows, row)
	}
	slices.SortStableFunc(a.Rows, func(x, y []any) int {
		for _, o := range q.OrderBy {
			i := slices.IndexFunc(a.Columns, func(c dataset.Column) bool { return c.Name == o.Name })
			if c := compare(x[i], y[i]); c != 0 {
				if o.Desc {
					return -c
				}
				return c
			}
		}
		for i := range q.GroupBy {
			if c := compare(x[i], y[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	if q.Limit > 0 {
		a.Rows = a.Rows[:min(q.Limit, len(a.Rows))]
	}
	return a, nil
}

func measure(m dataset.Measure, of []map[string]any) any {
	switch m.Op {
	case dataset.Count:
		return int64(len(of))
	case dataset.Sum, dataset.Max, dataset.Avg:
		var sum, largest, n int64
		for _, row := range of {
			if v, ok := row[m.Column].(int64); ok {
				sum, largest, n = sum+v, max(largest, v), n+1
			} else if v, ok := row[m.Column].(float64); ok {
				return v
			}
		}
		switch {
		case n == 0:
			return nil
		case m.Op == dataset.Sum:
			return sum
		case m.Op == dataset.Max:
			return largest
		}
		return float64(sum) / float64(n)
	}
	panic(m.Op)
}

func meets(row map[string]any, where []dataset.Condition) bool {
	for _, c := range where {
		v := row[c.Column]
		if v == nil {
			return false
		}
		by := compare(v, c.Values[0])
		ok := map[dataset.Compare]bool{
			dataset.Equal: by == 0, dataset.NotEqual: by != 0, dataset.Less: by < 0, dataset.GreaterEqual: by >= 0,
		}[c.Op]
		if !ok {
			return false
		}
	}
	return true
}

func compare(a, b any) int {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y)
		}
	case float64:
		if y, ok := b.(float64); ok {
			return cmp.Compare(x, y)
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y)
		}
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// moment is when reports of tests are made: just after the day that they are about.
func moment() time.Time { return time.Date(2026, 11, 26, 17, 5, 0, 0, time.UTC) }

// web is two days of the log of a web server.
func web() *rows {
	r := &rows{columns: []dataset.Column{
		{Name: "time", Type: dataset.Timestamp}, {Name: "status", Type: dataset.Int}, {Name: "path", Type: dataset.String},
		{Name: "size", Type: dataset.Int}, {Name: "client", Type: dataset.String},
	}}
	random := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
	statuses := []int64{200, 200, 200, 200, 200, 200, 200, 301, 304, 304, 404, 404, 500, 503}
	for i := range 4000 {
		hour := random.IntN(48)
		if hour%24 < 7 && random.IntN(3) > 0 {
			hour += 10
		}
		at := begin.Add(time.Duration(hour)*time.Hour + time.Duration(random.IntN(3600))*time.Second)
		path := fmt.Sprintf("/api/v1/things/%d", int(random.ExpFloat64()*6))
		if i%9 == 0 {
			path = "/产品/列表"
		}
		r.rows = append(r.rows, map[string]any{
			"time": at, "status": statuses[random.IntN(len(statuses))], "path": path, "size": int64(random.IntN(50_000)),
			"client": fmt.Sprintf("10.0.%d.0", int(random.ExpFloat64()*5)),
		})
	}
	return r
}

func load(t testing.TB, text string) *report.Spec {
	t.Helper()
	spec, err := report.Load("report.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func run(t testing.TB, text string, source report.Source) *report.Report {
	t.Helper()
	made, err := report.Run(t.Context(), load(t, text), source, moment())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func html(t testing.TB, r *report.Report) string {
	t.Helper()
	text, err := r.HTML(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
