package dataset

import "time"

// Query is a question about a dataset: what to measure, of which rows, for which groups. The zero value of each part
// leaves it out.
type Query struct {
	Measures []Measure // at least one
	GroupBy  []Group   // none: one row for the whole dataset
	Where    []Condition
	OrderBy  []Order // by names of measures or groups; after them, and without any, by the groups in their order
	Limit    int     // rows of the answer at most, after ordering; 0: all
}

// Measure is one column of the answer that is computed from the rows of a group.
type Measure struct {
	Name   string // of the column of the answer
	Op     Op
	Column string  // of the dataset; Count may leave it out, and then counts rows, else values that are not null
	Q      float64 // of Quantile: between 0 and 1
}

// Op is a way to compute a measure.
type Op string

// The ways to compute a measure.
const (
	Count    Op = "count"    // int64
	Sum      Op = "sum"      // int64 or float64, as the column; an int64 that overflows is an error
	Min      Op = "min"      // as the column
	Max      Op = "max"      // as the column
	Avg      Op = "avg"      // float64
	Distinct Op = "distinct" // int64, approximate: within 2 %
	Quantile Op = "quantile" // float64, approximate: within 1 % of the rank
)

// Group is one column of the answer whose values make the groups.
type Group struct {
	Name   string // of the column of the answer; empty: the column's
	Column string
	Bucket time.Duration  // of a timestamp: groups begin at its multiples in Zone; 0: each value
	Zone   *time.Location // nil: UTC
}

// Condition is what a row has to meet. All conditions of a query have to be met; null meets none but IsNull.
type Condition struct {
	Column string
	Op     Compare
	Values []any // one; of In any number; of IsNull and NotNull none
}

// Compare is a way to compare a column with values.
type Compare string

// The ways to compare.
const (
	Equal        Compare = "="
	NotEqual     Compare = "!="
	Less         Compare = "<"
	LessEqual    Compare = "<="
	Greater      Compare = ">"
	GreaterEqual Compare = ">="
	In           Compare = "in"
	IsNull       Compare = "null"
	NotNull      Compare = "not null"
)

// Order is a column of the answer to order by.
type Order struct {
	Name string
	Desc bool
}

// Answer is what a query gives.
type Answer struct {
	Columns []Column
	Rows    [][]any // a value for each column: nil, bool, int64, float64, string or time.Time (in UTC, or the group's Zone)
	Scanned Scanned
}

// Column is a column of an answer, or of a dataset.
type Column struct {
	Name string
	Type Type
}

// Type is the type of the values in a column.
type Type string

// The types of columns.
const (
	Bool      Type = "bool"
	Int       Type = "int"   // 64 bits, signed
	Float     Type = "float" // 64 bits
	String    Type = "string"
	Bytes     Type = "bytes"
	Timestamp Type = "timestamp" // milliseconds, UTC
)

// Scanned says what an answer has cost.
type Scanned struct {
	Objects, ObjectsSkipped     int   // objects read; left out by their folder or statistics
	RowGroups, RowGroupsSkipped int   // of the objects that were read
	Rows                        int64 // looked at
	Bytes                       int64 // read from the store
}
