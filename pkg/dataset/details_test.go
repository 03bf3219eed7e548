package dataset_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
)

func count(t *testing.T, d *dataset.Dataset, where ...dataset.Condition) int64 {
	t.Helper()
	answer, err := d.Query(
		t.Context(),
		dataset.Query{Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}}, Where: where},
	)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Rows[0][0].(int64)
}

func write(t *testing.T, d *dataset.Dataset, folder, name string, columns []dataset.Column, rows ...[]any) {
	t.Helper()
	r := dataset.NewRows(columns)
	for _, row := range rows {
		if err := r.Append(row...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Write(t.Context(), folder, name, r); err != nil {
		t.Fatal(err)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	d := dataset.New(store(t), "x")
	long := strings.Repeat("z", 100) // longer than what an index of Parquet keeps
	columns := []dataset.Column{
		{Name: "text", Type: dataset.String},
		{Name: "n", Type: dataset.Int},
		{Name: "f", Type: dataset.Float},
	}
	write(t, d, "", "a", columns, []any{long + "1", 1, 1.5}, []any{long + "2", 2, nil}, []any{nil, nil, -0.5})
	where := func(column string, op dataset.Compare, values ...any) dataset.Condition {
		return dataset.Condition{Column: column, Op: op, Values: values}
	}
	for _, c := range []struct {
		where dataset.Condition
		want  int64
	}{
		{where("text", dataset.Equal, long+"2"), 1}, {where("text", dataset.Greater, long+"1"), 1}, {where("text", dataset.Greater, long+"2"), 0},
		{where("text", dataset.IsNull), 1}, {where("text", dataset.NotNull), 2}, {where("text", dataset.In, long+"1", long+"2", "x"), 2},
		{where("text", dataset.In), 0}, {where("n", dataset.NotEqual, 1), 1}, {where("n", dataset.LessEqual, 1.0), 1}, {where("n", dataset.Equal, "2"), 1},
		{where("n", dataset.In, 1, 5), 1}, {where("n", dataset.Less, 1), 0}, {where("f", dataset.Less, 0), 1}, {where("f", dataset.GreaterEqual, 1.5), 1},
	} {
		t.Run(
			fmt.Sprintf("%.12s %s %.20v", c.where.Column, c.where.Op, c.where.Values)+" leaves the rows that meet it",
			func(t *testing.T) {
				t.Parallel()
				if got := count(t, d, c.where); got != c.want {
					t.Errorf("%d rows, want %d", got, c.want)
				}
			},
		)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	columns := []dataset.Column{{Name: "region", Type: dataset.String}, {Name: "n", Type: dataset.Int}}
	t.Run("a value comes back from the name of its folder as it was", func(t *testing.T) {
		t.Parallel()
		d := dataset.New(store(t), "x")
		values := []string{"eu/west", "a=b", "..", ".", "", "100%", "华南", "a b", "%2F", "__HIVE"}
		for i, v := range values {
			write(
				t,
				d,
				dataset.TimeFolders(begin.UnixMilli())+dataset.ValueFolder("region", []byte(v), true),
				"o",
				columns,
				[]any{v, i},
			)
		}
		write(
			t,
			d,
			dataset.TimeFolders(begin.UnixMilli())+dataset.ValueFolder("region", nil, false),
			"o",
			columns,
			[]any{nil, 99},
		)
		for i, v := range values {
			if v == "" {
				continue
			}
			answer, err := d.Query(t.Context(), dataset.Query{
				Measures: []dataset.Measure{{Name: "n", Op: dataset.Sum, Column: "n"}},
				Where:    []dataset.Condition{{Column: "region", Op: dataset.Equal, Values: []any{v}}},
			})
			if err != nil || answer.Rows[0][0] != int64(i) || answer.Scanned.Objects != 1 {
				t.Errorf("%q: %+v, %v", v, answer, err)
			}
		}
		if got := count(t, d, dataset.Condition{Column: "region", Op: dataset.IsNull}); got != 1 {
			t.Errorf("%d rows of no region", got)
		}
	})
	t.Run("what begins with a line or a dot is no data", func(t *testing.T) {
		t.Parallel()
		s := store(t)
		d := dataset.New(s, "x")
		write(t, d, "date=2026-11-27/", "o", columns, []any{"a", 1})
		for _, key := range []string{"x/_load/a.parquet", "x/date=2026-11-27/.hidden.parquet", "x/date=2026-11-27/_o.parquet", "x/date=2026-11-27/o.txt"} {
			if _, err := s.Put(t.Context(), key, strings.NewReader("none"), cos.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := count(t, d); got != 1 {
			t.Errorf("%d rows", got)
		}
	})
}

func TestBucketsWhereTheClockIsMoved(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this machine knows no time zones: ", err)
	}
	d := dataset.New(store(t), "x")
	columns := []dataset.Column{{Name: "at", Type: dataset.Timestamp}}
	var rows [][]any
	want := map[string]int64{}
	for at := time.Date(2026, 3, 28, 0, 0, 0, 0, zone); at.Before(time.Date(2026, 3, 31, 0, 0, 0, 0, zone)); at = at.Add(30 * time.Minute) {
		rows = append(rows, []any{at})
		want[at.Format(time.DateOnly)]++
	}
	write(t, d, "", "o", columns, rows...)
	answer, err := d.Query(t.Context(), dataset.Query{
		GroupBy:  []dataset.Group{{Name: "day", Column: "at", Bucket: 24 * time.Hour, Zone: zone}},
		Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, row := range answer.Rows {
		day := row[0].(time.Time)
		if day.Hour() != 0 {
			t.Errorf("a day begins at %v", day)
		}
		got[day.Format(time.DateOnly)] = row[1].(int64)
	}
	if diff := cmp.Diff(want, got); diff != "" || want["2026-03-29"] != 46 {
		t.Error(diff)
	}
}

func TestColumnsThatOnlySomeObjectsHave(t *testing.T) {
	t.Parallel()
	d := dataset.New(store(t), "x")
	write(t, d, "", "a", []dataset.Column{{Name: "n", Type: dataset.Int}}, []any{1}, []any{2})
	write(
		t,
		d,
		"",
		"b",
		[]dataset.Column{{Name: "n", Type: dataset.Int}, {Name: "new", Type: dataset.String}},
		[]any{3, "x"},
	)
	answer, err := d.Query(t.Context(), dataset.Query{
		GroupBy: []dataset.Group{{Column: "new"}}, Measures: []dataset.Measure{{Name: "sum", Op: dataset.Sum, Column: "n"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{nil, int64(3)}, {"x", int64(3)}}, answer.Rows); diff != "" {
		t.Error(diff)
	}
	var rows int
	err = d.Scan(
		t.Context(),
		dataset.Selection{
			Columns: []string{"new", "n"},
			Where:   []dataset.Condition{{Column: "n", Op: dataset.Greater, Values: []any{1}}},
		},
		func(r *dataset.Rows) error {
			for i := range r.Len() {
				rows++
				if r.Value(i, 1).(int64) < 2 {
					t.Errorf("%v", r.Value(i, 1))
				}
			}
			return nil
		},
	)
	if err != nil || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
	write(t, d, "", "c", []dataset.Column{{Name: "n", Type: dataset.String}}, []any{"text"})
	if _, err := d.Query(t.Context(), dataset.Query{Measures: []dataset.Measure{{Name: "m", Op: dataset.Max, Column: "n"}}}); !errors.Is(
		err,
		dataset.ErrQuery,
	) {
		t.Errorf("a column of two types: %v", err)
	}
}

func TestSums(t *testing.T) {
	t.Parallel()
	d := dataset.New(store(t), "x")
	columns := []dataset.Column{{Name: "n", Type: dataset.Int}, {Name: "k", Type: dataset.Int}}
	write(t, d, "", "a", columns, []any{int64(1) << 62, 1}, []any{int64(1) << 62, 1}, []any{5, 2})
	sum := []dataset.Measure{{Name: "s", Op: dataset.Sum, Column: "n"}}
	t.Run("one that overflows is an error, with groups and without", func(t *testing.T) {
		t.Parallel()
		for _, groups := range [][]dataset.Group{nil, {{Column: "k"}}} {
			if _, err := d.Query(t.Context(), dataset.Query{Measures: sum, GroupBy: groups}); !errors.Is(err, dataset.ErrQuery) {
				t.Error(err)
			}
		}
	})
	t.Run("of no rows it is nothing, and a count is 0", func(t *testing.T) {
		t.Parallel()
		answer, err := d.Query(t.Context(), dataset.Query{
			Measures: append(
				sum[:1:1],
				dataset.Measure{Name: "n", Op: dataset.Count},
			), Where: []dataset.Condition{{Column: "k", Op: dataset.Equal, Values: []any{3}}},
		})
		if err != nil || len(answer.Rows) != 1 || answer.Rows[0][0] != nil || answer.Rows[0][1] != int64(0) {
			t.Errorf("%v, %v", answer.Rows, err)
		}
	})
}

func TestTheSameRowsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 3 {
		rows := dataset.NewRows(columns())
		for i := range 5000 {
			if err := rows.Append(begin.Add(time.Duration(i)*time.Second), fmt.Sprint(i%7), int64(i), float64(i), i%2 == 0, nil, int64(i), fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if err := dataset.Encode(&out, rows, nil); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out.Bytes()
		}
		if !bytes.Equal(first, out.Bytes()) {
			t.Fatal("another object of the same rows")
		}
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	s := store(t)
	t.Run("an object is created once, and read in parts", func(t *testing.T) {
		if _, err := s.Put(t.Context(), "a/b", strings.NewReader("hello"), cos.PutOptions{IfAbsent: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), "a/b", strings.NewReader("other"), cos.PutOptions{IfAbsent: true}); !errors.Is(
			err,
			cos.ErrExists,
		) {
			t.Error(err)
		}
		body, o, err := s.GetRange(t.Context(), "a/b", 1, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		if text, _ := io.ReadAll(body); string(text) != "ell" || o.Size != 5 {
			t.Errorf("%q, %+v", text, o)
		}
		if _, _, err := s.GetRange(t.Context(), "a/c", 0, 1); !errors.Is(err, cos.ErrNotFound) {
			t.Error(err)
		}
	})
	t.Run("nothing outside of it is written", func(t *testing.T) {
		for _, key := range []string{"../x", "a/../../x", "/x/../../y"} {
			if _, err := s.Put(t.Context(), key, strings.NewReader("x"), cos.PutOptions{}); err == nil {
				t.Errorf("%s is written", key)
			}
		}
	})
}
