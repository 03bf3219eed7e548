package batch_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

var be = binary.BigEndian

// patched returns a copy of b with its header changed and its CRC made right again.
func patched(b batch.Batch, change func(b batch.Batch)) batch.Batch {
	b = slices.Clone(b)
	change(b)
	be.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func attribute(bits byte) func(batch.Batch) { return func(b batch.Batch) { b[22] |= bits } }

func TestNext(t *testing.T) {
	t.Parallel()
	one := build(t, batch.Options{}, batch.Record{Value: []byte("one")})
	two := build(t, batch.Options{Codec: batch.LZ4}, batch.Record{Value: []byte("two")})

	t.Run("batches are split until only a part is left", func(t *testing.T) {
		t.Parallel()
		whole := slices.Concat(one, two)
		for cut := range len(two) {
			p := whole[:len(one)+cut]
			b, rest, err := batch.Next(p)
			if err != nil || string(b) != string(one) {
				t.Fatalf("cut at %d: first batch %v, %v", cut, b, err)
			}
			b, last, err := batch.Next(rest)
			if err != nil || b != nil || len(last) != cut {
				t.Fatalf("cut at %d: part %v, %d left, %v", cut, b, len(last), err)
			}
		}
	})
	t.Run("a batch cannot grow into the one after it", func(t *testing.T) {
		t.Parallel()
		b, _, _ := batch.Next(slices.Concat(one, two))
		if cap(b) != len(one) {
			t.Errorf("capacity %d of %d", cap(b), len(one))
		}
	})
	t.Run("lengths that cannot be true are corrupt, even in a part of a batch", func(t *testing.T) {
		t.Parallel()
		for _, length := range []int32{math.MinInt32, -1, 0, 48} {
			b := slices.Clone(one)
			be.PutUint32(b[8:], uint32(length))
			if _, _, err := batch.Next(b[:17]); !errors.Is(err, batch.ErrCorrupt) {
				t.Errorf("length %d: %v", length, err)
			}
		}
		b := slices.Clone(one)
		be.PutUint32(b[8:], math.MaxInt32)
		if b, _, err := batch.Next(b); b != nil || err != nil {
			t.Errorf("the largest length is a part of a batch, got %v, %v", b, err)
		}
	})
	t.Run("older and unknown formats are told apart", func(t *testing.T) {
		t.Parallel()
		for magic, want := range map[byte]error{0: batch.ErrOldFormat, 1: batch.ErrOldFormat, 3: batch.ErrCorrupt, 0xff: batch.ErrCorrupt} {
			b := slices.Clone(one)
			b[16] = magic
			if _, _, err := batch.Next(b); !errors.Is(err, want) {
				t.Errorf("magic %d: %v", magic, err)
			}
		}
	})
}

func TestVerify(t *testing.T) {
	t.Parallel()
	good := build(t, batch.Options{}, batch.Record{Value: []byte("v")})
	t.Run("any flipped bit that the checksum covers is found", func(t *testing.T) {
		t.Parallel()
		for i := 16; i < len(good); i++ {
			for bit := range 8 {
				bad := slices.Clone(good)
				bad[i] ^= 1 << bit
				if err := bad.Verify(); !errors.Is(err, batch.ErrCorrupt) {
					t.Fatalf("byte %d bit %d: %v", i, bit, err)
				}
			}
		}
	})
	t.Run("any other length is found", func(t *testing.T) {
		t.Parallel()
		for n := range len(good) {
			if err := good[:n].Verify(); !errors.Is(err, batch.ErrCorrupt) {
				t.Fatalf("%d bytes: %v", n, err)
			}
		}
		if err := append(slices.Clone(good), 0).Verify(); !errors.Is(err, batch.ErrCorrupt) {
			t.Error(err)
		}
	})
	t.Run("the offset and the leader epoch are not covered, so brokers may set them", func(t *testing.T) {
		t.Parallel()
		b := slices.Clone(good)
		be.PutUint64(b, 1<<40)
		be.PutUint32(b[12:], 7)
		if err := b.Verify(); err != nil || b.BaseOffset() != 1<<40 || b.LeaderEpoch() != 7 {
			t.Error(err)
		}
	})
}

func TestSameRecords(t *testing.T) {
	t.Parallel()
	good := build(t, batch.Options{}, batch.Record{Value: []byte("v"), Timestamp: 5}, batch.Record{Value: []byte("w"), Timestamp: 6})
	same := slices.Clone(good)
	be.PutUint64(same, 1<<40)
	if err := same.Stamp(batch.Producer{ID: 9, Epoch: 8, Sequence: 7, Transactional: true}); err != nil {
		t.Fatal(err)
	}
	if !good.SameRecords(same) {
		t.Error("another offset and another producer make other records")
	}
	for at := range len(good) {
		counts := at >= 57 || at == 22 || at >= 27 && at < 43 // attributes, timestamps, count, records
		bad := patched(same, func(b batch.Batch) { b[at] ^= 1 })
		if counts && good.SameRecords(bad) {
			t.Errorf("a bit of byte %d makes no difference", at)
		}
	}
	for _, bit := range []byte{8, 0x20, 0x40} {
		if good.SameRecords(patched(same, attribute(bit))) {
			t.Errorf("attribute %#x makes no difference", bit)
		}
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	records := special()
	for i := range records {
		records[i].Offset = 0
	}
	for _, codec := range codecs {
		t.Run("only the producer's fields change with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			built := build(t, batch.Options{Codec: codec}, records...)
			fetched := patched(built, func(b batch.Batch) {
				be.PutUint64(b, 123456)
				be.PutUint32(b[12:], 3)
				b[22] |= 0x50 // transactional, with a delete horizon
				be.PutUint64(b[43:], 99)
				be.PutUint16(b[51:], 9)
				be.PutUint32(b[53:], 999)
			})
			if err := fetched.Stamp(batch.NoProducer()); err != nil {
				t.Fatal(err)
			}
			if string(fetched) != string(built) {
				t.Error("the stamp of no producer is not the batch that was built")
			}
			p := batch.Producer{ID: 1 << 40, Epoch: 5, Sequence: 77, Transactional: true}
			if err := fetched.Stamp(p); err != nil {
				t.Fatal(err)
			}
			got := batch.Producer{ID: fetched.ProducerID(), Epoch: fetched.ProducerEpoch(), Sequence: fetched.BaseSequence(), Transactional: fetched.Transactional()}
			if err := fetched.Verify(); err != nil || got != p {
				t.Errorf("%+v: %v", got, err)
			}
			if string(fetched[batch.HeaderSize:]) != string(built[batch.HeaderSize:]) {
				t.Error("the records changed")
			}
		})
	}

	t.Run("the checksum after it is that of all bytes, for records of any length", func(t *testing.T) {
		t.Parallel()
		for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, 65_535, 65_536, 1 << 20} {
			b := build(t, batch.Options{}, batch.Record{Value: make([]byte, n)})
			for i := range int32(3) {
				if err := b.Stamp(batch.Producer{ID: 1<<62 - int64(i), Epoch: int16(n), Sequence: i, Transactional: i == 1}); err != nil {
					t.Fatal(err)
				}
				if err := b.Verify(); err != nil {
					t.Errorf("a value of %d bytes: %v", n, err)
				}
			}
		}
	})

	t.Run("a batch that was damaged before it stays damaged to the broker", func(t *testing.T) {
		t.Parallel()
		good := build(t, batch.Options{Codec: batch.LZ4}, records...)
		for _, at := range []int{batch.HeaderSize, len(good) / 2, len(good) - 1} {
			bad := slices.Clone(good)
			bad[at] ^= 1
			if err := bad.Stamp(batch.Producer{ID: 5}); err != nil {
				t.Fatal(err)
			}
			if err := bad.Verify(); !errors.Is(err, batch.ErrCorrupt) {
				t.Errorf("damaged at byte %d: %v", at, err)
			}
		}
	})

	t.Run("a batch that would not stay the same is refused and left alone", func(t *testing.T) {
		t.Parallel()
		b := build(t, batch.Options{}, batch.Record{}, batch.Record{})
		for name, change := range map[string]func(batch.Batch){
			"control":                 attribute(0x20),
			"its header":              attribute(0x08),
			"2 records for 3 offsets": func(b batch.Batch) { be.PutUint32(b[23:], 2) },
			"0 records":               func(b batch.Batch) { be.PutUint32(b[57:], 0) },
		} {
			bad := patched(b, change)
			before := slices.Clone(bad)
			err := bad.Stamp(batch.Producer{})
			if !errors.Is(err, batch.ErrNotStampable) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
			if string(before) != string(bad) {
				t.Errorf("%s: changed", name)
			}
		}
		if err := b[:60].Stamp(batch.Producer{}); !errors.Is(err, batch.ErrNotStampable) {
			t.Error(err)
		}
	})

	t.Run("sequence numbers wrap to zero after the largest", func(t *testing.T) {
		t.Parallel()
		got := []int32{batch.NextSequence(0, 5), batch.NextSequence(math.MaxInt32, 1), batch.NextSequence(math.MaxInt32-1, 3)}
		if d := cmp.Diff([]int32{5, 0, 1}, got); d != "" {
			t.Error(d)
		}
	})
}
