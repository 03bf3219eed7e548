package load

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// BenchmarkLine makes Parquet of JSON lines of an access log.
func BenchmarkLine(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var lines []batch.Record
	size := 0
	for i := range 50_000 {
		value := fmt.Sprintf(
			`{"time":"2026-11-27T09:%02d:%02d.%03dZ","client":"10.%d.%d.%d","method":%q,"path":"/v1/items/%d","status":%d,"size":%d,`+
				`"duration":%.6f,"agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","user":"user-%d","cached":%v}`,
			random.IntN(60),
			random.IntN(60),
			random.IntN(1000),
			random.IntN(4),
			random.IntN(256),
			random.IntN(256),
			[]string{"GET", "POST", "PUT"}[random.IntN(3)],
			random.IntN(5000),
			[]int{200, 200, 200, 304, 404, 500}[random.IntN(6)],
			random.IntN(100_000),
			random.Float64(),
			random.IntN(20_000),
			random.IntN(2) == 0,
		)
		lines = append(lines, batch.Record{Offset: int64(i), Timestamp: 1_795_770_000_000 + int64(i), Value: []byte(value)})
		size += len(value)
	}
	n := newInference()
	for _, r := range lines[:1000] {
		n.record(r.Value)
	}
	schema := Schema{Time: "time", Columns: n.fields(nil)}
	d := newDecoder(schema, Refuse, "access", 0)
	b.SetBytes(int64(size))
	for _, whole := range []bool{false, true} {
		b.Run(map[bool]string{false: "decode", true: "decode and encode"}[whole], func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				d.reset()
				for _, r := range lines {
					if err := d.record(r); err != nil {
						b.Fatal(err)
					}
				}
				if whole {
					if err := dataset.Encode(io.Discard, d.rows, nil); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
