package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// batchRows is how many rows a query goes through at a time, at most.
	batchRows = 8192

	// maxPage bounds a page when it is decompressed, in bytes, and maxPageValues what is in it.
	maxPage       = 64 << 20
	maxPageValues = 16 << 20
)

// column is the values of a column in a batch of rows. Those of a dictionary are codes of its entries.
type column struct {
	kind  Type
	valid []bool // nil: all are
	dict  *dictionary
	codes []int32
	plain values
}

// values are of one kind. Text i is data[begin[i]:end[i]].
type values struct {
	ints       []int64
	floats     []float64
	bools      []bool
	data       []byte
	begin, end []uint32
}

func (v *values) text(i int) []byte { return v.data[v.begin[i]:v.end[i]] }

// dictionary is that of a column in a row group.
type dictionary struct {
	values
	n int
}

// cursor goes through the pages of a column of a row group.
type cursor struct {
	leaf  leaf
	pages parquet.Pages
	page  parquet.Page
	rows  int // of the page that are left

	dictionary *dictionary
	of         parquet.Dictionary

	levels  []byte // of the rows that are left; nil where there are no nulls
	codes   []int32
	current values
	bits    []byte // of booleans
	bit     int

	// memory of what is expanded
	valid   []bool
	xcodes  []int32
	scratch values
}

func newCursor(r *reading, group int, l leaf) (*cursor, error) {
	chunk, ok := r.file.RowGroups()[group].ColumnChunks()[l.index].(*parquet.FileColumnChunk)
	if !ok {
		return nil, fmt.Errorf("%w: column %s cannot be read", ErrDamaged, l.Name)
	}
	if err := r.checkPages(group, l); err != nil {
		return nil, err
	}
	return &cursor{leaf: l, pages: chunk.PagesFrom(r)}, nil
}

// checkPages looks at the headers of a column's pages: the library takes the memory that they name.
func (r *reading) checkPages(group int, l leaf) error {
	m := &r.file.Metadata().RowGroups[group].Columns[l.index].MetaData
	data := make([]byte, 0)
	for _, s := range r.spans {
		if from := begins(m); from >= s.from && from+m.TotalCompressedSize <= s.from+int64(len(s.data)) {
			data = s.data[from-s.from : from-s.from+m.TotalCompressedSize]
		}
	}
	var protocol thrift.CompactProtocol
	for rest := bytes.NewReader(data); rest.Len() > 0; {
		var header format.PageHeader
		if err := thrift.NewDecoder(protocol.NewReader(rest)).Decode(&header); err != nil {
			return fmt.Errorf("%w: a page of column %s: %w", ErrDamaged, l.Name, err)
		}
		count := max(
			header.DataPageHeader.V.NumValues,
			header.DataPageHeaderV2.V.NumValues,
			header.DictionaryPageHeader.V.NumValues,
		)
		if header.UncompressedPageSize > maxPage || count > maxPageValues || header.CompressedPageSize < 0 {
			return fmt.Errorf("%w: a page of column %s has %d bytes and %d values, more than %d and %d", ErrDamaged, l.Name,
				header.UncompressedPageSize, count, maxPage, maxPageValues)
		}
		body := data[len(data)-rest.Len():]
		if int(header.CompressedPageSize) > len(body) {
			return fmt.Errorf("%w: a page of column %s is cut short", ErrDamaged, l.Name)
		}
		body = body[:header.CompressedPageSize]
		if v2 := header.DataPageHeaderV2; v2.Valid {
			levels := int64(v2.V.RepetitionLevelsByteLength) + int64(v2.V.DefinitionLevelsByteLength)
			if levels < 0 || levels > int64(len(body)) {
				return fmt.Errorf("%w: a page of column %s has levels of %d bytes", ErrDamaged, l.Name, levels)
			}
			body = body[levels:]
		}
		if err := r.checkBody(m.Codec, body); err != nil {
			return fmt.Errorf("%w: a page of column %s: %w", ErrDamaged, l.Name, err)
		}
		if _, err := rest.Seek(int64(header.CompressedPageSize), io.SeekCurrent); err != nil {
			return err
		}
	}
	return nil
}

