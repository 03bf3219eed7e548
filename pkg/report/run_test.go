package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/report"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// things are rows of one day, each with a path, a size, or what else is given.
func things(n int, row func(i int) map[string]any) *rows {
	r := &rows{columns: []dataset.Column{
		{Name: "time", Type: dataset.Timestamp}, {Name: "path", Type: dataset.String}, {Name: "size", Type: dataset.Int},
		{Name: "status", Type: dataset.String},
	}}
	for i := range n {
		one := row(i)
		if one["time"] == nil {
			one["time"] = time.Date(2026, 11, 25, i%24, 0, 0, 0, time.UTC)
		}
		r.rows = append(r.rows, one)
	}
	return r
}

// shows is a file with one part.
func shows(part string) string {
	return `version: 1
name: small
time: {column: time, range: yesterday}
queries:
  total: {measures: [{name: rows, op: count}, {name: bytes, op: sum, column: size}]}
  paths: {measures: [{name: rows, op: count}, {name: bytes, op: sum, column: size}, {name: mean, op: avg, column: size}], group_by: [path]}
  hours: {measures: [{name: rows, op: count}, {name: mean, op: avg, column: size}], group_by: [{name: hour, column: time, bucket: 6h}]}
  both: {measures: [{name: rows, op: count}], group_by: [{name: hour, column: time, bucket: 12h}, path]}
show:
- ` + part + "\n"
}

// shown is the JSON of the only part.
func shown(t *testing.T, part string, source report.Source) map[string]any {
	t.Helper()
	text, err := run(t, shows(part), source).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Parts []map[string]any }
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out.Parts[0]
}

