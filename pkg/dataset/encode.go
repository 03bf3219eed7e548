package dataset

import (
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding"
)

const (
	// RowGroupRows is how many rows a row group of an object has, but the last.
	RowGroupRows = 1 << 17

	pageBytes = 512 << 10

	// maxColumns bounds those of a dataset.
	maxColumns = 2000

	// createdBy is in each object's footer.
	createdBy = "scf-etl"
)

// Encode writes one Parquet object with rows: those of selection, in its order, or all where it is nil. Columns that
// are named in without are left out: they are in the name of the folder. The same rows give the same bytes.
func Encode(w io.Writer, rows *Rows, selection []int32, without ...string) error {
	return encode(w, newCodec(), rows, selection, without...)
}

func newCodec() *zstd.Codec { return &zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1} }

func encode(w io.Writer, codec *zstd.Codec, rows *Rows, selection []int32, without ...string) error {
	var long []string
	for i, c := range rows.columns {
		if rows.vectors[i].long() {
			long = append(long, c.Name)
		}
	}
	e, err := newEncoder(w, codec, rows, selection, long, without...)
	if err != nil {
		return err
	}
	if err := e.write(rows, selection); err != nil {
		return err
	}
	return e.close("")
}

// encoder writes one object.
type encoder struct {
	writer  *parquet.GenericWriter[any]
	columns []*parquet.ColumnWriter
	from    []int // the column of the rows for each of the object
	names   []string
	values  []parquet.Value
}

// maxBound is how long a text may be in statistics, in bytes: they are in the footer, which each reader reads.
const maxBound = 256

// long says that a column has texts that are too long for statistics.
func (v *vector) long() bool {
	begin := uint32(0)
	for _, end := range v.ends {
		if end-begin > maxBound {
			return true
		}
		begin = end
	}
	return false
}

// newEncoder begins an object with the columns of rows, and encodings that fit what is in them. Those named in long
// have no statistics.
func newEncoder(
	w io.Writer,
	codec *zstd.Codec,
	rows *Rows,
	selection []int32,
	long []string,
	without ...string,
) (e *encoder, err error) {
	// why: parquet-go panics where its caller is at fault, and a fault of ours must be an error of this object alone
	defer recovered(&err)
	group := parquet.Group{}
	position := map[string]int{}
	for i, c := range rows.columns {
		if slices.Contains(without, c.Name) {
			continue
		}
		node, err := nodeOf(c, &rows.vectors[i], selection, rows.n)
		if err != nil {
			return nil, err
		}
		if _, twice := group[c.Name]; twice {
			return nil, fmt.Errorf("there are two columns %s", c.Name)
		}
		group[c.Name], position[c.Name] = node, i
	}
	if len(group) == 0 {
		return nil, fmt.Errorf("an object needs a column")
	}
	e = &encoder{values: make([]parquet.Value, valuesAtATime)}
	options := []parquet.WriterOption{
		parquet.NewSchema("rows", group), parquet.Compression(codec), parquet.PageBufferSize(pageBytes),
		parquet.CreatedBy(createdBy, "1", ""), parquet.DataPageStatistics(false),
	}
	for _, name := range long {
		options = append(options, parquet.SkipPageBounds(name))
	}
	e.writer = parquet.NewGenericWriter[any](w, options...)
	e.columns = e.writer.ColumnWriters()
	for _, field := range e.writer.Schema().Fields() {
		e.from, e.names = append(e.from, position[field.Name()]), append(e.names, field.Name())
	}
	return e, nil
}

// write adds rows, in row groups of their own.
func (e *encoder) write(rows *Rows, selection []int32) (err error) {
	defer recovered(&err)
	total := rows.n
	if selection != nil {
		total = len(selection)
	}
	for begin := 0; begin < total; begin += RowGroupRows {
		end := min(begin+RowGroupRows, total)
		for c, from := range e.from {
			if err := encodeColumn(e.columns[c], &rows.vectors[from], selection, begin, end, e.values); err != nil {
				return fmt.Errorf("encode column %s: %w", e.names[c], err)
			}
		}
		if err := e.writer.Flush(); err != nil {
			return fmt.Errorf("encode row group: %w", err)
		}
	}
	return nil
}

// close ends the object. sources are those that it was merged of; "" for none.
func (e *encoder) close(sources string) (err error) {
	defer recovered(&err)
	if sources != "" {
		e.writer.SetKeyValueMetadata(sourcesKey, sources)
	}
	return e.writer.Close()
}

