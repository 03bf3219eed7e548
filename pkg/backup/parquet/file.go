// Package parquet is the format of a backup's records in files for analysis. It is not part
// of package backup, because a function that restores to a cluster has no use for it.
package parquet

import (
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/scf-etl/scf-etl/pkg/backup"
)

// row is the schema. Nothing of it is filled: a struct would not tell a value of no bytes
// from none.
type row struct {
	Topic         string   `parquet:"topic,dict"`
	Partition     int32    `parquet:"partition,dict"`
	Offset        int64    `parquet:"offset,delta"`
	Timestamp     int64    `parquet:"timestamp,optional,timestamp(millisecond)"` // null for none
	TimestampType string   `parquet:"timestamp_type,optional,dict"`              // CreateTime or LogAppendTime
	Key           []byte   `parquet:"key,optional"`
	Value         []byte   `parquet:"value,optional"`
	Headers       []header `parquet:"headers,list"`
}

type header struct {
	Key   string `parquet:"key"`
	Value []byte `parquet:"value,optional"`
}

// The columns of the schema, in its order.
const (
	columnTopic = iota
	columnPartition
	columnOffset
	columnTimestamp
	columnTimestampType
	columnKey
	columnValue
	columnHeaderKey
	columnHeaderValue
)

const (
	// A group of rows is in memory until it is written.
	groupBytes = 16 << 20
	groupRows  = 1 << 20
	pageBytes  = 1 << 20
)

// file writes records as rows.
type file struct {
	out       *parquet.Writer
	topic     parquet.Value
	partition parquet.Value
	row       parquet.Row
	size      int // of the group at hand
	rows      int
}

// Format is Parquet, compressed with zstd: a row a record, with the columns topic, partition,
// offset, timestamp (of milliseconds, null for none), timestamp_type (CreateTime or
// LogAppendTime), key, value (null for none), and headers, a list of key and value. About
// 16 MiB of records are in memory for each file under way.
func Format() backup.FileFormat { return backup.FileFormat{Extension: "parquet", New: create} }

func create(w io.Writer, topic string, partition int32) backup.RecordWriter {
	return &file{
		out: parquet.NewWriter(
			w,
			parquet.SchemaOf(row{}),
			parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
			parquet.PageBufferSize(pageBytes),
			parquet.CreatedBy("scf-etl", "1", ""),
		),
		topic:     parquet.ByteArrayValue([]byte(topic)).Level(0, 0, columnTopic),
		partition: parquet.Int32Value(partition).Level(0, 0, columnPartition),
	}
}

// Write adds a row.
func (f *file) Write(r backup.FileRecord) error {
	f.row = append(f.row[:0], f.topic, f.partition, parquet.Int64Value(r.Offset).Level(0, 0, columnOffset))
	if r.Timestamp < 0 {
		f.row = append(f.row, null(0, 0, columnTimestamp), null(0, 0, columnTimestampType))
	} else {
		kind := "CreateTime"
		if r.LogAppendTime {
			kind = "LogAppendTime"
		}
		f.row = append(
			f.row,
			parquet.Int64Value(r.Timestamp).Level(0, 1, columnTimestamp),
			parquet.ByteArrayValue([]byte(kind)).Level(0, 1, columnTimestampType),
		)
	}
	f.row = append(f.row, optional(r.Key, 0, 0, columnKey), optional(r.Value, 0, 0, columnValue))
	f.size += len(r.Key) + len(r.Value)
	// Column by column: the names of all headers, then their values.
	for i, h := range r.Headers {
		f.row = append(f.row, parquet.ByteArrayValue([]byte(h.Key)).Level(min(i, 1), 1, columnHeaderKey))
		f.size += len(h.Key) + len(h.Value)
	}
	if len(r.Headers) == 0 {
		f.row = append(f.row, null(0, 0, columnHeaderKey))
	}
	for i, h := range r.Headers {
		f.row = append(f.row, optional(h.Value, min(i, 1), 1, columnHeaderValue))
	}
	if len(r.Headers) == 0 {
		f.row = append(f.row, null(0, 0, columnHeaderValue))
	}
	if _, err := f.out.WriteRows([]parquet.Row{f.row}); err != nil {
		return err
	}
	if f.rows++; f.size < groupBytes && f.rows < groupRows {
		return nil
	}
	f.size, f.rows = 0, 0
	return f.out.Flush()
}

// Close writes the last rows, and what is where.
func (f *file) Close() error { return f.out.Close() }

// optional is a value that may be none: nil is none, and no bytes are a value.
func optional(p []byte, repetition, definition, column int) parquet.Value {
	if p == nil {
		return null(repetition, definition, column)
	}
	return parquet.ByteArrayValue(p).Level(repetition, definition+1, column)
}

func null(repetition, definition, column int) parquet.Value {
	return parquet.NullValue().Level(repetition, definition, column)
}
