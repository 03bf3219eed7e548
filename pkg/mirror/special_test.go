package mirror_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func codecs() []batch.Codec {
	return []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd}
}

// content is a stored batch without what its broker and its producer own:
// base offset, leader epoch, CRC, producer id, epoch and sequence, and the
// attribute bit for transactions (KIP-98, "Message Format").
func content(b batch.Batch) []byte {
	c := bytes.Clone(b)
	for _, field := range [][2]int{{0, 8}, {12, 16}, {17, 21}, {43, 57}} {
		clear(c[field[0]:field[1]])
	}
	const transactional = 1 << 4
	binary.BigEndian.PutUint16(c[21:], binary.BigEndian.Uint16(c[21:])&^transactional)
	return c
}

// requireSameBytes wants the batches of the target to be the source's.
func requireSameBytes(t *testing.T, source, target *kafka.Client, topic string) {
	t.Helper()
	left, right := stored(t, side(t, source, topic, 0)), stored(t, side(t, target, topic, 0))
	if len(left) != len(right) {
		t.Fatalf("%d batches became %d", len(left), len(right))
	}
	for i := range left {
		if got, want := content(right[i].Batch), content(left[i].Batch); !bytes.Equal(got, want) {
			t.Fatalf("batch %d of %d bytes became one of %d bytes, headers %x and %x", i, len(want), len(got), want[:batch.HeaderSize], got[:batch.HeaderSize])
		}
	}
}

// special are the special records, those that fit into one batch together first.
func special() (small, large []batch.Record) {
	for _, r := range sample.Special() {
		if len(r.Value) > sample.Large/2 {
			large = append(large, r)
		} else {
			small = append(small, r)
		}
	}
	return small, large
}

func TestCopySpecialRecords(t *testing.T) {
	t.Parallel()
	source, _ := cluster(t, localkafka.Config{})
	target, _ := cluster(t, localkafka.Config{})
	small, large := special()
	all := slices.Concat(small, large)

	fill := func(t *testing.T, topic string, use ...batch.Codec) mirror.Range {
		createTopic(t, source, kafka.TopicSpec{Name: topic, Settings: sample.TopicSettings()})
		var rng mirror.Range
		for _, codec := range use {
			rng = produce(t, source, topic, 0, codec, len(small), small)
			for _, r := range large {
				rng = produce(t, source, topic, 0, codec, 1, []batch.Record{r})
			}
		}
		rng.First = 0
		return rng
	}
	for _, codec := range codecs() {
		t.Run("batches of special records arrive byte for byte, "+codec.String(), func(t *testing.T) {
			t.Parallel()
			topic := "one." + codec.String()
			rng := fill(t, topic, codec)
			got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rng).Partitions[0]
			if got.Rebuilt != 0 || got.Passed != 1+len(large) || got.Records != int64(len(all)) || got.Next != rng.Last+1 {
				t.Errorf("got %+v, want %d batches with %d records passed on", got, 1+len(large), len(all))
			}
			requireSameBytes(t, source, target, topic)
			requireCopied(t, source, target, topic, len(all))
		})
		t.Run("the records are the same in another codec, "+codec.String(), func(t *testing.T) {
			t.Parallel()
			topic := "to." + codec.String()
			rng := fill(t, topic, codecs()...)
			got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target, Codec: &codec}), rng).Partitions[0]
			if got.Passed != 1+len(large) || got.Rebuilt == 0 {
				t.Errorf("got %+v, want only the batches that have the codec already passed on", got)
			}
			requireCopied(t, source, target, topic, len(codecs())*len(all))
			for i, unit := range stored(t, side(t, target, topic, 0)) {
				// noise does not get smaller: a batch that would be larger stays as it is
				if got := unit.Batch.Codec(); got != codec && got != batch.None {
					t.Errorf("batch %d has codec %v, want %v", i, got, codec)
				}
			}
		})
	}
	t.Run("batches of all codecs in one topic arrive byte for byte", func(t *testing.T) {
		t.Parallel()
		rng := fill(t, "mixed", codecs()...)
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rng)
		requireSameBytes(t, source, target, "mixed")
		requireCopied(t, source, target, "mixed", len(codecs())*len(all))
	})
}
