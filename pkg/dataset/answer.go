package dataset

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func momentOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// answer makes the rows of the groups.
func (r *run) answer() (Answer, error) {
	a := Answer{Scanned: r.scanned}
	if r.scanned.Objects > 0 {
		for i, name := range r.names {
			if r.types[i] == "" {
				return Answer{}, fmt.Errorf(
					"query: %w: there is no column %s; there are %s",
					ErrQuery,
					name,
					strings.Join(r.seen, ", "),
				)
			}
		}
	}
	for _, k := range r.groups.keys {
		kind := k.kind
		if kind == "" {
			kind = String
		}
		a.Columns = append(a.Columns, Column{Name: k.Name, Type: kind})
	}
	groups := r.groups.count
	if len(r.groups.keys) == 0 {
		groups = 1
	}
	for j, m := range r.measures {
		if m == nil {
			m = unmeasured{r.q.Measures[j].Op}
			r.measures[j] = m
		}
		m.grow(groups)
		a.Columns = append(a.Columns, Column{Name: r.q.Measures[j].Name, Type: m.kind()})
	}
	for g := range groups {
		row := r.groups.group(g)
		for _, m := range r.measures {
			row = append(row, m.value(g))
		}
		a.Rows = append(a.Rows, row)
	}
	r.order(&a)
	if r.q.Limit > 0 && len(a.Rows) > r.q.Limit {
		a.Rows = slices.Clip(a.Rows[:r.q.Limit])
	}
	return a, nil
}

// order sorts the rows: by what the query names, then by the groups.
func (r *run) order(a *Answer) {
	type by struct {
		column int
		desc   bool
	}
	var order []by
	for _, o := range r.q.OrderBy {
		order = append(order, by{slices.IndexFunc(a.Columns, func(c Column) bool { return c.Name == o.Name }), o.Desc})
	}
	for i := range r.groups.keys {
		order = append(order, by{i, false})
	}
	slices.SortFunc(a.Rows, func(x, y []any) int {
		for _, o := range order {
			if c := compareValues(x[o.column], y[o.column]); c != 0 {
				if o.desc {
					return -c
				}
				return c
			}
		}
		return 0
	})
}

// unmeasured is a measure of rows of which there are none.
type unmeasured struct{ op Op }

func (m unmeasured) grow(int)                                   {}
func (m unmeasured) add(*column, []int32, []uint32, bool) error { return nil }
func (m unmeasured) size() int64                                { return 0 }
func (m unmeasured) value(int) any {
	if m.op == Count || m.op == Distinct {
		return int64(0)
	}
	return nil
}

func (m unmeasured) kind() Type {
	switch m.op {
	case Count, Distinct:
		return Int
	}
	return Float
}
