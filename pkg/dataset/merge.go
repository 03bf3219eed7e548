package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Merged is the first character of the names of objects that were merged of others in their folder. It is behind all
// that begin the name of another one, so that a listing that finds some of the others gone finds the merged one.
const Merged = "~"

// sourcesKey is the entry of a footer that names the objects that one was merged of.
const sourcesKey = "scf-etl.sources"

// mergeBytes is about how much is in memory of the rows of a merge.
const mergeBytes = 32 << 20

// Merge makes one object of others in the same folder, with their rows in order, under a name that begins with
// [Merged]. It creates it only where none is; where one is, that is no error: it was made before, of the same ones.
// The others stay: [Dataset.Query] leaves them out from then on. An object that is gone is [cos.ErrNotFound].
func (d *Dataset) Merge(ctx context.Context, name string, objects []Object) (err error) {
	if len(objects) == 0 || !strings.HasPrefix(name, Merged) {
		return fmt.Errorf("merge %q of %d objects: want a name that begins with %s, and objects", name, len(objects), Merged)
	}
	folder := path.Dir(objects[0].Path)
	var sources []string
	for _, o := range objects {
		if path.Dir(o.Path) != folder {
			return fmt.Errorf("merge %s: %s is in another folder than %s", name, o.Path, objects[0].Path)
		}
		sources = append(sources, path.Base(o.Path))
	}
	columns, long, err := d.columnsOf(ctx, objects)
	if err != nil {
		return err
	}
	note, err := json.Marshal(sources)
	if err != nil {
		return err
	}
	key := path.Join(path.Dir(objects[0].Key), name+suffix)
	body, into := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := d.merge(ctx, into, columns, long, objects, string(note))
		_ = into.CloseWithError(err)
		written <- err
	}()
	_, err = d.store.Put(ctx, key, body, cos.PutOptions{IfAbsent: true})
	_ = body.CloseWithError(errors.New("the object is not wanted any more")) // where put has ended before all was read
	if writeErr := <-written; errors.Is(err, cos.ErrExists) {
		return nil
	} else if err != nil {
		return errors.Join(err, writeErr)
	}
	return nil
}

// columnsOf are all columns that objects have, and those of them without statistics. Two of one name and not of one
// type are an error.
func (d *Dataset) columnsOf(ctx context.Context, objects []Object) (columns []Column, long []string, err error) {
	for _, o := range objects {
		r, err := openObject(ctx, d.store, o.Object)
		if err != nil {
			return nil, nil, err
		}
		if len(r.leafs) != len(r.file.Root().Columns()) {
			return nil, nil, fmt.Errorf("merge %s: %w: it has columns that this program does not write", o.Key, ErrDamaged)
		}
		for _, l := range r.leafs {
			i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == l.Name })
			if i < 0 {
				columns = append(columns, l.Column)
			}
			if r.unbounded(l) && !slices.Contains(long, l.Name) {
				long = append(long, l.Name)
			}
			if i >= 0 && columns[i].Type != l.Type {
				return nil, nil, fmt.Errorf(
					"merge %s: column %s is %s, and %s in another object",
					o.Key,
					l.Name,
					l.Type,
					columns[i].Type,
				)
			}
		}
	}
	return columns, long, nil
}

// unbounded says that a column has a row group with values and without statistics.
func (r *reading) unbounded(l leaf) bool {
	for _, group := range r.file.RowGroups() {
		chunk, ok := group.ColumnChunks()[l.index].(*parquet.FileColumnChunk)
		if !ok {
			return true
		}
		if _, _, bounded := chunk.Bounds(); !bounded && chunk.NullCount() < group.NumRows() {
			return true
		}
	}
	return false
}

func (d *Dataset) merge(
	ctx context.Context,
	w io.Writer,
	columns []Column,
	long []string,
	objects []Object,
	note string,
) error {
	rows := NewRows(columns)
	var e *encoder
	flush := func() (err error) {
		if e == nil {
			if e, err = newEncoder(w, d.codec, rows, nil, long); err != nil {
				return err
			}
		}
		if rows.n > 0 {
			err = e.write(rows, nil)
		}
		rows.Reset()
		return err
	}
	for _, o := range objects {
		err := d.readInto(ctx, o, rows, func() error {
			if rows.n >= RowGroupRows-batchRows || rows.Size() >= mergeBytes {
				return flush()
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return e.close(note)
}

// readInto appends all rows of an object; full is called after each batch of them.
func (d *Dataset) readInto(ctx context.Context, o Object, rows *Rows, full func() error) (err error) {
	r, err := openObject(ctx, d.store, o.Object)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("read %s: %w", o.Key, err)
		}
	}()
	defer damaged(&err)
	sources := make([]source, len(rows.columns))
	for i, c := range rows.columns {
		sources[i] = sourceOf(c.Name, r.leafs, nil)
	}
	columns := make([]column, len(sources))
	zeros := make([]int32, batchRows)
	for g, group := range r.file.RowGroups() {
		err := r.rowGroup(ctx, g, group.NumRows(), defaultRowGroupBytes, sources, func(i, n int) (*column, error) {
			constant(rows.columns[i].Type, nil, n, &columns[i], zeros)
			return &columns[i], nil
		}, columns, func(n int) error {
			for i := range columns {
				if !rows.vectors[i].append(&columns[i], n) {
					return fmt.Errorf("%w: the texts of column %s", ErrLimit, rows.columns[i].Name)
				}
			}
			rows.n += n
			return full()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// append adds n values of a column; false where there is no place for its texts.
func (v *vector) append(c *column, n int) bool {
	for i := range n {
		ok := c.valid == nil || c.valid[i]
		v.valid = append(v.valid, true)
		if !ok {
			v.null()
			continue
		}
		from, at := &c.plain, i
		if c.dict != nil {
			from, at = &c.dict.values, int(c.codes[i])
		}
		switch v.kind {
		case Int, Timestamp:
			v.ints = append(v.ints, from.ints[at])
		case Float:
			v.floats = append(v.floats, from.floats[at])
		case Bool:
			v.bools = append(v.bools, from.bools[at])
		default:
			text := from.text(at)
			if len(v.data)+len(text) > maxText {
				return false
			}
			v.data = append(v.data, text...)
			v.ends = append(v.ends, uint32(len(v.data)))
		}
	}
	return true
}

// Sources gives the names of the objects that one was merged of; none where it was not.
func (d *Dataset) Sources(ctx context.Context, o Object) ([]string, error) {
	r, err := openObject(ctx, d.store, o.Object)
	if err != nil {
		return nil, err
	}
	return r.sources()
}

func (r *reading) sources() (names []string, err error) {
	text, ok := r.file.Lookup(sourcesKey)
	if !ok {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("read %s: %w: the names of what it was merged of: %w", r.key, ErrDamaged, err)
	}
	return names, nil
}
