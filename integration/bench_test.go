package integration

import (
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// BenchmarkDump is the whole way: trigger, event, built binary, transaction.
// One iteration is one record of 1 KB, all in one partition.
//
//	go test ./integration -run '^$' -bench Dump -benchtime 200000x
func BenchmarkDump(b *testing.B) {
	const size = 1024
	w := embedded(b)
	w.createTopic(b, 1, sample.TopicSettings())
	records := sample.Plain(min(b.N, 10_000), size, 1)
	for n := b.N; n > 0; n -= len(records) {
		w.produce(b, 0, batch.None, 500, records[:min(n, len(records))])
	}
	b.SetBytes(size)
	w.deploy(b, func(c *emulator.Config, f *scf.Function) {
		f.Events[0].Kafka.MaxMsgNum = 10_000
	})
	begun := time.Now()
	b.ResetTimer()
	w.awaitCopied(b)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "records/s")
	w.requireEqual(b, int64(b.N))
}
