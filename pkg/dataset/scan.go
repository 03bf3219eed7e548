package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Selection says which rows of a dataset, and which of their columns.
type Selection struct {
	Columns []string // at least one
	Where   []Condition
}

// Scan gives the rows of a selection to yield, some thousand at a time, with the selection's columns in their order.
// What folders and statistics leave out is not read. Rows are valid until yield returns; an error of it ends the
// scan. The errors are those of [Dataset.Query].
func (d *Dataset) Scan(ctx context.Context, s Selection, yield func(*Rows) error) error {
	if len(s.Columns) == 0 {
		return fmt.Errorf("%w: a scan of no columns", ErrQuery)
	}
	r, err := newRun(d, Query{Where: s.Where, Measures: []Measure{{Name: "rows", Op: Count}}})
	if err != nil {
		return err
	}
	for _, name := range s.Columns {
		r.need(name)
	}
	r.types, r.columns = make([]Type, len(r.names)), make([]column, len(r.names))
	var rows *Rows
	r.sink = func() error {
		rows = r.take(rows, s.Columns)
		return yield(rows)
	}
	for o, err := range d.whole(ctx, r.folders()) {
		if err == nil {
			err = r.object(ctx, o)
		}
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
	}
	if r.scanned.Objects > 0 {
		for i, kind := range r.types {
			if kind == "" {
				return fmt.Errorf("scan: %w: there is no column %s; there are %s", ErrQuery, r.names[i], strings.Join(r.seen, ", "))
			}
		}
	}
	return nil
}

// take copies the selected rows of a batch.
func (r *run) take(rows *Rows, names []string) *Rows {
	var columns []Column
	for _, name := range names {
		kind := r.types[slices.Index(r.names, name)]
		if kind == "" {
			kind = String // no object had it yet: it is null
		}
		columns = append(columns, Column{name, kind})
	}
	if rows == nil || !slices.Equal(rows.columns, columns) {
		rows = NewRows(columns)
	}
	rows.Reset()
	for i, name := range names {
		c := r.column(name)
		v := &rows.vectors[i]
		for _, row := range r.selection {
			v.append(c.from(int(row)), 1)
		}
	}
	rows.n = len(r.selection)
	return rows
}

// from is the column from a row on.
func (c *column) from(row int) *column {
	out := *c
	if c.valid != nil {
		out.valid = c.valid[row:]
	}
	if c.dict != nil {
		out.codes = c.codes[row:]
		return &out
	}
	p := &out.plain
	switch {
	case p.begin != nil:
		p.begin, p.end = p.begin[row:], p.end[row:]
	case p.ints != nil:
		p.ints = p.ints[row:]
	case p.floats != nil:
		p.floats = p.floats[row:]
	case p.bools != nil:
		p.bools = p.bools[row:]
	}
	return &out
}

// Columns gives the columns of the dataset's last object, and those of its folders.
func (d *Dataset) Columns(ctx context.Context) (columns []Column, err error) {
	var last *Object
	for o, err := range d.Objects(ctx, nil) {
		if err != nil {
			return nil, err
		}
		last = &o
	}
	if last == nil {
		return nil, ErrEmpty
	}
	for _, v := range foldersOf(last.Path) {
		columns = append(columns, Column{v.column, folderType(v.column)})
	}
	r, err := openObject(ctx, d.store, last.Object)
	if err != nil {
		return nil, err
	}
	for _, l := range r.leafs {
		columns = append(columns, l.Column)
	}
	return columns, nil
}
