package extract

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// readCSV makes an object of each row, its members the columns in their order, its
// values texts. A row that is none, or of another length, is an item that says so.
func (f formatFile) readCSV(body []byte) (document, error) {
	var d document
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = f.separator, -1, true
	columns, err := r.Read()
	if errors.Is(err, io.EOF) {
		return d, errors.New("there is no header with the names of the columns")
	}
	if err != nil {
		return d, fmt.Errorf("the header: %w", err)
	}
	columns = slices.Clone(columns)
	if err := f.checkColumns(columns); err != nil {
		return d, err
	}
	if f.columns == nil {
		d.header = digestOf([]byte(strings.Join(columns, "\x00")))
	}
	keys := make([][]byte, len(columns))
	for i, c := range columns {
		keys[i] = append(appendText(nil, c), ':')
	}
	d.items = make([]item, 0, bytes.Count(body, []byte("\n")))
	for from := r.InputOffset(); ; from = r.InputOffset() {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		raw := bytes.TrimRight(body[from:r.InputOffset()], "\r\n")
		if errors.Is(err, csv.ErrQuote) && r.InputOffset() == int64(len(body)) {
			return d, fmt.Errorf("%w: a quote is never closed, or only a part of it has come", err)
		}
		d.items = append(d.items, csvItem(raw, row, keys, err))
	}
}

func csvItem(raw []byte, row []string, keys [][]byte, err error) item {
	switch {
	case err != nil:
		return item{raw: raw, err: fmt.Errorf("it is no row of CSV: %w", err)}
	case len(row) != len(keys):
		return item{raw: raw, err: fmt.Errorf("the row has %d fields, and the header %d", len(row), len(keys))}
	case !utf8.Valid(raw):
		return item{raw: raw, err: errors.New("the row is no UTF-8 text")}
	}
	value := append(make([]byte, 0, 2*len(raw)+16*len(keys)), '{')
	for i, field := range row {
		if i > 0 {
			value = append(value, ',')
		}
		value = appendText(append(value, keys[i]...), field)
	}
	return item{value: append(value, '}'), raw: raw}
}

// checkColumns refuses names that are there twice, and a header without those that the
// file wants.
func (f formatFile) checkColumns(columns []string) error {
	seen := map[string]bool{}
	for _, c := range columns {
		if seen[c] || !utf8.ValidString(c) {
			return fmt.Errorf("the header has the column %q twice, or it is no UTF-8 text", c)
		}
		seen[c] = true
	}
	for _, c := range f.columns {
		if !seen[c] {
			return fmt.Errorf("%w: the column %q is not there any more: the header has %q", ErrSchema, c, columns)
		}
	}
	return nil
}

// appendText appends a text as JSON.
func appendText(to []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string has always a form
			}
			return append(to, quoted...)
		}
	}
	return append(append(append(to, '"'), s...), '"')
}
