package mirror_test

import (
	"fmt"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

const (
	benchPartitions = 4
	benchRecords    = 25_000 // of each partition
	benchSize       = 1024
)

// fillBench writes the same records into topics of one cluster, in batches of
// what a producer with linger would send.
func fillBench(b *testing.B, client *kafka.Client, codec batch.Codec, topics ...string) []mirror.Range {
	b.Helper()
	var ranges []mirror.Range
	for _, topic := range topics {
		createTopic(b, client, kafka.TopicSpec{Name: topic, Partitions: benchPartitions})
		for p := range int32(benchPartitions) {
			ranges = append(ranges, produce(b, client, topic, p, codec, 800, sample.Plain(benchRecords, benchSize, uint64(p))))
		}
	}
	return ranges
}

// BenchmarkCopy counts the bytes of the records, uncompressed. The brokers of
// both clusters are in the same process.
func BenchmarkCopy(b *testing.B) {
	to := batch.LZ4
	for _, c := range []struct {
		name   string
		source batch.Codec
		config mirror.Config
	}{
		{"none", batch.None, mirror.Config{}},
		{"zstd", batch.Zstd, mirror.Config{}},
		{"zstd to lz4", batch.Zstd, mirror.Config{Codec: &to}},
	} {
		b.Run(c.name, func(b *testing.B) {
			source, _ := cluster(b, localkafka.Config{})
			target, _ := cluster(b, localkafka.Config{})
			ranges := fillBench(b, source, c.source, "t")
			config := c.config
			config.Source, config.Target = source, target
			b.SetBytes(benchPartitions * benchRecords * benchSize)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				var err error
				if config.Topics, err = mirror.ParseTopicMap(fmt.Sprintf("t:copy.%d", i)); err != nil {
					b.Fatal(err)
				}
				createTopic(b, target, kafka.TopicSpec{Name: config.Topics.Target("t"), Partitions: benchPartitions})
				config.Job = fmt.Sprintf("bench-%d", i)
				one := copier(b, config)
				b.StartTimer()
				copyRange(b, one, ranges...)
			}
			b.ReportMetric(float64(benchPartitions*benchRecords*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkCopyEvent is what a warm function does for one event of 100 records.
func BenchmarkCopyEvent(b *testing.B) {
	const records = 100
	source, _ := cluster(b, localkafka.Config{})
	target, _ := cluster(b, localkafka.Config{})
	createTopic(b, source, kafka.TopicSpec{Name: "t"})
	c := copier(b, mirror.Config{Source: source, Target: target})
	b.SetBytes(records * benchSize)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		rng := produce(b, source, "t", 0, batch.None, records, sample.Plain(records, benchSize, 1))
		b.StartTimer()
		copyRange(b, c, rng)
	}
}

// BenchmarkCompareTopics counts the bytes of both sides.
func BenchmarkCompareTopics(b *testing.B) {
	for _, codec := range []batch.Codec{batch.None, batch.Zstd} {
		b.Run(codec.String(), func(b *testing.B) {
			client, _ := cluster(b, localkafka.Config{})
			fillBench(b, client, codec, "left", "right")
			benchCompare(b, client, "left", "right")
		})
	}
	b.Run("as a whole", func(b *testing.B) {
		client, _ := cluster(b, localkafka.Config{})
		fillBench(b, client, batch.None, "left")
		createTopic(b, client, kafka.TopicSpec{Name: "right", Partitions: 1})
		for p := range uint64(benchPartitions) {
			produce(b, client, "right", 0, batch.None, 800, sample.Plain(benchRecords, benchSize, p))
		}
		benchCompare(b, client, "left", "right")
	})
}

func benchCompare(b *testing.B, client *kafka.Client, left, right string) {
	b.Helper()
	b.SetBytes(2 * benchPartitions * benchRecords * benchSize)
	b.ReportAllocs()
	for b.Loop() {
		got, err := mirror.CompareTopics(b.Context(), client, client, left, right, mirror.CompareOptions{})
		if err != nil || !got.Equal {
			b.Fatalf("got %+v, %v", got, err)
		}
	}
}
