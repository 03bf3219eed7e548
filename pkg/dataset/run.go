package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Query answers a question. [ErrQuery] where it makes no sense for the dataset, [ErrLimit] where its answer needs more
// than the dataset's Limits, [ErrDamaged] where an object cannot be read; the text says which, and what can be done.
//
// Columns of folders (date, hour, those of a load's settings) are columns like others: date is a string, hour an int. A
// column that an object does not have is null in all of its rows, as in an object from before the column was added.
func (d *Dataset) Query(ctx context.Context, q Query) (Answer, error) {
	const tries = 4
	for i := 1; ; i++ {
		answer, err := d.query(ctx, q)
		if i < tries && (errors.Is(err, cos.ErrNotFound) || errors.Is(err, cos.ErrChanged)) && ctx.Err() == nil {
			continue // an object was merged while it was read
		}
		return answer, err
	}
}

func (d *Dataset) query(ctx context.Context, q Query) (Answer, error) {
	r, err := newRun(d, q)
	if err != nil {
		return Answer{}, err
	}
	for o, err := range d.whole(ctx, r.folders()) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = r.object(ctx, o)
		}
		if err != nil {
			return Answer{}, fmt.Errorf("query: %w", err)
		}
	}
	return r.answer()
}

// run is a query that is being answered.
type run struct {
	d        *Dataset
	q        Query
	limits   Limits
	names    []string // of the columns that the query needs
	types    []Type   // "" until an object has it
	seen     []string // other columns, for an error
	filters  []*filter
	groups   *grouper
	measures []measure
	scanned  Scanned

	sink      func() error // takes the selection of a batch instead of groups; nil for a query
	columns   []column
	selection []int32
	identity  []int32
	zeros     []int32
}

func newRun(d *Dataset, q Query) (*run, error) {
	r := &run{
		d:        d,
		q:        q,
		limits:   d.Limits.withDefaults(),
		filters:  make([]*filter, len(q.Where)),
		measures: make([]measure, len(q.Measures)),
	}
	r.q.GroupBy = slices.Clone(q.GroupBy)
	if len(q.Measures) == 0 {
		return nil, fmt.Errorf("%w: it measures nothing: ask for a count", ErrQuery)
	}
	var faults []error
	for i, g := range q.GroupBy {
		if g.Name == "" {
			r.q.GroupBy[i].Name = g.Column
		}
		if g.Bucket != 0 && g.Bucket < time.Millisecond {
			faults = append(
				faults,
				fmt.Errorf("%w: group %s has buckets of %v: want at least 1ms", ErrQuery, g.Column, g.Bucket),
			)
		}
		r.need(g.Column)
	}
	for _, m := range q.Measures {
		faults = append(faults, checkMeasure(m))
		r.need(m.Column)
	}
	for _, c := range q.Where {
		faults = append(faults, checkCondition(c))
		if c.Column == "" {
			faults = append(faults, fmt.Errorf("%w: a condition names no column", ErrQuery))
		}
		r.need(c.Column)
	}
	names := r.answerNames()
	for i, name := range names {
		if name == "" || slices.Contains(names[:i], name) {
			faults = append(faults, fmt.Errorf("%w: two columns of the answer are named %q, or it is empty", ErrQuery, name))
		}
	}
	for _, o := range q.OrderBy {
		if !slices.Contains(names, o.Name) {
			faults = append(
				faults,
				fmt.Errorf(
					"%w: there is no %s in the answer to order by; there are %s",
					ErrQuery,
					o.Name,
					strings.Join(names, ", "),
				),
			)
		}
	}
	if q.Limit < 0 {
		faults = append(faults, fmt.Errorf("%w: the limit is %d", ErrQuery, q.Limit))
	}
	r.groups = newGrouper(r.q.GroupBy)
	r.types = make([]Type, len(r.names))
	r.columns = make([]column, len(r.names))
	for i := range int32(batchRows) {
		r.identity = append(r.identity, i)
	}
	r.zeros = make([]int32, batchRows)
	return r, errors.Join(faults...)
}

func (r *run) need(column string) {
	if column != "" && !slices.Contains(r.names, column) {
		r.names = append(r.names, column)
	}
}

