package batch_test

import (
	"bytes"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// kmsgRead decodes a batch with franz-go alone.
func kmsgRead(t *testing.T, p []byte) []batch.Record {
	t.Helper()
	var rb kmsg.RecordBatch
	if err := rb.ReadFrom(p); err != nil {
		t.Fatal(err)
	}
	if want := crc32.Checksum(p[21:], crc32.MakeTable(crc32.Castagnoli)); uint32(rb.CRC) != want {
		t.Fatalf("crc %08x, want %08x", rb.CRC, want)
	}
	raw := rb.Records
	if codec := rb.Attributes & 7; codec != 0 {
		var err error
		if raw, err = kgo.DefaultDecompressor().Decompress(raw, kgo.CompressionCodecType(codec)); err != nil {
			t.Fatal(err)
		}
	}
	var records []batch.Record
	for range rb.NumRecords {
		var r kmsg.Record
		if err := r.ReadFrom(raw); err != nil {
			t.Fatal(err)
		}
		rec := batch.Record{
			Offset: rb.FirstOffset + int64(r.OffsetDelta), Timestamp: rb.FirstTimestamp + r.TimestampDelta64,
			Key: r.Key, Value: r.Value,
		}
		for _, h := range r.Headers {
			rec.Headers = append(rec.Headers, batch.Header{Key: h.Key, Value: h.Value})
		}
		records = append(records, rec)
		raw = raw[varintLen(r.Length)+int(r.Length):]
	}
	if len(raw) > 0 {
		t.Fatalf("%d bytes left over", len(raw))
	}
	return records
}

func varintLen(v int32) int {
	n := 1
	for u := uint32(v)<<1 ^ uint32(v>>31); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}

// kmsgWrite encodes a batch with franz-go alone.
func kmsgWrite(t testing.TB, codec batch.Codec, records []batch.Record) batch.Batch {
	t.Helper()
	var raw []byte
	first, maxTime := records[0], records[0].Timestamp
	for _, r := range records {
		rec := kmsg.Record{
			TimestampDelta64: r.Timestamp - first.Timestamp, OffsetDelta: int32(r.Offset - first.Offset),
			Key: r.Key, Value: r.Value,
		}
		for _, h := range r.Headers {
			rec.Headers = append(rec.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		rec.Length = int32(len(rec.AppendTo(nil)) - 1) // the length 0 takes one byte
		raw = rec.AppendTo(raw)
		maxTime = max(maxTime, r.Timestamp)
	}
	if codec != batch.None {
		var kc kgo.CompressionCodec
		switch codec {
		case batch.Gzip:
			kc = kgo.GzipCompression()
		case batch.Snappy:
			kc = kgo.SnappyCompression()
		case batch.LZ4:
			kc = kgo.Lz4Compression()
		case batch.Zstd:
			kc = kgo.ZstdCompression()
		}
		c, err := kgo.DefaultCompressor(kc)
		if err != nil {
			t.Fatal(err)
		}
		out, used := c.Compress(new(bytes.Buffer), raw)
		if int(used) != int(codec) {
			t.Fatalf("compressed with %v", used)
		}
		raw = out
	}
	rb := kmsg.RecordBatch{
		FirstOffset: first.Offset, Length: int32(49 + len(raw)), PartitionLeaderEpoch: 4, Magic: 2, Attributes: int16(codec),
		LastOffsetDelta: int32(records[len(records)-1].Offset - first.Offset),
		FirstTimestamp:  first.Timestamp, MaxTimestamp: maxTime,
		ProducerID: 12, ProducerEpoch: 3, FirstSequence: 45, NumRecords: int32(len(records)), Records: raw,
	}
	b := batch.Batch(rb.AppendTo(nil))
	return patched(b, func(batch.Batch) {})
}

func TestAgainstFranzGo(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs {
		t.Run("franz-go reads what is built here with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			want := special()
			if d := diff(want, kmsgRead(t, build(t, batch.Options{Codec: codec}, want...))); d != "" {
				t.Error(d)
			}
		})
		t.Run("what franz-go builds is read here with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			want := special()
			for i := range want {
				want[i].Offset += 1 << 40
			}
			b := kmsgWrite(t, codec, want)
			if err := b.Verify(); err != nil {
				t.Fatal(err)
			}
			if d := diff(want, collect(t, b.Records(nil))); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("both build the same uncompressed bytes", func(t *testing.T) {
		t.Parallel()
		records := special()
		want := kmsgWrite(t, batch.None, records)
		if err := want.Stamp(batch.NoProducer()); err != nil {
			t.Fatal(err)
		}
		if got := build(t, batch.Options{}, records...); string(got) != string(want) {
			t.Error("they differ")
		}
	})
}
