package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
)

const (
	maxPoints     = 1500 // of a line: more than a screen has columns of
	maxCategories = 60   // of a chart with series
)

// chart makes the grid of a chart: a row for each x, a column for each series.
func (r *runner) chart(p *part) (*Grid, error) {
	q, a := r.queries[p.query], r.now[p.query]
	c := &pivot{part: p, query: q, rows: map[any]int{}, columns: map[any]int{}}
	x, err := indexOf(a, p.x)
	if err != nil {
		return nil, err
	}
	if err := r.places(c, a, x); err != nil {
		return nil, err
	}
	if p.series != "" {
		return c.bySeries(a, x)
	}
	return c.byMeasure(a, x)
}

// places are those that a chart of time has, whether there are rows or not.
func (r *runner) places(c *pivot, a dataset.Answer, x int) error {
	i := slices.Index(c.query.groups, c.x)
	b := c.query.buckets[i]
	if b.size == 0 || c.query.GroupBy[i].Column != r.Time.Column {
		return nil
	}
	if n := int64(r.period.To.Sub(r.period.From) / b.size); n > maxPoints {
		return fmt.Errorf("%s has %d buckets of %v, more than %d: take a longer one", r.period.Label, n, b.size, maxPoints)
	}
	var places []any
	known := map[any]bool{}
	for at := r.period.From.In(b.zone); at.Before(r.period.To); at = b.next(at) {
		places = append(places, at)
		known[key(at)] = true
	}
	for _, row := range a.Rows {
		if !known[key(row[x])] {
			return nil // buckets that begin elsewhere: what there is is shown as it is
		}
	}
	for _, at := range places {
		c.row(at)
	}
	c.timed = true
	return nil
}

func (b bucket) next(at time.Time) time.Time {
	if b.size%(24*time.Hour) == 0 {
		return at.AddDate(0, 0, int(b.size/(24*time.Hour)))
	}
	return at.Add(b.size)
}

// pivot is a chart while it is made.
type pivot struct {
	*part
	query   *query
	rows    map[any]int // of x
	xs      []any
	columns map[any]int // of series
	names   []any
	cells   [][]any // by row and column
	timed   bool
}

// key makes values comparable that are the same: times are by the moment.
func key(value any) any {
	switch v := value.(type) {
	case time.Time:
		return v.UnixNano()
	case []byte:
		return string(v)
	case float64:
		if math.IsNaN(v) {
			return "NaN"
		}
	}
	return value
}

func (c *pivot) row(x any) int {
	i, ok := c.rows[key(x)]
	if !ok {
		i = len(c.xs)
		c.rows[key(x)] = i
		c.xs, c.cells = append(c.xs, x), append(c.cells, nil)
	}
	return i
}

func (c *pivot) set(row, column int, value any) {
	for len(c.cells[row]) <= column {
		c.cells[row] = append(c.cells[row], nil)
	}
	c.cells[row][column] = value
}

func (c *pivot) bySeries(a dataset.Answer, x int) (*Grid, error) {
	s, err := indexOf(a, c.series)
	if err != nil {
		return nil, err
	}
	y, err := indexOf(a, c.y[0])
	if err != nil {
		return nil, err
	}
	for _, row := range a.Rows {
		i, ok := c.columns[key(row[s])]
		if !ok {
			i = len(c.names)
			c.columns[key(row[s])] = i
			c.names = append(c.names, row[s])
		}
		c.set(c.row(row[x]), i, row[y])
	}
	heads := c.heads()
	c.fill(len(heads))
	heads = c.topSeries(heads)
	return c.grid(heads, maxCategories), nil
}

func (c *pivot) heads() (heads []Head) {
	for _, name := range c.names {
		heads = append(heads, Head{Name: plainText(name), Null: name == nil, format: c.format})
	}
	return heads
}

func (c *pivot) byMeasure(a dataset.Answer, x int) (*Grid, error) {
	var heads []Head
	for i, name := range c.y {
		y, err := indexOf(a, name)
		if err != nil {
			return nil, err
		}
		for _, row := range a.Rows {
			c.set(c.row(row[x]), i, row[y])
		}
		heads = append(heads, Head{Name: name, format: c.format})
	}
	c.fill(len(heads))
	return c.grid(heads, c.top), nil
}

// op is that of a column.
func (c *pivot) op(column int) dataset.Op {
	if c.series != "" {
		column = 0
	}
	return c.query.ops[c.y[column]]
}