func wantJSON(t *testing.T, got any, want string) {
	t.Helper()
	var wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(wanted, got); difference != "" {
		t.Errorf("want -, got +:\n%s", difference)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	day := func(i int) map[string]any {
		at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		if i < 15 {
			at = at.AddDate(0, 0, 1)
		}
		return map[string]any{"time": at, "size": int64(10)}
	}

	t.Run("it has the value before and the change, of the period before", func(t *testing.T) {
		t.Parallel()
		got := shown(t, "number: {query: total, value: rows}", things(25, day))
		wantJSON(t, []any{got["value"], got["before"], got["change"]}, `[15, 10, 0.5]`)
	})
	t.Run("it is divided by another one", func(t *testing.T) {
		t.Parallel()
		got := shown(t, "number: {query: total, value: bytes, per: {query: total, value: rows}}", things(25, day))
		wantJSON(t, []any{got["value"], got["before"], got["change"]}, `[10, 10, 0]`)
	})
	t.Run("nothing before is no change", func(t *testing.T) {
		t.Parallel()
		got := shown(t, "number: {query: total, value: bytes}", things(3, day))
		wantJSON(t, []any{got["value"], got["before"], got["change"]}, `[30, null, null]`)
	})
	t.Run("no rows are 0 rows, and no sum", func(t *testing.T) {
		t.Parallel()
		got := shown(t, "number: {query: total, value: bytes}", things(0, day))
		wantJSON(t, []any{got["value"], got["before"], got["change"]}, `[null, null, null]`)
	})
}

func TestGroups(t *testing.T) {
	t.Parallel()

	t.Run("of 10,000 groups the largest are shown, and the others as one", func(t *testing.T) {
		t.Parallel()
		source := things(10_000+45, func(i int) map[string]any {
			path := fmt.Sprintf("p%05d", i)
			if i >= 10_000 { // p00000 to p00008 have more, in falling numbers
				k := i - 10_000
				for n := 9; n > 0 && k >= n; n-- {
					k -= n
				}
				path = fmt.Sprintf("p%05d", k)
			}
			return map[string]any{"path": path, "size": int64(2)}
		})
		got := shown(t, "bar: {query: paths, x: path, y: [rows, bytes], top: 3}", source)
		wantJSON(t, got["rows"], `[["p00000", 10, 20], ["p00001", 9, 18], ["p00002", 8, 16]]`)
		wantJSON(t, got["others"], `{"groups": 9997, "values": [10018, 20036]}`)
	})
	t.Run("averages of others are not put together: they are left out, and how many", func(t *testing.T) {
		t.Parallel()
		source := things(10, func(i int) map[string]any {
			return map[string]any{"path": fmt.Sprint("p", i), "size": int64(i)}
		})
		got := shown(t, "bar: {query: paths, x: path, y: mean, top: 2}", source)
		wantJSON(t, []any{got["rows"], got["others"], got["left_out"]}, `[[["p9", 9], ["p8", 8]], null, 8]`)
	})
	t.Run("hours without rows are 0 rows, and a gap in an average", func(t *testing.T) {
		t.Parallel()
		source := things(2, func(i int) map[string]any {
			return map[string]any{"time": time.Date(2026, 11, 25, 7+12*i, 1, 0, 0, time.UTC), "size": int64(4)}
		})
		got := shown(t, "line: {query: hours, x: hour, y: [rows, mean]}", source)
		wantJSON(t, got["rows"], `[["2026-11-25T00:00:00Z", 0, null], ["2026-11-25T06:00:00Z", 1, 4],
			["2026-11-25T12:00:00Z", 0, null], ["2026-11-25T18:00:00Z", 1, 4]]`)
	})
	t.Run("the largest series are shown, in their order, and the others as one", func(t *testing.T) {
		t.Parallel()
		source := things(24*4, func(i int) map[string]any {
			paths := []any{"a", "b", "b", "c", "d", "d", "d", nil}
			return map[string]any{"path": paths[i%8]}
		})
		got := shown(t, "stacked: {query: both, x: hour, y: rows, series: path, top: 2}", source)
		wantJSON(t, got["columns"], `[{"name": "hour"}, {"name": "b"}, {"name": "d"}, {"name": "", "others": 3}]`)
		wantJSON(t, got["rows"], `[["2026-11-25T00:00:00Z", 16, 12, 20], ["2026-11-25T12:00:00Z", 8, 24, 16]]`)
	})
	t.Run("a group without a value is one of its own", func(t *testing.T) {
		t.Parallel()
		source := things(3, func(i int) map[string]any { return map[string]any{"path": []any{nil, "", "a"}[i]} })
		got := shown(t, "bar: {query: paths, x: path, y: rows}", source)
		if rows, ok := got["rows"].([]any); !ok || len(rows) != 3 {
			t.Errorf("got %v", got["rows"])
		}
	})
	t.Run("a table shows its first rows, and says how many there are besides", func(t *testing.T) {
		t.Parallel()
		source := things(5, func(i int) map[string]any { return map[string]any{"path": fmt.Sprint(i)} })
		got := shown(t, "table: {query: paths, columns: [rows, path], top: 2}", source)
		wantJSON(t, []any{got["rows"], got["left_out"]}, `[[[1, "0"], [1, "1"]], 3]`)
	})
	t.Run("sums beyond 64 bits become floats", func(t *testing.T) {
		t.Parallel()
		source := things(4, func(i int) map[string]any {
			return map[string]any{"path": fmt.Sprint(i), "size": int64(1 << 62)}
		})
		got := shown(t, "bar: {query: paths, x: path, y: bytes, top: 1}", source)
		wantJSON(t, got["others"], `{"groups": 3, "values": [13835058055282163712]}`)
	})
}

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("a column that the dataset does not have is named with its place, before anything is asked", func(t *testing.T) {
		t.Parallel()
		source := web()
		text := strings.NewReplacer("column: size}", "column: sizes}", "[path]", "[paht]").Replace(shows("number: {query: total, value: rows}"))
		_, err := report.Run(t.Context(), load(t, text), source, moment())
		var faults *yamlfile.Error
		if !errors.As(err, &faults) || len(faults.Faults) != 5 ||
			!strings.Contains(err.Error(), `report.yaml:5:78: the dataset has no column "sizes": did you mean "size"?`) ||
			!strings.Contains(err.Error(), `the dataset has no column "paht": did you mean "path"?`) || len(source.asked) > 0 {
			t.Errorf("got %v, and %d queries", err, len(source.asked))
		}
	})
	t.Run("the column of time has to be one of times", func(t *testing.T) {
		t.Parallel()
		_, err := report.Run(t.Context(), load(t, strings.Replace(small, "column: time", "column: path", 1)), web(), moment())
		if err == nil || !strings.Contains(err.Error(), `report.yaml:3:16: column "path" is of type string: take one of type timestamp`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("queries are asked once, of the period in the zone, and those of numbers of the one before", func(t *testing.T) {
		t.Parallel()
		source := web()
		run(t, strings.Replace(small, "yesterday", "yesterday, zone: Asia/Shanghai", 1), source)
		var got []string
		for _, q := range source.asked {
			from, to := q.Where[0].Values[0].(time.Time), q.Where[1].Values[0].(time.Time)
			got = append(got, fmt.Sprintln(len(q.GroupBy), from.UTC().Format(time.DateTime), to.UTC().Format(time.DateTime)))
		}
		want := []string{
			"1 2026-11-25 16:00:00 2026-11-26 16:00:00\n", "0 2026-11-25 16:00:00 2026-11-26 16:00:00\n",
			"0 2026-11-24 16:00:00 2026-11-25 16:00:00\n",
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Error(difference)
		}
	})
	t.Run("values of conditions are of the column's type", func(t *testing.T) {
		t.Parallel()
		source := things(0, nil)
		text := strings.Replace(small, "queries:", "where: [{column: status, value: 404}, {column: time, op: '>', value: 2026-01-02}]\nqueries:", 1)
		run(t, text, source)
		status, at := source.asked[0].Where[2].Values[0], source.asked[0].Where[3].Values[0]
		if status != "404" || at != time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) {
			t.Errorf("got %#v and %#v", status, at)
		}
	})
	t.Run("a chart with more buckets than can be seen is refused", func(t *testing.T) {
		t.Parallel()
		text := strings.Replace(shows("line: {query: hours, x: hour, y: rows}"), "bucket: 6h", "bucket: 5s", 1)
		_, err := report.Run(t.Context(), load(t, text), things(0, nil), moment())
		if err == nil || !strings.Contains(err.Error(), "17280 buckets of 5s, more than 1500: take a longer one") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an error of the dataset is that of the report, with the query", func(t *testing.T) {
		t.Parallel()
		source := web()
		source.err = context.DeadlineExceeded
		_, err := report.Run(t.Context(), load(t, small), source, moment())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "report small: query paths") {
			t.Errorf("got %v", err)
		}
	})
}
