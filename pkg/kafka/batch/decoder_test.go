package batch_test

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	two := build(t, batch.Options{}, batch.Record{Timestamp: 100, Key: []byte("a")}, batch.Record{Timestamp: 90, Key: []byte("b")})

	t.Run("offsets are absolute", func(t *testing.T) {
		t.Parallel()
		b := patched(two, func(b batch.Batch) { be.PutUint64(b, 1<<50) })
		records := collect(t, b.Records(nil))
		if records[0].Offset != 1<<50 || records[1].Offset != b.LastOffset() {
			t.Errorf("%d, %d", records[0].Offset, records[1].Offset)
		}
	})
	t.Run("times of the broker replace those of the records", func(t *testing.T) {
		t.Parallel()
		b := patched(two, func(b batch.Batch) { b[22] |= 0x08; be.PutUint64(b[35:], 5000) })
		for _, r := range collect(t, b.Records(nil)) {
			if r.Timestamp != 5000 {
				t.Errorf("time %d", r.Timestamp)
			}
		}
	})
	t.Run("offsets that compaction removed stay away", func(t *testing.T) {
		t.Parallel()
		sparse := kmsgWrite(t, batch.None, []batch.Record{{Offset: 10}, {Offset: 13}, {Offset: 900}})
		var offsets []int64
		for _, r := range collect(t, sparse.Records(nil)) {
			offsets = append(offsets, r.Offset)
		}
		if d := cmp.Diff([]int64{10, 13, 900}, offsets); d != "" || sparse.Dense() {
			t.Error(d)
		}
	})
	t.Run("a batch that compaction emptied has no records, whatever its codec bits", func(t *testing.T) {
		t.Parallel()
		for _, codec := range codecs {
			b := patched(two[:batch.HeaderSize], func(b batch.Batch) {
				b[22] |= byte(codec)
				be.PutUint32(b[8:], batch.HeaderSize-12)
				be.PutUint32(b[57:], 0)
			})
			if n := len(collect(t, b.Records(nil))); n != 0 || b.Verify() != nil || b.Dense() {
				t.Errorf("%v: %d records", codec, n)
			}
		}
	})
	t.Run("a loop may stop early and start again", func(t *testing.T) {
		t.Parallel()
		var d batch.Decoder
		for range 3 {
			for r := range two.Records(&d) {
				if string(r.Key) != "a" {
					t.Errorf("key %q", r.Key)
				}
				break
			}
		}
	})
}

