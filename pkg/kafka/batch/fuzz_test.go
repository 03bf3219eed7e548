package batch_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// What a decoder may hold, and what it may take to find out that this is not enough: the least
// memory of a zstd decoder and the states of all of them.
const (
	fuzzLimit  = 1 << 20
	fuzzMemory = 36 << 20
)

// taken runs f and fails if it took more memory than any input may make it take.
func taken(t *testing.T, f func()) {
	t.Helper()
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	f()
	metrics.Read(sample)
	if n := sample[0].Value.Uint64() - before; n > fuzzMemory {
		t.Fatalf("%d bytes of memory taken", n)
	}
}

func addFixtures(f *testing.F) {
	f.Helper()
	files, _ := filepath.Glob("testdata/java/*.bin")
	for _, file := range files {
		log, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(log) < 10_000 { // large seeds make a slow fuzzer
			f.Add(log)
		}
	}
	for _, codec := range codecs {
		records := special()[:9]
		f.Add([]byte(build(f, batch.Options{Codec: codec}, append(records, special()[11:14]...)...)))
	}
}

// known tells whether err is one that the package promises.
func known(err error) bool { return errors.Is(err, batch.ErrCorrupt) || errors.Is(err, batch.ErrLimit) }

func checkRecords(t *testing.T, b batch.Batch, d *batch.Decoder) {
	t.Helper()
	n, last := int32(0), b.BaseOffset()-1
	for r, err := range b.Records(d) {
		if err != nil {
			if !known(err) {
				t.Fatal(err)
			}
			return
		}
		if r.Offset <= last && last < b.BaseOffset()+int64(b.LastOffsetDelta()) || r.Headers != nil && len(r.Headers) == 0 {
			t.Fatalf("offset %d after %d, headers %v", r.Offset, last, r.Headers)
		}
		last = r.Offset
		n++
	}
	if n != b.Count() {
		t.Fatalf("%d records of %d without an error", n, b.Count())
	}
}

func FuzzNext(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		d := &batch.Decoder{Limit: fuzzLimit}
		for {
			b, rest, err := batch.Next(p)
			switch {
			case errors.Is(err, batch.ErrOldFormat):
				var m batch.Message
				if m, rest, _ = batch.NextMessage(p); m == nil {
					return
				}
				_, _ = m.LastOffset(), m.Codec()
				if _, err := lastError(m.Records(d)); err != nil && !known(err) {
					t.Fatal(err)
				}
			case err != nil:
				if !known(err) || b != nil || len(rest) != len(p) {
					t.Fatal(err)
				}
				return
			case b == nil:
				return
			default:
				checkView(t, b)
				checkRecords(t, b, d)
			}
			if len(rest) >= len(p) {
				t.Fatal("no progress")
			}
			p = rest
		}
	})
}

// checkView calls all that reads or changes a header.
func checkView(t *testing.T, b batch.Batch) {
	t.Helper()
	if err := b.Verify(); err != nil && !known(err) {
		t.Fatal(err)
	}
	if _, err := b.Marker(); err != nil && !known(err) {
		t.Fatal(err)
	}
	_, _, _, _ = b.Attributes(), b.Codec().String(), b.Transactional(), b.LeaderEpoch()
	changed := append(batch.Batch{}, b...)
	err := changed.Stamp(batch.Producer{ID: 7, Epoch: 1, Sequence: 2, Transactional: true})
	if (err == nil) != (b.Stampable() == nil) || err != nil && string(changed) != string(b) {
		t.Fatal(err)
	}
	if err == nil && (changed.Verify() == nil) != (b.Verify() == nil) {
		t.Fatalf("before the stamp: %v, after it: %v", b.Verify(), changed.Verify())
	}
}