func (r *run) answerNames() (names []string) {
	for _, g := range r.q.GroupBy {
		names = append(names, g.Name)
	}
	for _, m := range r.q.Measures {
		names = append(names, m.Name)
	}
	return names
}

// folders says which folders can have rows that meet the conditions; nil where all can.
func (r *run) folders() func(string) bool {
	if len(r.q.Where) == 0 {
		return nil
	}
	return func(name string) bool {
		for _, v := range foldersOf(name) {
			for _, c := range r.q.Where {
				if !c.folder(v) {
					r.scanned.ObjectsSkipped++
					return false
				}
			}
		}
		return true
	}
}

// source says where a column of an object comes from: a leaf, a folder, or nowhere.
type source struct {
	leaf   *leaf
	folder *folderValue
}

func (r *run) object(ctx context.Context, o Object) (err error) {
	reading, err := openObject(ctx, r.d.store, o.Object)
	if reading != nil {
		defer func() { r.scanned.Bytes += reading.bytes }()
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("read %s: %w", o.Key, err)
		}
	}()
	defer damaged(&err)
	r.scanned.Objects++
	folders := foldersOf(o.Path)
	sources := make([]source, len(r.names))
	for i, name := range r.names {
		sources[i] = sourceOf(name, reading.leafs, folders)
		if err := r.know(i, sources[i]); err != nil {
			return err
		}
	}
	for _, l := range reading.leafs {
		if len(r.seen) < maxColumns && !slices.Contains(r.seen, l.Name) {
			r.seen = append(r.seen, l.Name)
		}
	}
	for g := range reading.file.RowGroups() {
		if err := r.rowGroup(ctx, reading, g, sources); err != nil {
			return err
		}
	}
	return nil
}

func sourceOf(name string, leafs []leaf, folders []folderValue) source {
	for i := range folders {
		if folders[i].column == name {
			return source{folder: &folders[i]}
		}
	}
	for i := range leafs {
		if leafs[i].Name == name {
			return source{leaf: &leafs[i]}
		}
	}
	return source{}
}

// know readies what depends on the type of a column, once an object has it.
func (r *run) know(i int, s source) error {
	var kind Type
	switch {
	case s.folder != nil:
		kind = folderType(s.folder.column)
	case s.leaf != nil:
		kind = s.leaf.Type
	default:
		return nil
	}
	if r.types[i] == kind {
		return nil
	}
	name := r.names[i]
	if r.types[i] != "" {
		return fmt.Errorf("%w: column %s is %s here, and %s in another object", ErrQuery, name, kind, r.types[i])
	}
	r.types[i] = kind
	return r.resolve(name, kind)
}

func (r *run) resolve(name string, kind Type) (err error) {
	for j, c := range r.q.Where {
		if c.Column == name {
			if r.filters[j], err = newFilter(c, kind); err != nil {
				return err
			}
		}
	}
	for _, k := range r.groups.keys {
		if k.Column == name {
			if err := k.use(kind); err != nil {
				return err
			}
		}
	}
	for j, m := range r.q.Measures {
		if m.Column == name && m.Column != "" {
			if r.measures[j], err = newMeasure(m, kind); err != nil {
				return err
			}
			r.measures[j].grow(r.groups.count)
		}
	}
	return nil
}

// rowGroup takes the rows of a row group in.
func (r *run) rowGroup(ctx context.Context, reading *reading, group int, sources []source) error {
	chunks := reading.file.RowGroups()[group].ColumnChunks()
	rows := reading.file.RowGroups()[group].NumRows()
	for j, c := range r.q.Where {
		s := sources[slices.Index(r.names, c.Column)]
		f := r.filters[j]
		skip := false
		switch {
		case s.leaf != nil && f != nil:
			chunk, ok := chunks[s.leaf.index].(*parquet.FileColumnChunk)
			skip = ok && !f.statistics(chunk, *s.leaf, rows)
		case s.folder != nil:
			skip = !c.folder(*s.folder)
		case s.leaf == nil:
			skip = c.Op != IsNull // the column is missing: it is null in all rows
		}
		if skip {
			r.scanned.RowGroupsSkipped++
			return nil
		}
	}
	r.scanned.RowGroups++
	return reading.rowGroup(ctx, group, rows, r.limits.RowGroupBytes, sources, func(i, n int) (*column, error) {
		return &r.columns[i], r.constant(i, sources[i], n)
	}, r.columns, func(n int) error {
		r.scanned.Rows += int64(n)
		return r.batch(n)
	})
}

