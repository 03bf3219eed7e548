package cos_test

import (
	"hash/crc64"
	"math/rand/v2"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

func TestCombineCRC64(t *testing.T) {
	t.Parallel()
	table := crc64.MakeTable(crc64.ECMA)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		data := make([]byte, random.IntN(5000))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		cut := random.IntN(len(data) + 1)
		first, second := crc64.Checksum(data[:cut], table), crc64.Checksum(data[cut:], table)
		got, want := cos.CombineCRC64(first, second, int64(len(data)-cut)), crc64.Checksum(data, table)
		if got != want {
			t.Fatalf("%d bytes cut at %d: got %d, want %d", len(data), cut, got, want)
		}
		if again := cos.CRC64(cos.CRC64(0, data[:cut]), data[cut:]); again != want {
			t.Fatalf("%d bytes in two runs: got %d, want %d", len(data), again, want)
		}
	}
}
