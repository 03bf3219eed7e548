package dataset_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// columns are those of the dataset that is asked.
func columns() []dataset.Column {
	return []dataset.Column{
		{Name: "at", Type: dataset.Timestamp}, {Name: "action", Type: dataset.String}, {Name: "amount", Type: dataset.Int},
		{
			Name: "price",
			Type: dataset.Float,
		}, {Name: "ok", Type: dataset.Bool}, {Name: "raw", Type: dataset.Bytes}, {Name: "id", Type: dataset.Int},
		{Name: "user", Type: dataset.String},
	}
}

func store(t testing.TB) dataset.Store {
	t.Helper()
	folder, err := dataset.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	return folder
}

var begin = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// fill writes rows of two days into folders of their hour, and gives them.
func fill(t testing.TB, d *dataset.Dataset, n int) [][]any {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var all [][]any
	rows := map[string]*dataset.Rows{}
	for i := range n {
		at := begin.Add(time.Duration(random.IntN(36*3600_000)) * time.Millisecond)
		row := []any{
			at, []string{"buy", "sell", "look", ""}[random.IntN(4)], int64(random.IntN(100) - 50), random.Float64() * 100,
			random.IntN(2) == 0, []byte{byte(random.IntN(3))}, int64(i), fmt.Sprintf("user-%d", random.IntN(n)),
		}
		for c := 1; c < len(row); c++ {
			if random.IntN(10) == 0 {
				row[c] = nil
			}
		}
		folder := dataset.TimeFolders(at.UnixMilli())
		if rows[folder] == nil {
			rows[folder] = dataset.NewRows(columns())
		}
		if err := rows[folder].Append(row...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	for folder, rows := range rows {
		if _, err := d.Write(t.Context(), folder, "rows", rows); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestQuery(t *testing.T) {
	t.Parallel()
	s := store(t)
	rows := fill(t, dataset.New(s, "data/events"), 20_000)
	d, err := dataset.Open(t.Context(), s, "data/events")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("groups and measures are what a walk over the rows gives", func(t *testing.T) {
		t.Parallel()
		answer, err := d.Query(t.Context(), dataset.Query{
			GroupBy: []dataset.Group{{Column: "action"}, {Column: "ok"}},
			Measures: []dataset.Measure{
				{Name: "n", Op: dataset.Count}, {Name: "amounts", Op: dataset.Count, Column: "amount"},
				{Name: "sum", Op: dataset.Sum, Column: "amount"}, {Name: "min", Op: dataset.Min, Column: "amount"},
				{Name: "max", Op: dataset.Max, Column: "amount"}, {Name: "least", Op: dataset.Min, Column: "user"},
			},
			Where: []dataset.Condition{
				{Column: "price", Op: dataset.GreaterEqual, Values: []any{20.0}},
				{Column: "action", Op: dataset.NotEqual, Values: []any{"look"}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		type group struct{ action, ok any }
		want := map[group][]any{}
		for _, row := range rows {
			if row[3] == nil || row[3].(float64) < 20 || row[1] == nil || row[1] == "look" {
				continue
			}
			g := group{row[1], row[4]}
			w := want[g]
			if w == nil {
				w = []any{row[1], row[4], int64(0), int64(0), nil, nil, nil, nil}
				want[g] = w
			}
			w[2] = w[2].(int64) + 1
			if v, ok := row[2].(int64); ok {
				if w[3].(int64) == 0 {
					w[4], w[5], w[6] = int64(0), v, v
				}
				w[3], w[4] = w[3].(int64)+1, w[4].(int64)+v
				w[5], w[6] = min(w[5].(int64), v), max(w[6].(int64), v)
			}
			if u, ok := row[7].(string); ok && (w[7] == nil || u < w[7].(string)) {
				w[7] = u
			}
		}
		if len(answer.Rows) != len(want) {
			t.Fatalf("%d groups, want %d", len(answer.Rows), len(want))
		}
		for _, got := range answer.Rows {
			if diff := cmp.Diff(want[group{got[0], got[1]}], got); diff != "" {
				t.Error(diff)
			}
		}
		if !slices.IsSortedFunc(answer.Rows, func(a, b []any) int { return compareText(a[0], b[0]) }) {
			t.Error("the groups are not in order")
		}
	})
	t.Run("buckets of time begin in their zone", func(t *testing.T) {
		t.Parallel()
		zone := time.FixedZone("UTC+8", 8*3600)
		answer, err := d.Query(t.Context(), dataset.Query{
			GroupBy:  []dataset.Group{{Name: "day", Column: "at", Bucket: 24 * time.Hour, Zone: zone}},
			Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{}
		for _, row := range rows {
			want[row[0].(time.Time).In(zone).Format(time.DateOnly)]++
		}
		for _, row := range answer.Rows {
			day := row[0].(time.Time)
			if day.Hour() != 0 || want[day.Format(time.DateOnly)] != row[1] {
				t.Errorf("%v has %d rows, want %d", day, row[1], want[day.Format(time.DateOnly)])
			}
		}
		if len(answer.Rows) != len(want) {
			t.Errorf("%d days, want %d", len(answer.Rows), len(want))
		}
	})
	t.Run("a folder's column is one like others, and what is in other folders is not read", func(t *testing.T) {
		t.Parallel()
		answer, err := d.Query(t.Context(), dataset.Query{
			GroupBy:  []dataset.Group{{Column: "date"}, {Column: "hour"}},
			Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}},
			Where: []dataset.Condition{
				{
					Column: "date",
					Op:     dataset.Equal,
					Values: []any{"2026-11-27"},
				}, {Column: "hour", Op: dataset.In, Values: []any{9, 10}},
			},
			OrderBy: []dataset.Order{{Name: "hour", Desc: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Rows) != 2 || answer.Rows[0][0] != "2026-11-27" || answer.Rows[0][1] != int64(10) ||
			answer.Scanned.Objects != 2 {
			t.Errorf("%v, %+v", answer.Rows, answer.Scanned)
		}
	})
	t.Run("row groups are left out by their statistics", func(t *testing.T) {
		t.Parallel()
		answer, err := d.Query(t.Context(), dataset.Query{
			Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}},
			Where:    []dataset.Condition{{Column: "at", Op: dataset.Less, Values: []any{begin.Add(time.Hour)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if answer.Scanned.RowGroups != 1 || answer.Scanned.RowGroupsSkipped < 30 {
			t.Errorf("%+v", answer.Scanned)
		}
	})
	t.Run("distinct values and quantiles are as near as is said", func(t *testing.T) {
		t.Parallel()
		answer, err := d.Query(t.Context(), dataset.Query{Measures: []dataset.Measure{
			{
				Name:   "users",
				Op:     dataset.Distinct,
				Column: "user",
			}, {Name: "median", Op: dataset.Quantile, Column: "price", Q: 0.5},
			{Name: "p99", Op: dataset.Quantile, Column: "price", Q: 0.99}, {Name: "avg", Op: dataset.Avg, Column: "price"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		users, prices, sum := map[any]bool{}, []float64{}, 0.0
		for _, row := range rows {
			if row[7] != nil {
				users[row[7]] = true
			}
			if p, ok := row[3].(float64); ok {
				prices, sum = append(prices, p), sum+p
			}
		}
		slices.Sort(prices)
		row := answer.Rows[0]
		if got := float64(row[0].(int64)); got < 0.98*float64(len(users)) || got > 1.02*float64(len(users)) {
			t.Errorf("%v users of %d", got, len(users))
		}
		for i, q := range []float64{0.5, 0.99} {
			at, _ := slices.BinarySearch(prices, row[i+1].(float64))
			if rank := float64(at) / float64(len(prices)); rank < q-0.01 || rank > q+0.01 {
				t.Errorf("quantile %v has rank %v", q, rank)
			}
		}
		if want := sum / float64(len(prices)); row[3].(float64) < want*0.999999 || row[3].(float64) > want*1.000001 {
			t.Errorf("average %v, want %v", row[3], want)
		}
	})
	t.Run("the largest come first, and only so many", func(t *testing.T) {
		t.Parallel()
		answer, err := d.Query(t.Context(), dataset.Query{
			GroupBy: []dataset.Group{{Column: "user"}}, Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}},
			OrderBy: []dataset.Order{{Name: "n", Desc: true}}, Limit: 3,
		})
		if err != nil || len(answer.Rows) != 3 || answer.Rows[0][1].(int64) < answer.Rows[2][1].(int64) {
			t.Errorf("%v, %v", answer.Rows, err)
		}
	})
	t.Run("what makes no sense is said", func(t *testing.T) {
		t.Parallel()
		count := []dataset.Measure{{Name: "n", Op: dataset.Count}}
		for name, q := range map[string]dataset.Query{
			"no measure":      {},
			"unknown column":  {Measures: count, GroupBy: []dataset.Group{{Column: "nobody"}}},
			"sum of text":     {Measures: []dataset.Measure{{Name: "n", Op: dataset.Sum, Column: "user"}}},
			"bucket of text":  {Measures: count, GroupBy: []dataset.Group{{Column: "user", Bucket: time.Hour}}},
			"wrong value":     {Measures: count, Where: []dataset.Condition{{Column: "amount", Op: dataset.Equal, Values: []any{"much"}}}},
			"wrong operator":  {Measures: count, Where: []dataset.Condition{{Column: "amount", Op: "like", Values: []any{"1"}}}},
			"order by nobody": {Measures: count, OrderBy: []dataset.Order{{Name: "nobody"}}},
		} {
			if _, err := d.Query(t.Context(), q); !errors.Is(err, dataset.ErrQuery) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("more groups than there may be are an error, not memory", func(t *testing.T) {
		t.Parallel()
		small := dataset.New(s, "data/events")
		small.Limits.Groups = 100
		q := dataset.Query{
			Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}},
			GroupBy:  []dataset.Group{{Column: "user"}},
		}
		if _, err := small.Query(t.Context(), q); !errors.Is(err, dataset.ErrLimit) {
			t.Error(err)
		}
	})
	t.Run("a folder without objects is no dataset", func(t *testing.T) {
		t.Parallel()
		if _, err := dataset.Open(t.Context(), s, "data/other"); !errors.Is(err, dataset.ErrEmpty) {
			t.Error(err)
		}
	})
}

func compareText(a, b any) int {
	x, _ := a.(string)
	y, _ := b.(string)
	if x < y {
		return -1
	} else if x > y {
		return 1
	}
	return 0
}