// rowGroup goes through the rows of a row group, as many at a time as each column's page has. What has no leaf is
// made by other.
func (r *reading) rowGroup(ctx context.Context, group int, rows, limit int64, sources []source,
	other func(i, n int) (*column, error), columns []column, batch func(n int) error,
) error {
	var wanted []int
	for _, s := range sources {
		if s.leaf != nil {
			wanted = append(wanted, s.leaf.index)
		}
	}
	if err := r.fetchColumns(group, wanted, limit); err != nil {
		return err
	}
	cursors := make([]*cursor, len(sources))
	for i, s := range sources {
		if s.leaf == nil {
			continue
		}
		c, err := newCursor(r, group, *s.leaf)
		if err != nil {
			return err
		}
		defer c.close()
		cursors[i] = c
	}
	for rows > 0 {
		if err := ctx.Err(); err != nil {
			return &storeError{err}
		}
		n := int(min(rows, batchRows))
		for _, c := range cursors {
			if c == nil {
				continue
			}
			more, err := c.more()
			if err != nil {
				return err
			}
			if !more {
				return fmt.Errorf("%w: column %s ends %d rows too early", ErrDamaged, c.leaf.Name, rows)
			}
			n = min(n, c.rows)
		}
		for i, c := range cursors {
			if c != nil {
				c.next(n, &columns[i])
				continue
			}
			made, err := other(i, n)
			if err != nil {
				return err
			}
			columns[i] = *made
		}
		if err := batch(n); err != nil {
			return err
		}
		rows -= int64(n)
	}
	return nil
}

// constant is a column that is the same in all rows of an object.
func (r *run) constant(i int, s source, n int) error {
	kind := r.types[i]
	if s.folder == nil || s.folder.null {
		constant(kind, nil, n, &r.columns[i], r.zeros)
		return nil
	}
	value, err := coerce(kind, s.folder.text)
	if err != nil {
		return err
	}
	constant(kind, value, n, &r.columns[i], r.zeros)
	return nil
}

func (r *run) column(name string) *column {
	if name == "" {
		return nil
	}
	return &r.columns[slices.Index(r.names, name)]
}

// batch takes n rows in.
func (r *run) batch(n int) error {
	r.selection = append(r.selection[:0], r.identity[:n]...)
	for j, f := range r.filters {
		if f != nil {
			r.selection = f.apply(r.column(f.Column), r.selection)
		} else if r.q.Where[j].Op != IsNull {
			r.selection = r.selection[:0]
		}
	}
	if len(r.selection) == 0 {
		return nil
	}
	if r.sink != nil {
		return r.sink()
	}
	columns := make([]*column, len(r.groups.keys))
	for i, k := range r.groups.keys {
		columns[i] = r.column(k.Column)
	}
	numbers := r.groups.number(columns, r.selection)
	if r.groups.count > r.limits.Groups {
		return fmt.Errorf(
			"%w: there are more than %d groups: group by less, or ask for fewer rows",
			ErrLimit,
			r.limits.Groups,
		)
	}
	alone := len(r.groups.keys) == 0
	size := r.groups.size()
	for j, m := range r.q.Measures {
		if r.measures[j] == nil {
			if m.Op != Count || m.Column != "" {
				continue // its column has not been found yet: it is null in all rows
			}
			r.measures[j] = &counting{}
		}
		r.measures[j].grow(r.groups.count)
		if err := r.measures[j].add(r.column(m.Column), r.selection, numbers, alone); err != nil {
			return err
		}
		size += r.measures[j].size()
	}
	if size > r.limits.Bytes {
		return fmt.Errorf(
			"%w: the groups take more than %d bytes: group by less, or ask for fewer rows",
			ErrLimit,
			r.limits.Bytes,
		)
	}
	return nil
}