func TestRecordsStayValid(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs {
		t.Run("all records of a batch are good until the next one, and after Detach for good: "+codec.String(), func(t *testing.T) {
			t.Parallel()
			want := special()
			var d batch.Decoder
			first := collect(t, build(t, batch.Options{Codec: codec}, want...).Records(&d))
			if d := diff(want, first); d != "" {
				t.Fatal(d)
			}
			d.Detach()
			for range 3 {
				collect(t, kmsgWrite(t, codec, []batch.Record{{Value: slices.Repeat([]byte("x"), 2_000_000), Headers: make([]batch.Header, 50)}}).Records(&d))
			}
			if d := diff(want, first); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("a clone shares nothing with the batch", func(t *testing.T) {
		t.Parallel()
		want := special()
		b := build(t, batch.Options{}, want...)
		var got []batch.Record
		for _, r := range collect(t, b.Records(nil)) {
			got = append(got, r.Clone())
		}
		clear(b)
		if d := diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

// framed makes an uncompressed batch with the given bytes as records.
func framed(t testing.TB, count int32, records ...byte) batch.Batch {
	t.Helper()
	b := build(t, batch.Options{}, batch.Record{})
	b = append(b[:batch.HeaderSize:batch.HeaderSize], records...)
	return patched(b, func(b batch.Batch) {
		be.PutUint32(b[8:], uint32(len(b)-12))
		be.PutUint32(b[23:], uint32(count-1))
		be.PutUint32(b[57:], uint32(count))
	})
}

func TestCorruptRecords(t *testing.T) {
	t.Parallel()
	record := []byte{12, 0, 0, 0, 1, 1, 0} // nil key, nil value, no headers
	for name, tc := range map[string]struct {
		count   int32
		records []byte
		want    string
	}{
		"more records claimed than fit":       {2, record, "claims 2 records"},
		"count is negative":                   {-1, record, "claims -1 records"},
		"count is the largest number":         {math.MaxInt32, record, "claims 2147483647 records"},
		"bytes after the last record":         {1, append(slices.Clone(record), 0), "1 bytes after its last record"},
		"offset repeats":                      {2, append(slices.Clone(record), record...), "not above 0"},
		"offset beyond the last":              {1, []byte{12, 0, 0, 2, 1, 1, 0}, "offset delta 1"},
		"offset before the first":             {1, []byte{12, 0, 0, 1, 1, 1, 0}, "offset delta -1"},
		"record longer than the batch":        {1, []byte{14, 0, 0, 0, 1, 1, 0}, "length 7, 6 bytes are left"},
		"record of negative length":           {1, []byte{1, 0, 0, 0, 1, 1, 0}, "length -1"},
		"record shorter than its fields":      {1, []byte{10, 0, 0, 0, 1, 1, 0}, "points outside"},
		"record longer than its fields":       {1, []byte{14, 0, 0, 0, 1, 1, 0, 0}, "left over"},
		"key longer than its record":          {1, []byte{12, 0, 0, 0, 8, 1, 0}, "points outside"},
		"key of length -2":                    {1, []byte{12, 0, 0, 0, 3, 1, 0}, "points outside"},
		"length of more than 32 bits":         {1, []byte{20, 0, 0, 0, 0x82, 0x80, 0x80, 0x80, 0x20, 1, 0}, "points outside"},
		"time of more than 64 bits":           {1, []byte{30, 0, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2, 0, 1, 1, 0}, "points outside"},
		"number that never ends":              {1, []byte{18, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "points outside"},
		"negative number of headers":          {1, []byte{12, 0, 0, 0, 1, 1, 1}, "-1 headers"},
		"more headers than bytes":             {1, []byte{16, 0, 0, 0, 1, 1, 4, 0, 1}, "2 headers in 2 bytes"},
		"header without a name":               {1, []byte{16, 0, 0, 0, 1, 1, 2, 1, 1}, "header without a name"},
		"header value longer than its record": {1, []byte{18, 0, 0, 0, 1, 1, 2, 0, 8, 0}, "points outside"},
	} {
		t.Run("an error says that "+name, func(t *testing.T) {
			t.Parallel()
			b := framed(t, tc.count, tc.records...)
			_, err := lastError(b.Records(nil))
			if !errors.Is(err, batch.ErrCorrupt) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
	t.Run("the good records before a bad one are seen", func(t *testing.T) {
		t.Parallel()
		b := framed(t, 2, append(slices.Clone(record), 12, 0, 0, 2, 8, 1, 0)...)
		if n, err := lastError(b.Records(nil)); n != 1 || !errors.Is(err, batch.ErrCorrupt) {
			t.Errorf("%d records, %v", n, err)
		}
	})
	t.Run("a slice that is no batch is an error, not a panic", func(t *testing.T) {
		t.Parallel()
		for n := range batch.HeaderSize {
			if _, err := lastError(batch.Batch(make([]byte, n)).Records(nil)); !errors.Is(err, batch.ErrCorrupt) {
				t.Fatal(n, err)
			}
		}
	})
	t.Run("compressed bytes that are damaged or cut are an error", func(t *testing.T) {
		t.Parallel()
		for codec := batch.Gzip; codec <= 7; codec++ {
			b := build(t, batch.Options{Codec: min(codec, batch.Zstd)}, special()[:8]...)
			b[22] = b[22]&^7 | byte(codec)
			for _, bad := range []batch.Batch{b[:len(b)-5], b[:batch.HeaderSize+3], b[:batch.HeaderSize], append(b[:batch.HeaderSize:batch.HeaderSize], "garbage that is no frame"...)} {
				if _, err := lastError(bad.Records(nil)); !errors.Is(err, batch.ErrCorrupt) {
					t.Errorf("%v, %d bytes: %v", codec, len(bad), err)
				}
			}
		}
	})
}

func TestLimit(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs[1:] {
		t.Run("decompression stops at the limit of the decoder: "+codec.String(), func(t *testing.T) {
			t.Parallel()
			bomb := build(t, batch.Options{Codec: codec}, batch.Record{Value: make([]byte, 20<<20)})
			d := batch.Decoder{Limit: 16 << 20}
			if _, err := lastError(bomb.Records(&d)); !errors.Is(err, batch.ErrLimit) || !strings.Contains(err.Error(), "16777216 bytes") {
				t.Error(err)
			}
			d.Limit = 21 << 20
			if n, err := lastError(bomb.Records(&d)); n != 1 || err != nil {
				t.Errorf("with more room: %d records, %v", n, err)
			}
			d.Limit = 1000
			if n, err := lastError(build(t, batch.Options{Codec: codec}, batch.Record{Value: make([]byte, 900)}).Records(&d)); n != 1 || err != nil {
				t.Errorf("small content, small limit: %d records, %v", n, err)
			}
		})
	}
	t.Run("headers count towards the limit, since two bytes make a large one", func(t *testing.T) {
		t.Parallel()
		b := build(t, batch.Options{}, batch.Record{Headers: make([]batch.Header, 100_000)})
		d := batch.Decoder{Limit: 1 << 20}
		if _, err := lastError(b.Records(&d)); !errors.Is(err, batch.ErrLimit) {
			t.Error(err)
		}
		d.Limit = 8 << 20
		if n, err := lastError(b.Records(&d)); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

// Not parallel: it reads what the whole process allocates.
func TestClaimsTakeNoMemory(t *testing.T) {
	one := build(t, batch.Options{}, batch.Record{Value: []byte("v")})
	claims := map[string][]byte{
		"zstd content":       {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0, 0}, // 128 MiB
		"snappy content":     {0x80, 0x80, 0x80, 0x40, 0, 0},
		"xerial block":       append([]byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"), 0x7f, 0xff, 0xff, 0xff, 0),
		"xerial content":     append([]byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"), 0, 0, 0, 6, 0x80, 0x80, 0x80, 0x40, 0, 0),
		"lz4 block of 4 MiB": {0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 3, 0, 0, 0, 0, 0, 0},
	}
	for name, payload := range claims {
		codec := map[byte]batch.Codec{'z': batch.Zstd, 's': batch.Snappy, 'x': batch.Snappy, 'l': batch.LZ4}[name[0]]
		b := append(one[:batch.HeaderSize:batch.HeaderSize], payload...)
		b = patched(b, func(b batch.Batch) { b[22] = byte(codec); be.PutUint32(b[8:], uint32(len(b)-12)) })
		d := new(batch.Decoder)
		// The state of a decompressor is no part of the claim.
		collect(t, build(t, batch.Options{Codec: codec}, batch.Record{}).Records(d))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := lastError(b.Records(d))
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 256<<10 || !errors.Is(err, batch.ErrCorrupt) {
			t.Errorf("%s: %d bytes taken, %v", name, taken, err)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	records := make([]batch.Record, 100)
	for i := range records {
		records[i] = batch.Record{Key: []byte("key"), Value: make([]byte, 1000), Headers: []batch.Header{{Key: "a", Value: []byte("b")}, {Key: "c"}}}
	}
	for _, codec := range codecs {
		b := build(t, batch.Options{Codec: codec}, records...)
		var d batch.Decoder
		total := 0
		n := testing.AllocsPerRun(50, func() {
			for r, err := range b.Records(&d) {
				if err != nil {
					t.Fatal(err)
				}
				total += len(r.Value)
			}
		})
		if n > 0 {
			t.Errorf("%v: %v allocations a batch of 100 records", codec, n)
		}
	}
	t.Run("stamping and verifying allocate nothing", func(t *testing.T) {
		b := build(t, batch.Options{}, records...)
		if n := testing.AllocsPerRun(50, func() {
			if b.Stamp(batch.Producer{ID: 1}) != nil || b.Verify() != nil {
				t.Fatal("refused")
			}
		}); n > 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
