package batch_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func TestMurmur2(t *testing.T) {
	t.Parallel()
	t.Run("hashes are those of the Java client's own tests", func(t *testing.T) {
		t.Parallel()
		for key, want := range map[string]int32{
			"21":                         -973932308,
			"foobar":                     -790332482,
			"a-little-bit-long-string":   -985981536,
			"a-little-bit-longer-string": -1486304829,
			"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
			"abc": 479470107,
		} {
			if got := int32(batch.Murmur2([]byte(key))); got != want {
				t.Errorf("%q: got %d, want %d", key, got, want)
			}
		}
	})
	t.Run("partitions are those that franz-go chooses", func(t *testing.T) {
		t.Parallel()
		theirs := kgo.StickyKeyPartitioner(nil).ForTopic("t")
		rng := rand.New(rand.NewPCG(5, 6))
		for size := range 100 {
			key := make([]byte, size)
			for i := range key {
				key[i] = byte(rng.Uint32())
			}
			n := 1 + rng.IntN(1000)
			want := theirs.Partition(&kgo.Record{Key: key}, n)
			if got := batch.Partition(key, int32(n)); int(got) != want {
				t.Errorf("% x of %d: got %d, want %d", key, n, got, want)
			}
		}
	})
}
