package batch_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// forKafkaGo leaves out what kafka-go's record type cannot express: times before 1970 and beyond
// what a time.Time in nanoseconds holds, and 0, which it takes for none.
func forKafkaGo() []batch.Record {
	var kept []batch.Record
	for _, r := range special() {
		r.Timestamp = min(max(r.Timestamp, 1), 1<<42)
		r.Offset = int64(len(kept))
		kept = append(kept, r)
	}
	return kept
}

func kafkaGoRead(t *testing.T, b []byte) []batch.Record {
	t.Helper()
	framed := append(be.AppendUint32(nil, uint32(len(b))), b...)
	var rs protocol.RecordSet
	if _, err := rs.ReadFrom(bytes.NewReader(framed)); err != nil {
		t.Fatal(err)
	}
	bytesOf := func(p protocol.Bytes) []byte {
		if p == nil {
			return nil
		}
		out, err := protocol.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte{}, out...)
	}
	var records []batch.Record
	for {
		r, err := rs.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return records
		}
		if err != nil {
			t.Fatal(err)
		}
		rec := batch.Record{Offset: r.Offset, Timestamp: r.Time.UnixMilli(), Key: bytesOf(r.Key), Value: bytesOf(r.Value)}
		for _, h := range r.Headers {
			rec.Headers = append(rec.Headers, batch.Header{Key: h.Key, Value: h.Value})
		}
		records = append(records, rec)
	}
}

func kafkaGoWrite(t *testing.T, version int8, codec batch.Codec, records []batch.Record) []byte {
	t.Helper()
	bytesOf := func(b []byte) protocol.Bytes {
		if b == nil {
			return nil
		}
		return protocol.NewBytes(b)
	}
	var list []protocol.Record
	for _, r := range records {
		rec := protocol.Record{Offset: r.Offset, Time: time.UnixMilli(r.Timestamp), Key: bytesOf(r.Key), Value: bytesOf(r.Value)}
		for _, h := range r.Headers {
			rec.Headers = append(rec.Headers, protocol.Header{Key: h.Key, Value: h.Value})
		}
		list = append(list, rec)
	}
	rs := protocol.RecordSet{Version: version, Attributes: protocol.Attributes(codec), Records: protocol.NewRecordReader(list...)}
	var out bytes.Buffer
	if _, err := rs.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()[4:]
}

func TestAgainstKafkaGo(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs {
		t.Run("kafka-go reads what is built here with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			want := forKafkaGo()
			if d := diff(want, kafkaGoRead(t, build(t, batch.Options{Codec: codec}, want...))); d != "" {
				t.Error(d)
			}
		})
		t.Run("what kafka-go builds is read here with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			want := forKafkaGo()
			b := batch.Batch(kafkaGoWrite(t, 2, codec, want))
			if err := b.Verify(); err != nil {
				t.Fatal(err)
			}
			if d := diff(want, collect(t, b.Records(nil))); d != "" {
				t.Error(d)
			}
		})
		if codec == batch.Zstd {
			continue
		}
		t.Run("message sets of kafka-go are read here with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			want := forKafkaGo()
			for i := range want {
				want[i].Headers = nil
			}
			p := kafkaGoWrite(t, 1, codec, want)
			if codec != batch.None { // a broker gives the wrapper the offset of its last record
				be.PutUint64(p, uint64(len(want)-1))
			}
			var got []batch.Record
			for len(p) > 0 {
				m, rest, err := batch.NextMessage(p)
				if err != nil || m == nil {
					t.Fatal(m, err)
				}
				got = append(got, collect(t, m.Records(nil))...)
				p = rest
			}
			if d := diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
