package report_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/report"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// small is the least that a file can be, to be changed.
const small = `version: 1
name: small
time: {column: time, range: yesterday}
queries:
  total:
    measures: [{name: rows, op: count}]
  paths:
    measures: [{name: rows, op: count}, {name: mean, op: avg, column: size}]
    group_by: [path]
show:
- number: {query: total, value: rows}
- bar: {query: paths, x: path, y: rows}
`

func TestLoad(t *testing.T) {
	t.Parallel()

	t.Run("the file with every kind of part is taken", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("testdata/report.yaml")
		if err != nil {
			t.Fatal(err)
		}
		load(t, string(text))
	})

	for _, c := range []struct{ name, old, with, want string }{
		{"a key that is misspelt", "name: small", "nmae: small", `report.yaml:2:1: the file has no setting "nmae": did you mean "name"?`},
		{"a part that there is not", "- bar:", "- bars:", `report.yaml:12:3: a part of show has no setting "bars": did you mean "bar"?`},
		{"a misspelt key of a chart", "y: rows}", "y: rows, tops: 3}", `report.yaml:12:41: bar has no setting "tops": did you mean "top"?`},
		{"a query that there is not", "query: total", "query: totel", `report.yaml:11:19: a part shows one of the queries, and "totel" is none: did you mean "total"?`},
		{"a measure that there is not", "value: rows", "value: row", `report.yaml:11:33: this is about a measure of the query, and "row" is none: did you mean "rows"?`},
		{"a group that there is not", "x: path", "x: pahts", `report.yaml:12:26: x is a group of the query, and "pahts" is none: did you mean "path"?`},
		{"another version", "version: 1", "version: 2", "report.yaml:1:10: this program reads version 1 of the format only: write 1"},
		{"a name that is no address", "name: small", "name: a/b", "report.yaml:2:7: name has to be 1 to 63 small letters"},
		{"a range that is none", "yesterday", "tomorrow", `report.yaml:3:29: range "tomorrow" is no period: write one of: this hour`},
		{"a range that ends before it begins", "yesterday", "{from: 2026-02-01, to: 2026-01-01}", "report.yaml:3:29: the range ends before it begins"},
		{"a range with no moments", "yesterday", "{from: soon, to: 2026-01-01}", "report.yaml:3:36: from is no moment"},
		{"a zone that is none", "yesterday}", "yesterday, zone: Mars/Base}", `report.yaml:3:46: there is no time zone "Mars/Base"`},
		{"the zone of the machine", "yesterday}", "yesterday, zone: Local}", `there is no time zone "Local"`},
		{"an op that is none", "op: count}]", "op: cuont}]", `report.yaml:6:33: op "cuont" is not one of`},
		{"a sum of nothing", "op: avg, column: size", "op: avg", "report.yaml:8:41: avg is of a column: add column:"},
		{"a quantile without q", "op: avg", "op: quantile", `quantile needs the setting "q"`},
		{"a share above 1", "op: avg", "q: 99, op: quantile", "q has to be a number from 0 to 1"},
		{"two columns of a name", "name: mean", "name: rows", `two columns of the answer are called "rows"`},
		{"a number of groups", "query: total, value", "query: paths, value", "report.yaml:11:11: a number is of a query with one row"},
		{"a chart of one row", "query: paths, x", "query: total, x", "report.yaml:12:8: a chart is of a query with groups"},
		{"a group that has no place", "[path]", "[path, status]", "the chart shows 1 of the 2 groups of the query"},
		{"a pie of two measures", "- bar: {query: paths, x: path, y: rows}", "- pie: {query: paths, x: path, y: [rows, mean]}", "a pie is of one measure"},
		{"a bucket that is none", "[path]", "[{column: path, bucket: 1 hour}]", "a bucket has to be whole seconds, minutes, hours or days"},
		{"an order that is none", "[path]", "[path]\n    order_by: [row]", `a query is ordered by a column of its answer, and "row" is none: did you mean "rows"?`},
		{"a condition without a value", "[path]", "[path]\n    where: [{column: a}]", `"=" compares with one value`},
		{"a condition with too many", "[path]", "[path]\n    where: [{column: a, op: 'null', value: 1}]", `"null" compares with nothing`},
		{"two queries of a name", "  paths:", "  total:\n    measures: [{op: count}]\n  paths:", `two queries are called "total"`},
		{"top that is no number", "y: rows}", "y: rows, top: many}", "report.yaml:12:46: top has to be a whole number from 1 to 1000"},
		{"a list for a text", "name: small", "name: [a]", "report.yaml:2:7: name has to be one text"},
		{"two things in one", "- bar:", "- table: {query: total}\n  bar:", "a part of show is one thing"},
	} {
		t.Run("refused with its place: "+c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(small, c.old, c.with, 1)
			if text == small {
				t.Fatalf("%q is not in the file", c.old)
			}
			_, err := report.Load("report.yaml", []byte(text))
			var faults *yamlfile.Error
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}

	t.Run("all mistakes are named at once, in the order of the file", func(t *testing.T) {
		t.Parallel()
		text := strings.NewReplacer("version: 1", "version: 9", "x: path", "x: p", "yesterday", "never").Replace(small)
		_, err := report.Load("report.yaml", []byte(text))
		var faults *yamlfile.Error
		if !errors.As(err, &faults) || len(faults.Faults) != 3 {
			t.Fatalf("got %v", err)
		}
		for i, line := range []int{1, 3, 12} {
			if faults.Faults[i].Pos.Line != line {
				t.Errorf("fault %d is in line %d, want %d", i, faults.Faults[i].Pos.Line, line)
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	text, err := os.ReadFile("testdata/report.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(small))
	f.Add([]byte("show: [{}]"))
	f.Add([]byte("queries: {a: {measures: {}}}\nshow: [table: {query: a, formats: {b: c}}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		spec, err := report.Load("f", content)
		if err != nil {
			return
		}
		period, before := spec.Period(moment())
		if !period.From.Before(period.To) || !before.From.Before(before.To) || !before.To.Equal(period.From) || period.Label == "" {
			t.Errorf("%v after %v", period, before)
		}
	})
}