func FuzzRecords(f *testing.F) {
	for _, codec := range codecs {
		f.Add(byte(codec), int32(9), int32(8), []byte(build(f, batch.Options{Codec: codec}, special()[:9]...)[batch.HeaderSize:]))
		f.Add(byte(codec), int32(3), int32(2), []byte(build(f, batch.Options{Codec: codec}, special()[11:14]...)[batch.HeaderSize:]))
	}
	f.Fuzz(func(t *testing.T, attributes byte, count, lastDelta int32, payload []byte) {
		b := build(t, batch.Options{}, batch.Record{})
		b = append(b[:batch.HeaderSize:batch.HeaderSize], payload...)
		b[22] = attributes
		be.PutUint32(b[8:], uint32(len(b)-12))
		be.PutUint32(b[23:], uint32(lastDelta))
		be.PutUint32(b[57:], uint32(count))
		taken(t, func() { checkRecords(t, b, &batch.Decoder{Limit: fuzzLimit}) })
	})
}

func FuzzMessage(f *testing.F) {
	inner := []byte(message(1, 0, batch.Record{Value: []byte("v")}))
	for codec := batch.None; codec <= batch.LZ4; codec++ {
		f.Add(byte(1), byte(codec), compressed(f, codec, inner))
		f.Add(byte(0), byte(codec), compressed(f, codec, message(0, 0, batch.Record{Key: []byte("k")})))
	}
	f.Add(byte(1), byte(0), inner)
	f.Fuzz(func(t *testing.T, magic, attributes byte, payload []byte) {
		m := message(magic&1, attributes, batch.Record{Offset: 1000, Value: payload})
		taken(t, func() {
			if n, err := lastError(batch.Message(m).Records(&batch.Decoder{Limit: fuzzLimit})); err != nil && !known(err) {
				t.Fatal(n, err)
			}
		})
	})
}

// recordsFrom turns any bytes into records.
func recordsFrom(p []byte) []batch.Record {
	take := func(n int) []byte {
		n = min(n, len(p))
		out := p[:n:n]
		p = p[n:]
		return out
	}
	field := func() []byte {
		switch n := take(1); {
		case len(n) == 0 || n[0] == 0xff:
			return nil
		default:
			return append([]byte{}, take(int(n[0]))...)
		}
	}
	var records []batch.Record
	for len(p) > 0 {
		r := batch.Record{Offset: int64(len(records)), Key: field(), Value: field()}
		for _, c := range take(8) {
			r.Timestamp = r.Timestamp<<8 | int64(c)
		}
		if n := take(1); len(n) > 0 {
			for range n[0] % 4 {
				r.Headers = append(r.Headers, batch.Header{Key: string(field()), Value: field()})
			}
		}
		records = append(records, r)
	}
	return records
}

func FuzzBuild(f *testing.F) {
	for codec := range byte(5) {
		f.Add(codec, int32(100), []byte("\x03key\x05value\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01h\xff\x01h\x00\xff\xff"))
	}
	f.Fuzz(func(t *testing.T, codec byte, limit int32, p []byte) {
		opts := batch.Options{Codec: batch.Codec(codec % 5), MaxBytes: int(limit)}
		want := recordsFrom(p)
		var got []batch.Record
		take := func(b *batch.Builder) {
			out, err := b.Batch()
			if large := (*batch.TooLargeError)(nil); errors.As(err, &large) && b.Len() == 1 {
				b.Reset(batch.Options{Codec: opts.Codec})
				b.Add(want[len(got)])
				out, err = b.Batch()
				if err == nil && len(out) <= int(limit) {
					t.Fatalf("%d bytes were too large for %d", len(out), limit)
				}
			} else if limit > 0 && len(out) > int(limit) {
				t.Fatalf("%d bytes, limit %d", len(out), limit)
			}
			if err == nil {
				err = out.Verify()
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range collect(t, out.Records(nil)) {
				r.Offset = int64(len(got))
				got = append(got, r.Clone())
			}
			b.Reset(opts)
		}
		b := batch.NewBuilder(opts)
		for _, r := range want {
			if !b.Add(r) {
				take(b)
				if !b.Add(r) {
					t.Fatal("the first record was refused")
				}
			}
		}
		if b.Len() > 0 {
			take(b)
		}
		if d := diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}
