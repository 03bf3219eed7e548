package parquet_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	format "github.com/parquet-go/parquet-go"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/backup/parquet"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// got is what a reader finds in a row: a pointer is nil for null.
type got struct {
	Topic         string   `parquet:"topic"`
	Partition     int32    `parquet:"partition"`
	Offset        int64    `parquet:"offset"`
	Timestamp     *int64   `parquet:"timestamp,optional,timestamp(millisecond)"`
	TimestampType *string  `parquet:"timestamp_type,optional"`
	Key           *string  `parquet:"key,optional"`
	Value         *string  `parquet:"value,optional"`
	Headers       []header `parquet:"headers,list"`
}

type header struct {
	Key   string  `parquet:"key"`
	Value *string `parquet:"value,optional"`
}

func write(t *testing.T, w io.Writer, records []backup.FileRecord) {
	t.Helper()
	out := parquet.Format().New(w, "orders", 7)
	for _, r := range records {
		if err := out.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// shown is a field as text, in which none and empty are apart.
func shown[T any](p *T) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprintf("%q", fmt.Sprint(*p))
}

func bytesShown(p []byte) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprintf("%q", p)
}

func TestFormat(t *testing.T) {
	t.Parallel()

	t.Run("every special record is read back as it was, with none and empty apart", func(t *testing.T) {
		t.Parallel()
		var records []backup.FileRecord
		for i, r := range append(sample.Special(), batch.Record{Timestamp: -1, Value: []byte("of format 0")}) {
			r.Offset = int64(i) * 3
			records = append(records, backup.FileRecord{Record: r, LogAppendTime: i%2 == 1})
		}
		var file bytes.Buffer
		write(t, &file, records)
		rows, err := format.Read[got](bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil || len(rows) != len(records) {
			t.Fatalf("%d rows of %d, %v", len(rows), len(records), err)
		}
		for i, r := range records {
			row := rows[i]
			kind, time := "CreateTime", fmt.Sprintf("%q", fmt.Sprint(r.Timestamp))
			if r.LogAppendTime {
				kind = "LogAppendTime"
			}
			kind = fmt.Sprintf("%q", kind)
			if r.Timestamp < 0 {
				kind, time = "null", "null"
			}
			have := []string{
				row.Topic, fmt.Sprint(row.Partition, row.Offset), shown(row.Timestamp), shown(row.TimestampType),
				shown(row.Key), shown(row.Value),
			}
			want := []string{"orders", fmt.Sprint(7, r.Offset), time, kind, bytesShown(r.Key), bytesShown(r.Value)}
			for _, h := range row.Headers {
				have = append(have, fmt.Sprintf("%q", h.Key), shown(h.Value))
			}
			for _, h := range r.Headers {
				want = append(want, fmt.Sprintf("%q", h.Key), bytesShown(h.Value))
			}
			if fmt.Sprint(have) != fmt.Sprint(want) {
				t.Errorf("record %d: got %.300s, want %.300s", i, have, want)
			}
		}
	})

	t.Run("a partition without records is a file without rows", func(t *testing.T) {
		t.Parallel()
		var file bytes.Buffer
		write(t, &file, nil)
		if rows, err := format.Read[got](bytes.NewReader(file.Bytes()), int64(file.Len())); err != nil || len(rows) != 0 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	})

	t.Run("large files have many groups of rows, so that no more than one is in memory", func(t *testing.T) {
		t.Parallel()
		var file bytes.Buffer
		value := bytes.Repeat([]byte("0123456789"), 100_000)
		var records []backup.FileRecord
		for i := range int64(40) {
			records = append(records, backup.FileRecord{Record: batch.Record{Offset: i, Value: value}})
		}
		write(t, &file, records)
		opened, err := format.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil || opened.NumRows() != 40 || len(opened.RowGroups()) != 3 {
			t.Errorf("%d groups of rows, %v", len(opened.RowGroups()), err)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	records := sample.Plain(1000, 1024, 1)
	b.SetBytes(1024)
	b.ReportAllocs()
	out := parquet.Format().New(io.Discard, "orders", 7)
	for i := range b.N {
		if err := out.Write(backup.FileRecord{Record: records[i%len(records)]}); err != nil {
			b.Fatal(err)
		}
	}
}
