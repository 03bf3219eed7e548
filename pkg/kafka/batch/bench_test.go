package batch_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// benchRecords are records of 1 KB of text that compresses to about a third, with a key and a
// header, as many as a batch of 1 MB holds.
func benchRecords() []batch.Record {
	rng := rand.New(rand.NewPCG(7, 8))
	records := make([]batch.Record, 950)
	for i := range records {
		value := make([]byte, 0, 1100)
		for len(value) < 1000 {
			value = fmt.Appendf(value, `{"id":%d,"user":"u%05d","action":"view","ok":true},`, rng.Uint32(), rng.IntN(1e5))
		}
		records[i] = batch.Record{
			Offset: int64(i), Timestamp: 1_770_000_000_000 + int64(i), Key: fmt.Appendf(nil, "key-%08d", i), Value: value[:1000],
			Headers: []batch.Header{{Key: "trace", Value: []byte("0123456789abcdef")}},
		}
	}
	return records
}

// plainSize is what b.SetBytes gets for every codec: the bytes of the records.
func plainSize(b *testing.B) int64 { return int64(len(build(b, batch.Options{}, benchRecords()...))) }

func BenchmarkVerify(b *testing.B) {
	p := build(b, batch.Options{}, benchRecords()...)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if err := p.Verify(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStamp(b *testing.B) {
	p := build(b, batch.Options{}, benchRecords()...)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if err := p.Stamp(batch.Producer{ID: 1, Transactional: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecords(b *testing.B) {
	for _, codec := range codecs {
		b.Run(codec.String(), func(b *testing.B) {
			p := build(b, batch.Options{Codec: codec}, benchRecords()...)
			var d batch.Decoder
			b.SetBytes(plainSize(b))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range p.Records(&d) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	records := benchRecords()
	for _, codec := range codecs {
		b.Run(codec.String(), func(b *testing.B) {
			opts := batch.Options{Codec: codec}
			builder := batch.NewBuilder(opts)
			b.SetBytes(plainSize(b))
			b.ReportAllocs()
			var out batch.Batch
			for b.Loop() {
				builder.Reset(opts)
				for _, r := range records {
					builder.Add(r)
				}
				var err error
				if out, err = builder.Batch(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(plainSize(b))/float64(len(out)), "ratio")
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	records := benchRecords()
	var d batch.Digest
	b.SetBytes(plainSize(b))
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range records {
			d.Add(r)
		}
	}
}

func BenchmarkMurmur2(b *testing.B) {
	key := []byte("key-00000001")
	for b.Loop() {
		batch.Partition(key, 16)
	}
}