// checkBody makes sure that a page is no bomb: the library decompresses all of it, whatever its header says.
func (r *reading) checkBody(codec format.CompressionCodec, body []byte) error {
	if len(body) == 0 {
		return nil
	}
	switch codec {
	case format.Uncompressed:
		return nil
	case format.Snappy:
		if size, n := binary.Uvarint(body); n <= 0 || size > maxPage {
			return fmt.Errorf("it has %d bytes when it is decompressed, more than %d", size, maxPage)
		}
		return nil
	case format.Zstd:
		var header zstd.Header
		if err := header.Decode(body); err != nil {
			return err
		}
		if header.HasFCS && !header.Skippable {
			if header.FrameContentSize > maxPage {
				return fmt.Errorf("it has %d bytes when it is decompressed, more than %d", header.FrameContentSize, maxPage)
			}
			return nil
		}
		return r.inflate(body)
	}
	return fmt.Errorf("it is compressed by %s: snappy, zstd and none can be read", codec)
}

// inflate looks how large a page is that does not say so.
func (r *reading) inflate(body []byte) error {
	decoder, err := zstd.NewReader(
		bytes.NewReader(body),
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxWindow(maxPage),
	)
	if err != nil {
		return err
	}
	defer decoder.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(decoder, maxPage+1))
	if err == nil && n > maxPage {
		err = fmt.Errorf("it has more than %d bytes when it is decompressed", maxPage)
	}
	return err
}

func (c *cursor) close() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
	_ = c.pages.Close()
}

// more makes sure that rows are left; false at the end.
func (c *cursor) more() (bool, error) {
	for c.rows == 0 {
		if c.page != nil {
			parquet.Release(c.page)
			c.page = nil
		}
		page, err := c.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		c.page = page
		if err := c.take(page); err != nil {
			return false, err
		}
	}
	return true, nil
}

// take readies a page.
func (c *cursor) take(page parquet.Page) error {
	c.rows = int(page.NumRows())
	c.levels = nil
	if levels := page.DefinitionLevels(); page.NumNulls() > 0 {
		if len(levels) != c.rows {
			return fmt.Errorf(
				"%w: a page of column %s has levels of %d of %d rows",
				ErrDamaged,
				c.leaf.Name,
				len(levels),
				c.rows,
			)
		}
		c.levels = levels
	}
	data := page.Data()
	c.codes = nil
	if d := page.Dictionary(); d != nil {
		if c.of != d {
			c.of, c.dictionary = d, &dictionary{n: d.Len()}
			if err := c.read(&c.dictionary.values, d.Page().Data(), d.Len(), new([]byte)); err != nil {
				return err
			}
			if c.leaf.Type == Bool {
				return fmt.Errorf("%w: column %s is a dictionary of true and false", ErrDamaged, c.leaf.Name)
			}
		}
		c.codes = data.Int32()
		for _, code := range c.codes {
			if uint(code) >= uint(c.dictionary.n) {
				return fmt.Errorf("%w: column %s names what its dictionary does not have", ErrDamaged, c.leaf.Name)
			}
		}
		return c.enough(len(c.codes))
	}
	c.bit = 0
	if err := c.read(&c.current, data, c.rows-int(page.NumNulls()), &c.bits); err != nil {
		return err
	}
	switch c.leaf.Type {
	case Int, Timestamp:
		return c.enough(len(c.current.ints))
	case Float:
		return c.enough(len(c.current.floats))
	case Bool:
		return c.enough(8 * len(c.bits))
	}
	return c.enough(len(c.current.begin))
}

func (c *cursor) enough(n int) error {
	want := c.rows
	for _, level := range c.levels {
		if level == 0 {
			want--
		}
	}
	if n < want {
		return fmt.Errorf("%w: a page of column %s has %d values, and should have %d", ErrDamaged, c.leaf.Name, n, want)
	}
	return nil
}

