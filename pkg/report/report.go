package report

import (
	"encoding/json"
	"math"
	"time"
	"unicode/utf8"
)

// Report is what a page shows: the answers, cut to what is to be seen, and nothing that depends on how.
type Report struct {
	Name        string    `json:"name"`
	Title       string    `json:"title"`
	Description string    `json:"description,omitempty"`
	Language    Language  `json:"language"`
	Made        time.Time `json:"made"` // the moment that it is of, in its zone
	Period      Period    `json:"period"`
	Before      Period    `json:"before"`
	Parts       []Part    `json:"parts"`
}

// Part is one thing that a page shows.
type Part struct {
	Kind   string `json:"kind"` // number, line, bar, stacked, pie, donut, table
	Title  string `json:"title"`
	Query  string `json:"query"`
	Format Format `json:"format"`

	*Figure // of a number
	*Grid   // of the others
}

// Figure is a number and what became of it since the period before.
type Figure struct {
	Value  Value    `json:"value"`
	Before Value    `json:"before"`
	Change *float64 `json:"change"`           // a share of Before: 0.1 is a tenth more; nil where there is nothing to compare with
	Better string   `json:"better,omitempty"` // more, less, or empty
}

// Grid is what a chart or a table shows.
type Grid struct {
	Columns []Head    `json:"columns"`
	Rows    [][]Value `json:"rows"`
	// Others are rows that are not among Rows, in one: of charts with more groups than they show.
	Others *Others `json:"others,omitempty"`
	Left   int     `json:"left_out,omitempty"` // rows that are neither

	measures int  // the last so many columns are numbers
	sums     bool // which add up to something
	timed    bool // the first column is time, without gaps
	series   bool // columns are values of a group
}

// Head names a column. A column of a series has the series' value as its name.
type Head struct {
	Name   string `json:"name"`
	Others int    `json:"others,omitempty"` // so many series in one
	Null   bool   `json:"null,omitempty"`   // the series of rows without a value

	format Format // of numbers that were measured; empty: as they are
}

// Others are several rows in one.
type Others struct {
	Groups int     `json:"groups"`
	Values []Value `json:"values"` // one for each of the columns that are numbers; null where they cannot be put together
}

// Value is a value of an answer: nil, bool, int64, float64, string, []byte or time.Time. As JSON, a number that is none
// and bytes that are no text are null and text that can be read.
type Value struct{ any }

// MarshalJSON writes what JSON has a form for.
func (v Value) MarshalJSON() ([]byte, error) {
	switch x := v.any.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return []byte("null"), nil
		}
	case []byte:
		if !utf8.Valid(x) {
			return json.Marshal(plainText(x))
		}
		return json.Marshal(string(x))
	}
	return json.Marshal(v.any)
}

// MarshalJSON writes a period with the first moment that is not in it.
func (p Period) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"label": p.Label, "from": p.From, "to": p.To, "zone": p.From.Location().String()})
}

// JSON is the report for programs: one object, with two spaces of indentation and a line end.
func (r *Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}