// recovered makes an error of a panic.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errPanic, p)
	}
}

// valuesAtATime bounds the memory of values on their way into a column.
const valuesAtATime = 4096

func encodeColumn(w *parquet.ColumnWriter, v *vector, selection []int32, begin, end int, values []parquet.Value) error {
	for begin < end {
		n := min(len(values), end-begin)
		if selection != nil {
			v.some(selection[begin:begin+n], values[:n])
		} else {
			v.run(begin, values[:n])
		}
		if v.nulls < len(v.valid) {
			for i := range n {
				row := begin + i
				if selection != nil {
					row = int(selection[row])
				}
				if v.valid[row] {
					values[i].SetDefinitionLevel(1)
				} else {
					values[i] = parquet.Value{}
				}
			}
		} else {
			clear(values[:n])
		}
		if _, err := w.WriteRowValues(values[:n]); err != nil {
			return err
		}
		begin += n
	}
	return nil
}

// run gives the values from a row on, nulls as zeros.
func (v *vector) run(begin int, values []parquet.Value) {
	switch v.kind {
	case Int, Timestamp:
		for i, x := range v.ints[begin : begin+len(values)] {
			values[i] = parquet.Int64Value(x)
		}
	case Float:
		for i, x := range v.floats[begin : begin+len(values)] {
			values[i] = parquet.DoubleValue(x)
		}
	case Bool:
		for i, x := range v.bools[begin : begin+len(values)] {
			values[i] = parquet.BooleanValue(x)
		}
	default:
		at := v.begin(begin)
		for i, end := range v.ends[begin : begin+len(values)] {
			values[i] = parquet.ByteArrayValue(v.data[at:end])
			at = end
		}
	}
}

// some is run for the rows of a selection.
func (v *vector) some(rows []int32, values []parquet.Value) {
	switch v.kind {
	case Int, Timestamp:
		for i, row := range rows {
			values[i] = parquet.Int64Value(v.ints[row])
		}
	case Float:
		for i, row := range rows {
			values[i] = parquet.DoubleValue(v.floats[row])
		}
	case Bool:
		for i, row := range rows {
			values[i] = parquet.BooleanValue(v.bools[row])
		}
	default:
		for i, row := range rows {
			values[i] = parquet.ByteArrayValue(v.text(int(row)))
		}
	}
}

// nodeOf says how a column is written.
func nodeOf(c Column, v *vector, selection []int32, n int) (parquet.Node, error) {
	var node parquet.Node
	var otherwise encoding.Encoding = &parquet.Plain
	switch c.Type {
	case Bool:
		return parquet.Optional(parquet.Leaf(parquet.BooleanType)), nil
	case Int:
		node, otherwise = parquet.Int(64), &parquet.DeltaBinaryPacked
	case Timestamp:
		node, otherwise = parquet.Timestamp(parquet.Millisecond), &parquet.DeltaBinaryPacked
	case Float:
		node = parquet.Leaf(parquet.DoubleType)
	case String:
		node = parquet.String()
	case Bytes:
		node = parquet.Leaf(parquet.ByteArrayType)
	default:
		return nil, fmt.Errorf("column %s has the type %q, which is none", c.Name, c.Type)
	}
	if v.repeats(selection, n) {
		otherwise = &parquet.RLEDictionary
	}
	return parquet.Optional(parquet.Encoded(node, otherwise)), nil
}

// samples is how many values say whether those of a column come again.
const samples = 2048

// repeats says that a dictionary is worth it: in samples from all over, at most a quarter are new.
func (v *vector) repeats(selection []int32, n int) bool {
	if selection != nil {
		n = len(selection)
	}
	step := max(1, n/samples)
	texts, numbers := map[string]bool{}, map[uint64]bool{}
	looked := 0
	for i := 0; i < n; i += step {
		row := i
		if selection != nil {
			row = int(selection[i])
		}
		if !v.valid[row] {
			continue
		}
		looked++
		switch v.kind {
		case Int, Timestamp:
			numbers[uint64(v.ints[row])] = true
		case Float:
			numbers[bits(v.floats[row])] = true
		default:
			texts[string(v.text(row))] = true
		}
	}
	return 4*(len(texts)+len(numbers)) <= looked
}
