package dataset

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// filter is one condition, for a column whose type is known.
type filter struct {
	Condition
	kind   Type
	values []any // as of coerce

	of    *dictionary // that table is of
	table []bool      // which of its entries meet the condition
}

// newFilter checks a condition against the type of its column.
func newFilter(c Condition, kind Type) (*filter, error) {
	f := &filter{Condition: c, kind: kind}
	for _, value := range c.Values {
		v, err := coerce(kind, value)
		if err != nil {
			return nil, fmt.Errorf("condition on %s: %w", c.Column, err)
		}
		f.values = append(f.values, v)
	}
	return f, nil
}

// checkCondition checks what is known without a dataset.
func checkCondition(c Condition) error {
	switch c.Op {
	case Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual:
		if len(c.Values) != 1 || c.Values[0] == nil {
			return fmt.Errorf(
				"%w: condition %s %s has %d values: want one that is not null",
				ErrQuery,
				c.Column,
				c.Op,
				len(c.Values),
			)
		}
	case In:
		if slices.Contains(c.Values, nil) {
			return fmt.Errorf("%w: condition %s in has a null: ask with null", ErrQuery, c.Column)
		}
	case IsNull, NotNull:
		if len(c.Values) != 0 {
			return fmt.Errorf("%w: condition %s %s takes no value", ErrQuery, c.Column, c.Op)
		}
	default:
		return fmt.Errorf(
			"%w: condition on %s: there is no %q; want =, !=, <, <=, >, >=, in, null or not null",
			ErrQuery,
			c.Column,
			c.Op,
		)
	}
	return nil
}

// meets says that the result of a comparison with the condition's value meets it.
func meets(op Compare, order int) bool {
	switch op {
	case Equal:
		return order == 0
	case NotEqual:
		return order != 0
	case Less:
		return order < 0
	case LessEqual:
		return order <= 0
	case Greater:
		return order > 0
	}
	return order >= 0
}

// one says that a value that is not null meets the condition.
func (f *filter) one(value any) bool {
	switch f.Op {
	case IsNull:
		return false
	case NotNull:
		return true
	case In:
		return slices.ContainsFunc(f.values, func(v any) bool { return compareValues(value, v) == 0 })
	}
	if x, ok := value.(float64); ok && x != x {
		return f.Op == NotEqual // why: as everywhere, NaN is neither less nor greater
	}
	return meets(f.Op, compareValues(value, f.values[0]))
}

// apply keeps the rows of selection that meet the condition.
func (f *filter) apply(c *column, selection []int32) []int32 {
	if f.Op == IsNull || f.Op == NotNull {
		return keep(selection, func(i int32) bool { return (c.valid == nil || c.valid[i]) == (f.Op == NotNull) })
	}
	if c.valid != nil {
		selection = keep(selection, func(i int32) bool { return c.valid[i] })
	}
	if c.dict != nil {
		if f.of != c.dict {
			f.of, f.table = c.dict, f.table[:0]
			for i := range c.dict.n {
				f.table = append(f.table, f.one(c.dict.any(c.kind, i)))
			}
		}
		table, codes := f.table, c.codes
		return keep(selection, func(i int32) bool { return table[codes[i]] })
	}
	if f.Op == In {
		return keep(selection, func(i int32) bool { return f.one(c.plain.any(c.kind, int(i))) })
	}
	switch c.kind {
	case Int, Timestamp:
		return compared(selection, c.plain.ints, f.Op, f.values[0].(int64))
	case Float:
		return compared(selection, c.plain.floats, f.Op, f.values[0].(float64))
	case Bool:
		return keep(selection, func(i int32) bool { return f.one(c.plain.bools[i]) })
	}
	want := []byte(f.values[0].(string))
	return keep(selection, func(i int32) bool { return meets(f.Op, bytes.Compare(c.plain.text(int(i)), want)) })
}

func keep(selection []int32, ok func(int32) bool) []int32 {
	n := 0
	for _, i := range selection {
		if ok(i) {
			selection[n] = i
			n++
		}
	}
	return selection[:n]
}

// compared is keep for numbers.
func compared[T cmp.Ordered](selection []int32, values []T, op Compare, want T) []int32 {
	n := 0
	for _, i := range selection {
		selection[n] = i
		v := values[i]
		var ok bool
		switch op {
		case Equal:
			ok = v == want
		case NotEqual:
			ok = v != want
		case Less:
			ok = v < want
		case LessEqual:
			ok = v <= want
		case Greater:
			ok = v > want
		default:
			ok = v >= want
		}
		n += truth(ok)
	}
	return selection[:n]
}

// any gives a value as coerce has it.
func (v *values) any(kind Type, i int) any {
	switch kind {
	case Int, Timestamp:
		return v.ints[i]
	case Float:
		return v.floats[i]
	case Bool:
		return v.bools[i]
	}
	return string(v.text(i))
}

// folder says whether rows in a folder of this value can meet the condition.
func (c Condition) folder(v folderValue) bool {
	switch {
	case v.column != c.Column:
		return true
	case v.null:
		return c.Op == IsNull
	}
	kind := folderType(c.Column)
	f, err := newFilter(c, kind)
	if err != nil {
		return true // it is said where a row is looked at
	}
	value, err := coerce(kind, v.text)
	return err != nil || f.one(value)
}

// statistics says whether a row group can have rows that meet the condition.
func (f *filter) statistics(chunk *parquet.FileColumnChunk, l leaf, rows int64) bool {
	if f.Op == IsNull {
		return true // why: some writers leave the count of nulls out, which reads as none
	}
	if chunk.NullCount() == rows && rows > 0 {
		return false
	}
	lo, hi, ok := chunk.Bounds()
	if !ok || lo.IsNull() || hi.IsNull() || f.Op == NotNull {
		return true
	}
	least, most := boundOf(lo, l), boundOf(hi, l)
	if least == nil || most == nil {
		return true
	}
	within := func(v any) bool { return compareValues(v, least) >= 0 && compareValues(v, most) <= 0 }
	switch f.Op {
	case Equal:
		return within(f.values[0])
	case In:
		return slices.ContainsFunc(f.values, within)
	case NotEqual:
		return compareValues(least, most) != 0 || compareValues(least, f.values[0]) != 0 || l.Type == String ||
			l.Type == Bytes ||
			l.Type == Float
	case Less, LessEqual:
		return meets(f.Op, compareValues(least, f.values[0]))
	}
	return meets(f.Op, compareValues(most, f.values[0]))
}

// boundOf gives a bound as coerce has values; nil where nothing can be said.
func boundOf(v parquet.Value, l leaf) any {
	switch l.kind {
	case parquet.Int32:
		return int64(v.Int32())
	case parquet.Int64:
		return floorDiv(v.Int64(), l.scale)
	case parquet.Double:
		if f := v.Double(); f == f {
			return f
		}
	case parquet.ByteArray:
		return string(v.ByteArray())
	}
	return nil
}
