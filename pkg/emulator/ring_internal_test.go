package emulator

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestRing(t *testing.T) {
	t.Parallel()
	t.Run("it keeps the last bytes in order, whatever the sizes of the writes", func(t *testing.T) {
		t.Parallel()
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(seed, 1))
			r := newRing(1 + random.IntN(40))
			var all []byte
			for range random.IntN(30) {
				p := make([]byte, random.IntN(60))
				for i := range p {
					p[i] = byte(random.Uint32())
				}
				r.write(p)
				all = append(all, p...)
			}
			want := all[max(0, len(all)-r.limit):]
			if got := r.bytes(); !bytes.Equal(got, want) || r.dropped != int64(len(all)-len(want)) {
				t.Fatalf("seed %d: got %d bytes, %d dropped, want %d and %d", seed, len(got), r.dropped, len(want), len(all)-len(want))
			}
		}
	})
}