// read gives data as values of the column's type.
func (c *cursor) read(v *values, data encoding.Values, n int, bits *[]byte) error {
	*v = values{ints: v.ints[:0], floats: v.floats[:0]}
	switch c.leaf.kind {
	case parquet.Boolean:
		*bits = data.Boolean()
	case parquet.Int32:
		for _, x := range data.Int32() {
			v.ints = append(v.ints, int64(x))
		}
	case parquet.Int64:
		if c.leaf.scale == 1 {
			v.ints = data.Int64()
			break
		}
		for _, x := range data.Int64() {
			v.ints = append(v.ints, floorDiv(x, c.leaf.scale))
		}
	case parquet.Float:
		for _, x := range data.Float() {
			v.floats = append(v.floats, float64(x))
		}
	case parquet.Double:
		v.floats = data.Double()
	default:
		text, offsets := data.ByteArray()
		if len(offsets) == 0 && n == 0 {
			return nil
		}
		if len(offsets) < n+1 {
			return fmt.Errorf("%w: column %s has %d texts of %d", ErrDamaged, c.leaf.Name, len(offsets)-1, n)
		}
		v.data, v.begin, v.end = text, offsets[:len(offsets)-1], offsets[1:]
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// next gives the values of the next n rows, which the page must have. They are valid until the next call.
func (c *cursor) next(n int, out *column) {
	*out = column{kind: c.leaf.Type}
	c.rows -= n
	if c.levels == nil {
		c.straight(n, out)
		return
	}
	levels := c.levels[:n]
	c.levels = c.levels[n:]
	c.valid = c.valid[:0]
	for _, level := range levels {
		c.valid = append(c.valid, level != 0)
	}
	out.valid = c.valid
	c.expand(out)
}

func (c *cursor) straight(n int, out *column) {
	v := &c.current
	switch {
	case c.codes != nil:
		out.dict, out.codes, c.codes = c.dictionary, c.codes[:n], c.codes[n:]
	case v.begin != nil:
		out.plain = values{data: v.data, begin: v.begin[:n], end: v.end[:n]}
		v.begin, v.end = v.begin[n:], v.end[n:]
	case c.leaf.Type == Bool:
		c.scratch.bools = c.scratch.bools[:0]
		for range n {
			c.scratch.bools = append(c.scratch.bools, c.bits[c.bit/8]>>(c.bit%8)&1 == 1)
			c.bit++
		}
		out.plain.bools = c.scratch.bools
	case c.leaf.Type == Float:
		out.plain.floats, v.floats = v.floats[:n], v.floats[n:]
	case c.leaf.Type == Int || c.leaf.Type == Timestamp:
		out.plain.ints, v.ints = v.ints[:n], v.ints[n:]
	}
}

// expand puts the values where their rows are.
func (c *cursor) expand(out *column) {
	v, s := &c.current, &c.scratch
	switch {
	case c.codes != nil:
		c.xcodes = spread(c.xcodes, c.valid, &c.codes)
		out.dict, out.codes = c.dictionary, c.xcodes
	case c.leaf.Type == Bool:
		s.bools = s.bools[:0]
		for _, valid := range c.valid {
			value := false
			if valid {
				value = c.bits[c.bit/8]>>(c.bit%8)&1 == 1
				c.bit++
			}
			s.bools = append(s.bools, value)
		}
		out.plain.bools = s.bools
	case c.leaf.Type == Float:
		s.floats = spread(s.floats, c.valid, &v.floats)
		out.plain.floats = s.floats
	case c.leaf.Type == Int || c.leaf.Type == Timestamp:
		s.ints = spread(s.ints, c.valid, &v.ints)
		out.plain.ints = s.ints
	default:
		s.begin, s.end = spread(s.begin, c.valid, &v.begin), spread(s.end, c.valid, &v.end)
		out.plain = values{data: v.data, begin: s.begin, end: s.end}
	}
}

// spread takes a value from for each valid row; others get a zero.
func spread[T any](to []T, valid []bool, from *[]T) []T {
	to = to[:0]
	rest := *from
	for _, ok := range valid {
		var value T
		if ok {
			value, rest = rest[0], rest[1:]
		}
		to = append(to, value)
	}
	*from = rest
	return to
}

// constant is a column with one value in all rows.
func constant(kind Type, value any, n int, out *column, zeros []int32) {
	d := &dictionary{n: 1}
	*out = column{kind: kind, dict: d, codes: zeros[:n]}
	switch value := value.(type) {
	case nil:
		d.values = values{ints: []int64{0}, floats: []float64{0}, bools: []bool{false}, begin: []uint32{0}, end: []uint32{0}}
		out.valid = make([]bool, n)
	case int64:
		d.ints = []int64{value}
	case string:
		d.data, d.begin, d.end = []byte(value), []uint32{0}, []uint32{uint32(len(value))}
	}
}
