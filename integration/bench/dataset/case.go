package main

import (
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// The cases.
const (
	caseLoad = "load"

	loadRows = 2_000_000
	scanRows = 10_000_000 // of 10 columns
)

// question is one that both engines answer over the same objects.
type question struct {
	name  string
	sql   string // over rows; the order of its columns is that of the query
	query dataset.Query
	cells int // that are read of each row
}

func questions() []question {
	group := func(columns ...string) (groups []dataset.Group) {
		for _, c := range columns {
			groups = append(groups, dataset.Group{Column: c})
		}
		return groups
	}
	return []question{
		{
			name: "scan: all of 100 M cells, by two columns", cells: 10,
			sql: "select action, region, count(*), sum(amount), min(id), max(id), avg(price), sum(tax), max(score), sum(status), " +
				"count(ok), epoch_ms(min(\"at\")) from rows group by action, region order by action, region",
			query: dataset.Query{GroupBy: group("action", "region"), Measures: []dataset.Measure{
				{
					Name: "n",
					Op:   dataset.Count,
				}, {Name: "amount", Op: dataset.Sum, Column: "amount"}, {Name: "first", Op: dataset.Min, Column: "id"},
				{Name: "last", Op: dataset.Max, Column: "id"}, {Name: "price", Op: dataset.Avg, Column: "price"},
				{Name: "tax", Op: dataset.Sum, Column: "tax"}, {Name: "score", Op: dataset.Max, Column: "score"},
				{Name: "status", Op: dataset.Sum, Column: "status"}, {Name: "ok", Op: dataset.Count, Column: "ok"},
				{Name: "begin", Op: dataset.Min, Column: "at"},
			}},
		},
		{
			name: "scan: by action", cells: 2,
			sql: "select action, count(*), sum(amount) from rows group by action order by action",
			query: dataset.Query{GroupBy: group("action"), Measures: []dataset.Measure{
				{Name: "n", Op: dataset.Count}, {Name: "amount", Op: dataset.Sum, Column: "amount"},
			}},
		},
		{
			name: "scan: by hour, where status is 500", cells: 3,
			sql: "select epoch_ms(\"at\") // 3600000 * 3600000, count(*), avg(price) from rows where status = 500 group by 1 order by 1",
			query: dataset.Query{
				GroupBy:  []dataset.Group{{Name: "hour", Column: "at", Bucket: time.Hour}},
				Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}, {Name: "price", Op: dataset.Avg, Column: "price"}},
				Where:    []dataset.Condition{{Column: "status", Op: dataset.Equal, Values: []any{500}}},
			},
		},
	}
}