// fill gives each row all columns: what is not there is 0 where nothing was counted or added up.
func (c *pivot) fill(columns int) {
	for i, row := range c.cells {
		had := len(row)
		for j := had; j < columns; j++ {
			row = append(row, nil)
		}
		for j, v := range row {
			if op := c.op(j); v == nil && (op == dataset.Count || op == dataset.Sum || op == dataset.Distinct) && (c.timed || c.series != "") {
				row[j] = int64(0)
			}
		}
		c.cells[i] = row
	}
}

// topSeries keeps the largest series, in order of size, and makes one of the others.
func (c *pivot) topSeries(heads []Head) []Head {
	sums := make([]float64, len(heads))
	for _, row := range c.cells {
		for j, v := range row {
			if f, ok := asNumber(v); ok {
				sums[j] += math.Abs(f)
			}
		}
	}
	order := make([]int, len(heads))
	for j := range order {
		order[j] = j
	}
	if len(heads) > c.top {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sums[b], sums[a]) })
	}
	kept, rest := order, []int(nil)
	if len(order) > c.top {
		kept, rest = order[:c.top], order[c.top:]
	}
	slices.Sort(kept) // in the order of the answer
	var out []Head
	for _, j := range kept {
		out = append(out, heads[j])
	}
	together := len(rest) > 0 && additive(c.op(0))
	if together {
		out = append(out, Head{Others: len(rest), format: c.format})
	}
	for i, row := range c.cells {
		var cells []any
		for _, j := range kept {
			cells = append(cells, row[j])
		}
		if together {
			var sum any
			for _, j := range rest {
				sum = combine(c.op(0), sum, row[j])
			}
			cells = append(cells, sum)
		}
		c.cells[i] = cells
	}
	return out
}

// grid keeps the rows with the largest values, and makes one of the others. Time stays whole.
func (c *pivot) grid(heads []Head, most int) *Grid {
	g := &Grid{Columns: append([]Head{{Name: c.x}}, heads...), measures: len(heads), timed: c.timed, series: c.series != ""}
	g.sums = c.op(0) == dataset.Count || c.op(0) == dataset.Sum
	order := make([]int, len(c.xs))
	for i := range order {
		order[i] = i
	}
	size := func(i int) (sum float64) {
		for _, v := range c.cells[i] {
			f, _ := asNumber(v)
			sum += f
		}
		return sum
	}
	bySize := func(a, b int) int { return cmp.Compare(size(b), size(a)) }
	if !c.timed && len(order) > most {
		kept := slices.Clone(order)
		slices.SortStableFunc(kept, bySize)
		rest := kept[most:]
		order = kept[:most]
		slices.Sort(order)
		slices.Sort(rest)
		c.others(g, rest)
	}
	if !c.timed && c.sorted() {
		slices.SortStableFunc(order, bySize)
	}
	for _, i := range order {
		row := []Value{{c.xs[i]}}
		for _, v := range c.cells[i] {
			row = append(row, Value{v})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// sorted says that groups are shown by their size: always in a pie; else where the query has no order of its own and
// the values have none either, as names.
func (c *pivot) sorted() bool {
	if c.kind == pie || c.kind == donut {
		return true
	}
	names := !slices.ContainsFunc(c.xs, func(x any) bool {
		_, is := x.(string)
		return !is && x != nil
	})
	return len(c.query.OrderBy) == 0 && names && c.kind != line
}

func (c *pivot) others(g *Grid, rest []int) {
	o := &Others{Groups: len(rest), Values: make([]Value, g.measures)}
	any := false
	for j := range g.measures {
		if !additive(c.op(j)) {
			continue
		}
		any = true
		for _, i := range rest {
			o.Values[j].any = combine(c.op(j), o.Values[j].any, c.cells[i][j])
		}
	}
	if !any {
		g.Left = len(rest)
		return
	}
	g.Others = o
}

// additive says that the measure of several groups follows from those of each.
func additive(op dataset.Op) bool {
	return op == dataset.Count || op == dataset.Sum || op == dataset.Min || op == dataset.Max
}

// combine makes one value of two.
func combine(op dataset.Op, a, b any) any {
	x, ok := asNumber(a)
	y, too := asNumber(b)
	switch {
	case !too:
		return a
	case !ok:
		return b
	case op == dataset.Min && y < x, op == dataset.Max && y > x:
		return b
	case op == dataset.Min, op == dataset.Max:
		return a
	}
	i, whole := a.(int64)
	j, both := b.(int64)
	if whole && both && (i+j >= i) == (j >= 0) {
		return i + j
	}
	return x + y
}
