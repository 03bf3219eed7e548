package batch_test

import (
	"slices"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func digest(records ...batch.Record) *batch.Digest {
	d := new(batch.Digest)
	for _, r := range records {
		d.Add(r)
	}
	return d
}

func TestDigest(t *testing.T) {
	t.Parallel()

	t.Run("batching, compression, offsets and producers do not count", func(t *testing.T) {
		t.Parallel()
		records := special()
		want := digest(records...)
		for _, codec := range codecs {
			for _, size := range []int{1, 7, len(records)} {
				var got batch.Digest
				for part := range slices.Chunk(records, size) {
					b := build(t, batch.Options{Codec: codec}, part...)
					if err := b.Stamp(batch.Producer{ID: 9}); err != nil {
						t.Fatal(err)
					}
					for _, r := range collect(t, b.Records(nil)) {
						got.Add(r)
					}
				}
				if got.Sum() != want.Sum() || got.Count() != int64(len(records)) {
					t.Errorf("%v in batches of %d: %v, want %v", codec, size, &got, want)
				}
			}
		}
	})

	t.Run("any difference in content counts", func(t *testing.T) {
		t.Parallel()
		h := func(key string, value []byte) batch.Header { return batch.Header{Key: key, Value: value} }
		different := [][]batch.Record{
			{},
			{{}},
			{{}, {}},
			{{Timestamp: 1}},
			{{Timestamp: -1}},
			{{Key: []byte{}}},
			{{Value: []byte{}}},
			{{Key: []byte{}, Value: []byte{}}},
			{{Key: []byte("ab")}},
			{{Key: []byte("a"), Value: []byte("b")}},
			{{Value: []byte("ab")}},
			{{Key: []byte("b"), Value: []byte("a")}},
			{{Key: []byte("a")}, {Key: []byte("b")}},
			{{Key: []byte("b")}, {Key: []byte("a")}},
			{{Headers: []batch.Header{h("", nil)}}},
			{{Headers: []batch.Header{h("", []byte{})}}},
			{{Headers: []batch.Header{h("", nil), h("", nil)}}},
			{{Headers: []batch.Header{h("a", nil), h("b", nil)}}},
			{{Headers: []batch.Header{h("b", nil), h("a", nil)}}},
			{{Headers: []batch.Header{h("a", []byte("b"))}}},
			{{Headers: []batch.Header{h("ab", nil)}}},
			{{Headers: []batch.Header{h("a", nil)}}, {Headers: []batch.Header{h("b", nil)}}},
			{{Value: make([]byte, 256)}},
			{{Value: make([]byte, 257)}},
			{{Value: make([]byte, 258)}},
		}
		seen := map[[32]byte]int{}
		for i, records := range different {
			sum := digest(records...).Sum()
			if j, ok := seen[sum]; ok {
				t.Errorf("%v and %v have one digest", different[j], records)
			}
			seen[sum] = i
		}
	})

	t.Run("it goes on after any record in another process", func(t *testing.T) {
		t.Parallel()
		records := special()
		want := digest(records...)
		for cut := range len(records) + 1 {
			state, err := digest(records[:cut]...).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			got := digest(records[0]) // replaced
			if err := got.UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			for _, r := range records[cut:] {
				got.Add(r)
			}
			if got.Sum() != want.Sum() || got.Count() != want.Count() {
				t.Errorf("cut at %d: %v, want %v", cut, got, want)
			}
		}
	})

	t.Run("a state that is damaged is refused and changes nothing", func(t *testing.T) {
		t.Parallel()
		state, _ := digest(special()...).MarshalBinary()
		empty, _ := new(batch.Digest).MarshalBinary()
		d := digest(batch.Record{})
		want := d.Sum()
		for _, bad := range [][]byte{nil, state[:5], state[:9], state[:50], append([]byte{2}, state[1:]...), append(slices.Clone(empty), 1), append(empty[:1:1], 0xff, 0, 0, 0, 0, 0, 0, 0, 0)} {
			if err := d.UnmarshalBinary(bad); err == nil {
				t.Errorf("took % x", bad)
			}
		}
		if d.Sum() != want || d.Count() != 1 {
			t.Error("changed")
		}
	})

	t.Run("reading the sum does not disturb it", func(t *testing.T) {
		t.Parallel()
		d := new(batch.Digest)
		for _, r := range special() {
			_, _ = d.Sum(), d.String()
			d.Add(r)
		}
		if want := digest(special()...); d.Sum() != want.Sum() {
			t.Error("differs")
		}
	})

	t.Run("the framing stays what stored digests were made with", func(t *testing.T) {
		t.Parallel()
		got := digest(batch.Record{Timestamp: 1, Key: []byte("k"), Headers: []batch.Header{{Key: "h", Value: []byte{}}}}).String()
		if want := "5379fb2229f5c4a1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
