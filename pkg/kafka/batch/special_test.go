package batch_test

import (
	"bytes"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

var codecs = []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd}

// special returns the records that copies tend to change, with offsets counted from 0.
func special() []batch.Record {
	noise := make([]byte, 900_000)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(noise)
	value := []byte("value")
	records := []batch.Record{
		{Key: nil, Value: value},
		{Key: []byte{}, Value: value},
		{Key: []byte("key"), Value: value},
		{Key: []byte("key"), Value: nil},
		{Key: []byte("key"), Value: []byte{}},
		{Key: nil, Value: nil},
		{Key: []byte{}, Value: []byte{}},
		{Value: []byte{0}},
		{Value: []byte{0xff, 0xfe, 0xc0, 0x80}},
		{Key: []byte{0xed, 0xa0, 0x80}, Value: bytes.Repeat([]byte("record "), 900_000/7)},
		{Value: noise},
		{Value: value, Headers: []batch.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}, {Key: "h", Value: []byte("1")}}},
		{Value: value, Headers: []batch.Header{{Key: "nil"}, {Key: "empty", Value: []byte{}}, {Key: "", Value: []byte{0}}}},
		{Value: value, Headers: []batch.Header{{Key: "\xff\xfe", Value: nil}}},
		{Value: nil, Headers: []batch.Header{{Key: string(bytes.Repeat([]byte("name"), 100)), Value: noise[:70_000]}}},
	}
	for _, t := range []time.Time{
		time.UnixMilli(0), time.UnixMilli(1), time.UnixMilli(-1),
		time.Date(1999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC),
		time.Date(2100, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		records = append(records, batch.Record{Value: value, Timestamp: t.UnixMilli()})
	}
	records = append(records,
		batch.Record{Timestamp: math.MaxInt64, Value: value},
		batch.Record{Timestamp: math.MinInt64, Value: value})
	for i := range records {
		records[i].Offset = int64(i)
	}
	return records
}

// sameBytes keeps nil and empty apart, and is quick on large values.
var sameBytes = cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) })

// diff names the first record that differs.
func diff(want, got []batch.Record) string {
	for i := range min(len(want), len(got)) {
		if !cmp.Equal(want[i], got[i], sameBytes) {
			d := cmp.Diff(want[i], got[i])
			return fmt.Sprintf("record %d: %s", i, d[:min(len(d), 2000)])
		}
	}
	return cmp.Diff(len(want), len(got))
}

func collect(t *testing.T, seq iter.Seq2[batch.Record, error]) []batch.Record {
	t.Helper()
	var records []batch.Record
	for r, err := range seq {
		if err != nil {
			t.Fatalf("after %d records: %v", len(records), err)
		}
		records = append(records, r)
	}
	return records
}

func lastError(seq iter.Seq2[batch.Record, error]) (n int, err error) {
	for _, e := range seq {
		if err = e; err == nil {
			n++
		}
	}
	return n, err
}

func build(t testing.TB, opts batch.Options, records ...batch.Record) batch.Batch {
	t.Helper()
	b, err := batch.Build(opts, records)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
