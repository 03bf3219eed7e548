package dataset

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

const (
	// tailBytes is what is read of an object first: its footer, of most objects, and small ones whole.
	tailBytes = 256 << 10

	// maxFooter bounds a footer, in bytes.
	maxFooter = 64 << 20

	// maxGap is what lies between two columns that are read with one request all the same.
	maxGap = 256 << 10
)

// reading is an object that is being read: it keeps what has been fetched of it.
type reading struct {
	ctx   context.Context
	store Store
	key   string
	size  int64
	bytes int64 // that were fetched

	spans []span
	file  *parquet.File
	leafs []leaf
}

// span is a part of the object that has been fetched.
type span struct {
	from int64
	data []byte
}

// leaf is a column of the object that can be read.
type leaf struct {
	Column
	index int // of the column's chunk in each row group
	scale int64
	kind  parquet.Kind
}

// openObject reads the footer of an object. [ErrDamaged] where it has none that makes sense.
func openObject(ctx context.Context, store Store, o cos.Object) (r *reading, err error) {
	r = &reading{ctx: ctx, store: store, key: o.Key, size: o.Size}
	defer func() {
		if err != nil {
			err = fmt.Errorf("read %s: %w", o.Key, err)
		}
	}()
	if r.size < 12 {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrDamaged, r.size)
	}
	if err := r.fetch(max(0, r.size-tailBytes), r.size); err != nil {
		return nil, err
	}
	tail := r.spans[0].data
	length := int64(binary.LittleEndian.Uint32(tail[len(tail)-8:]))
	if string(tail[len(tail)-4:]) != "PAR1" || length > maxFooter || length > r.size-12 {
		return nil, fmt.Errorf("%w: its last bytes are none of a footer", ErrDamaged)
	}
	if length+8 > int64(len(tail)) {
		if err := r.fetch(r.size-length-8, r.size); err != nil {
			return nil, err
		}
	}
	return r, r.open()
}

func (r *reading) open() (err error) {
	defer damaged(&err)
	// why without the magic at the beginning: it would be one more request
	r.file, err = parquet.OpenFile(
		r,
		r.size,
		parquet.SkipMagicBytes(true),
		parquet.SkipPageIndex(true),
		parquet.SkipBloomFilters(true),
	)
	if err != nil {
		return err
	}
	if err := r.check(r.file.Metadata()); err != nil {
		return err
	}
	for _, column := range r.file.Root().Columns() {
		if !column.Leaf() || column.Repeated() {
			continue
		}
		if l, ok := leafOf(column); ok {
			r.leafs = append(r.leafs, l)
		}
	}
	return nil
}

// check makes sure that what the footer says can be.
func (r *reading) check(m *format.FileMetaData) error {
	if len(m.Schema) > maxColumns+1 {
		return fmt.Errorf("it has %d columns, more than %d", len(m.Schema)-1, maxColumns)
	}
	for _, group := range m.RowGroups {
		for i := range group.Columns {
			c := &group.Columns[i].MetaData
			begin := begins(c)
			if group.NumRows < 0 || begin < 0 || c.TotalCompressedSize < 0 || c.NumValues < 0 || begin > r.size ||
				c.TotalCompressedSize > r.size-begin {
				return fmt.Errorf("column %s is outside of the object", strings.Join(c.PathInSchema, "."))
			}
		}
	}
	return nil
}

// begins is where the chunk of a column begins.
func begins(c *format.ColumnMetaData) int64 {
	if c.DictionaryPageOffset > 0 && c.DictionaryPageOffset < c.DataPageOffset {
		return c.DictionaryPageOffset
	}
	return c.DataPageOffset
}

