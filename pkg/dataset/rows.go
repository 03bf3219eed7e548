package dataset

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Rows are rows in memory, by column. A row is begun by the first value that is set in it, and ended by [Rows.End];
// what was not set is null.
type Rows struct {
	columns []Column
	vectors []vector
	n       int
}

// vector is the values of a column. A null has a zero value in its place.
type vector struct {
	kind   Type
	valid  []bool
	nulls  int
	ints   []int64 // Int, Timestamp
	floats []float64
	bools  []bool
	data   []byte   // String, Bytes
	ends   []uint32 // of each value in data
}

// maxText bounds the bytes of all texts of a column of rows: where each ends is a number of 32 bits.
const maxText = math.MaxInt32

// NewRows gives no rows of columns.
func NewRows(columns []Column) *Rows {
	r := &Rows{columns: columns, vectors: make([]vector, len(columns))}
	for i, c := range columns {
		r.vectors[i].kind = c.Type
	}
	return r
}

// Columns are those of the rows.
func (r *Rows) Columns() []Column { return r.columns }

// Len is how many rows have been ended.
func (r *Rows) Len() int { return r.n }

// Size is about how many bytes the values take.
func (r *Rows) Size() (bytes int) {
	for i := range r.vectors {
		v := &r.vectors[i]
		bytes += len(v.valid) + 8*len(v.ints) + 8*len(v.floats) + len(v.bools) + len(v.data) + 4*len(v.ends)
	}
	return bytes
}

// Reset drops all rows, and keeps their memory.
func (r *Rows) Reset() {
	r.n = 0
	r.Drop()
}

// Drop gives up the row that has been begun.
func (r *Rows) Drop() {
	for i := range r.vectors {
		if v := &r.vectors[i]; len(v.valid) > r.n {
			v.cut(r.n)
		}
	}
}

func (v *vector) cut(n int) {
	for _, valid := range v.valid[n:] {
		if !valid {
			v.nulls--
		}
	}
	v.valid = v.valid[:n]
	switch v.kind {
	case Int, Timestamp:
		v.ints = v.ints[:n]
	case Float:
		v.floats = v.floats[:n]
	case Bool:
		v.bools = v.bools[:n]
	default:
		v.ends = v.ends[:n]
		v.data = v.data[:v.begin(n)]
	}
}

// begin is where value i begins in data.
func (v *vector) begin(i int) uint32 {
	if i == 0 {
		return 0
	}
	return v.ends[i-1]
}

func (v *vector) text(i int) []byte { return v.data[v.begin(i):v.ends[i]] }

// at readies a column for its value in the row that has been begun: a second one replaces the first.
func (r *Rows) at(column int) *vector {
	v := &r.vectors[column]
	if len(v.valid) > r.n {
		v.cut(r.n)
	}
	v.valid = append(v.valid, true)
	return v
}

// Int sets a value of an [Int], or of a [Timestamp] in milliseconds.
func (r *Rows) Int(column int, value int64) {
	v := r.at(column)
	v.ints = append(v.ints, value)
}

// Float sets a value of a [Float].
func (r *Rows) Float(column int, value float64) {
	v := r.at(column)
	v.floats = append(v.floats, value)
}

// Bool sets a value of a [Bool].
func (r *Rows) Bool(column int, value bool) {
	v := r.at(column)
	v.bools = append(v.bools, value)
}

// Text sets a value of a [String] or [Bytes]; the bytes are copied. False where the column has no place for it.
func (r *Rows) Text(column int, value []byte) bool {
	v := r.at(column)
	fits := len(v.data)+len(value) <= maxText
	if fits {
		v.data = append(v.data, value...)
	}
	v.ends = append(v.ends, uint32(len(v.data)))
	return fits
}

// Null sets no value.
func (r *Rows) Null(column int) { r.at(column).null() }

// null makes the value that is being set null.
func (v *vector) null() {
	v.valid[len(v.valid)-1] = false
	v.nulls++
	switch v.kind {
	case Int, Timestamp:
		v.ints = append(v.ints, 0)
	case Float:
		v.floats = append(v.floats, 0)
	case Bool:
		v.bools = append(v.bools, false)
	default:
		v.ends = append(v.ends, uint32(len(v.data)))
	}
}

// End ends the row.
func (r *Rows) End() {
	for i := range r.vectors {
		if v := &r.vectors[i]; len(v.valid) == r.n {
			v.valid = append(v.valid, false)
			v.null()
		}
	}
	r.n++
}

// Append adds a row: for each column nil or a value of its type: bool, int64 (or int), float64, string, []byte,
// time.Time.
func (r *Rows) Append(values ...any) error {
	if len(values) != len(r.columns) {
		return fmt.Errorf("a row of %d values: want %d, one for each column", len(values), len(r.columns))
	}
	for i, value := range values {
		if err := r.set(i, value); err != nil {
			r.Drop()
			return err
		}
	}
	r.End()
	return nil
}

func (r *Rows) set(i int, value any) error {
	kind := r.columns[i].Type
	switch value := value.(type) {
	case nil:
		r.Null(i)
		return nil
	case bool:
		if kind == Bool {
			r.Bool(i, value)
			return nil
		}
	case int:
		return r.set(i, int64(value))
	case int64:
		if kind == Int {
			r.Int(i, value)
			return nil
		}
	case float64:
		if kind == Float {
			r.Float(i, value)
			return nil
		}
	case time.Time:
		if kind == Timestamp {
			r.Int(i, value.UnixMilli())
			return nil
		}
	case string:
		return r.set(i, []byte(value))
	case []byte:
		if kind == String || kind == Bytes {
			if !r.Text(i, value) {
				return fmt.Errorf("column %s: the rows hold more than %d bytes of text", r.columns[i].Name, maxText)
			}
			return nil
		}
	}
	return fmt.Errorf("column %s is %s: %T is none", r.columns[i].Name, kind, value)
}

// Value gives a value: nil, bool, int64, float64, string, []byte or time.Time.
func (r *Rows) Value(row, column int) any {
	v := &r.vectors[column]
	switch {
	case !v.valid[row]:
		return nil
	case v.kind == Int:
		return v.ints[row]
	case v.kind == Timestamp:
		return time.UnixMilli(v.ints[row]).UTC()
	case v.kind == Float:
		return v.floats[row]
	case v.kind == Bool:
		return v.bools[row]
	case v.kind == Bytes:
		return append([]byte{}, v.text(row)...)
	}
	return string(v.text(row))
}

// Has says that the row that has been begun has a value in a column, and no null.
func (r *Rows) Has(column int) bool {
	v := &r.vectors[column]
	return len(v.valid) > r.n && v.valid[r.n]
}

// LastInt is the value of an [Int] or a [Timestamp] in the row that has been begun, which must have one.
func (r *Rows) LastInt(column int) int64 { return r.vectors[column].ints[r.n] }

// LastText is the value of a column in the row that has been begun, as a text; false where it is null. It is valid
// until the next value.
func (r *Rows) LastText(column int) (text []byte, ok bool) {
	v := &r.vectors[column]
	if !r.Has(column) {
		return nil, false
	}
	switch v.kind {
	case Int, Timestamp:
		return strconv.AppendInt(nil, v.ints[r.n], 10), true
	case Float:
		return strconv.AppendFloat(nil, v.floats[r.n], 'g', -1, 64), true
	case Bool:
		return strconv.AppendBool(nil, v.bools[r.n]), true
	}
	return v.text(r.n), true
}
