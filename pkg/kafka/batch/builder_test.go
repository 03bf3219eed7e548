package batch_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs {
		t.Run("every special record comes back unchanged with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			want := special()
			b := build(t, batch.Options{Codec: codec}, want...)
			if err := b.Verify(); err != nil {
				t.Fatal(err)
			}
			if b.Codec() != codec {
				t.Errorf("codec %v", b.Codec())
			}
			if d := diff(want, collect(t, b.Records(new(batch.Decoder)))); d != "" {
				t.Error(d)
			}
		})
	}

	t.Run("a built batch is what a plain producer sends", func(t *testing.T) {
		t.Parallel()
		b := build(t, batch.Options{}, batch.Record{Offset: 70, Timestamp: 5}, batch.Record{Offset: 90, Timestamp: 9}, batch.Record{Timestamp: 7})
		type header struct {
			base, last, pid, baseTime, maxTime int64
			delta, count, seq, leaderEpoch     int32
			epoch, attributes                  int16
			dense                              bool
		}
		got := header{b.BaseOffset(), b.LastOffset(), b.ProducerID(), b.BaseTimestamp(), b.MaxTimestamp(),
			b.LastOffsetDelta(), b.Count(), b.BaseSequence(), b.LeaderEpoch(), b.ProducerEpoch(), b.Attributes(), b.Dense()}
		want := header{0, 2, -1, 5, 9, 2, 3, -1, -1, -1, 0, true}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})

	t.Run("no records are refused", func(t *testing.T) {
		t.Parallel()
		if _, err := batch.Build(batch.Options{}, nil); !errors.Is(err, batch.ErrEmpty) {
			t.Error(err)
		}
	})
}

func TestBuilderFillsBatches(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var records []batch.Record
	for i := range 5000 {
		value := make([]byte, rng.IntN(400))
		if i%2 == 0 { // half of them do not compress
			for j := range value {
				value[j] = byte(rng.Uint32())
			}
		}
		records = append(records, batch.Record{Offset: int64(i), Timestamp: rng.Int64N(1 << 40), Value: value})
	}
	for _, codec := range codecs {
		t.Run("batches are full, within the limit and lose nothing with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			const limit = 20_000
			opts := batch.Options{Codec: codec, MaxBytes: limit}
			b := batch.NewBuilder(opts)
			var got []batch.Record
			var d batch.Decoder
			flush := func() {
				full := b.Size()
				if b.Len() == 0 || full > limit {
					t.Fatalf("flush of %d records, %d bytes", b.Len(), full)
				}
				out, err := b.Batch()
				if err != nil {
					t.Fatal(err)
				}
				if err := out.Verify(); err != nil || len(out) > limit {
					t.Fatalf("%d bytes: %v", len(out), err)
				}
				for r, err := range out.Records(&d) {
					if err != nil {
						t.Fatal(err)
					}
					r.Offset = int64(len(got))
					got = append(got, r.Clone())
				}
				b.Reset(opts)
			}
			for _, r := range records {
				if !b.Add(r) {
					if b.Size() < limit-500 {
						t.Fatalf("refused at %d bytes", b.Size())
					}
					flush()
					if !b.Add(r) {
						t.Fatal("an empty builder refused a record")
					}
				}
			}
			flush()
			if d := diff(records, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestBuilderLimit(t *testing.T) {
	t.Parallel()
	text := batch.Record{Value: slices.Repeat([]byte("0123456789"), 1000)}
	noise := make([]byte, 10_000)
	rng := rand.NewChaCha8([32]byte{2})
	rng.Read(noise)

	t.Run("a lone record may exceed the limit before compression", func(t *testing.T) {
		t.Parallel()
		for _, codec := range codecs[1:] {
			b := build(t, batch.Options{Codec: codec, MaxBytes: 3000}, text)
			if b.Codec() != codec || len(b) > 3000 {
				t.Errorf("%v: %d bytes, codec %v", codec, len(b), b.Codec())
			}
		}
	})
	t.Run("a record that never fits is an error with both sizes", func(t *testing.T) {
		t.Parallel()
		b := batch.NewBuilder(batch.Options{MaxBytes: 3000})
		if !b.Add(text) || b.Add(batch.Record{}) {
			t.Fatal("only the first record is taken beyond the limit")
		}
		_, err := b.Batch()
		var large *batch.TooLargeError
		if !errors.As(err, &large) || large.Limit != 3000 || large.Size != b.Size() || err.Error() != "record makes a batch of 10072 bytes, the limit is 3000" {
			t.Errorf("%v", err)
		}
	})
	t.Run("compression that does not pay is dropped only where the limit needs it", func(t *testing.T) {
		t.Parallel()
		r := batch.Record{Value: noise}
		plain := build(t, batch.Options{}, r)
		for _, codec := range codecs[1:] {
			if b := build(t, batch.Options{Codec: codec}, r); b.Codec() != codec {
				t.Errorf("%v was dropped without need", codec)
			}
			b := build(t, batch.Options{Codec: codec, MaxBytes: len(plain)}, r)
			if len(b) > len(plain) {
				t.Errorf("%v: %d bytes, limit %d", codec, len(b), len(plain))
			}
		}
	})
	t.Run("a builder goes on after handing out a batch", func(t *testing.T) {
		t.Parallel()
		for _, codec := range codecs {
			b := batch.NewBuilder(batch.Options{Codec: codec})
			for want := 1; want < 4; want++ {
				b.Add(batch.Record{Value: []byte("v"), Timestamp: int64(want)})
				out, err := b.Batch()
				if err != nil || int(out.Count()) != want || out.Verify() != nil {
					t.Fatalf("%v: count %d: %v", codec, out.Count(), err)
				}
			}
		}
	})
}