// leafOf says as what a column can be read.
func leafOf(c *parquet.Column) (leaf, bool) {
	l := leaf{Column: Column{Name: c.Name()}, index: c.Index(), scale: 1, kind: c.Type().Kind()}
	var logical format.LogicalTypeValue
	if t := c.Type().LogicalType(); t != nil {
		logical = t.Value
	}
	switch logical := logical.(type) {
	case nil:
		kinds := map[parquet.Kind]Type{
			parquet.Boolean: Bool, parquet.Int32: Int, parquet.Int64: Int, parquet.Float: Float, parquet.Double: Float,
			parquet.ByteArray: Bytes,
		}
		l.Type = kinds[l.kind]
	case *format.IntType:
		if (logical.IsSigned || logical.BitWidth < 64) && l.kind == parquet.Int64 || logical.IsSigned && l.kind == parquet.Int32 {
			l.Type = Int
		}
	case *format.TimestampType:
		if l.kind != parquet.Int64 {
			return l, false
		}
		l.Type = Timestamp
		switch logical.Unit.Value.(type) {
		case *format.MicroSeconds:
			l.scale = 1000
		case *format.NanoSeconds:
			l.scale = 1_000_000
		}
	case *format.StringType, *format.EnumType, *format.JsonType:
		if l.kind == parquet.ByteArray {
			l.Type = String
		}
	}
	return l, l.Type != ""
}

// damaged makes [ErrDamaged] of a panic of the library, and of its errors that are none of the store.
func damaged(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrDamaged, p)
	}
	var failed *storeError
	if *err != nil && !errors.As(*err, &failed) && !errors.Is(*err, ErrDamaged) && !errors.Is(*err, ErrQuery) &&
		!errors.Is(*err, ErrLimit) {
		*err = fmt.Errorf("%w: %w", ErrDamaged, *err)
	}
}

// storeError is one of the store, which says nothing about the object.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

// fetch reads a part of the object and keeps it alone.
func (r *reading) fetch(from, to int64) error {
	r.spans = r.spans[:0]
	return r.fetchMore(from, to)
}

func (r *reading) fetchMore(from, to int64) error {
	body, o, err := r.store.GetRange(r.ctx, r.key, from, to-from)
	if err != nil {
		return &storeError{err}
	}
	defer body.Close()
	if o.Size != r.size {
		return &storeError{fmt.Errorf("it has %d bytes, and was listed with %d: %w", o.Size, r.size, cos.ErrChanged)}
	}
	data := make([]byte, to-from)
	n, err := io.ReadFull(body, data)
	r.bytes += int64(n)
	if err != nil {
		return &storeError{err}
	}
	r.spans = append(r.spans, span{from, data})
	return nil
}

// fetchColumns reads the chunks of columns of a row group: those that are near to each other with one request.
func (r *reading) fetchColumns(group int, columns []int, limit int64) error {
	type part struct{ from, to int64 }
	var parts []part
	var total int64
	for _, c := range columns {
		m := &r.file.Metadata().RowGroups[group].Columns[c].MetaData
		parts = append(parts, part{begins(m), begins(m) + m.TotalCompressedSize})
		total += m.TotalCompressedSize
	}
	if total > limit {
		return fmt.Errorf("%w: the columns of row group %d have %d bytes, more than %d", ErrLimit, group, total, limit)
	}
	if len(r.spans) == 1 && r.spans[0].from == 0 && int64(len(r.spans[0].data)) == r.size {
		return nil // a small object is here whole
	}
	slices.SortFunc(parts, func(a, b part) int { return int(max(-1, min(1, a.from-b.from))) })
	r.spans = r.spans[:0]
	for i := 0; i < len(parts); {
		from, to := parts[i].from, parts[i].to
		for i++; i < len(parts) && parts[i].from-to < maxGap; i++ {
			to = max(to, parts[i].to)
		}
		if err := r.fetchMore(from, to); err != nil {
			return err
		}
	}
	return nil
}

// ReadAt reads what has been fetched.
func (r *reading) ReadAt(p []byte, offset int64) (int, error) {
	for _, s := range r.spans {
		if offset >= s.from && offset < s.from+int64(len(s.data)) {
			n := copy(p, s.data[offset-s.from:])
			if n < len(p) {
				return n, io.EOF
			}
			return n, nil
		}
	}
	return 0, io.EOF
}
