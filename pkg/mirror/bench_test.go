package mirror_test

import (
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// BenchmarkCompareTopics counts the bytes of both sides.
func BenchmarkCompareTopics(b *testing.B) {
	const partitions, records, size = 4, 25_000, 1024
	for _, codec := range []batch.Codec{batch.None, batch.Zstd} {
		b.Run(codec.String(), func(b *testing.B) {
			client, _ := cluster(b, localkafka.Config{})
			for p := range int32(partitions) {
				for _, topic := range []string{"left", "right"} {
					if p == 0 {
						createTopic(b, client, kafka.TopicSpec{Name: topic, Partitions: partitions})
					}
					produce(b, client, topic, p, codec, 800, sample.Plain(records, size, uint64(p)))
				}
			}
			b.SetBytes(2 * partitions * records * size)
			b.ReportAllocs()
			for b.Loop() {
				got, err := mirror.CompareTopics(b.Context(), client, client, "left", "right", mirror.CompareOptions{})
				if err != nil || !got.Equal {
					b.Fatalf("got %+v, %v", got, err)
				}
			}
		})
	}
}
