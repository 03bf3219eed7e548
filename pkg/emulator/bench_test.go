package emulator_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// BenchmarkKafkaTrigger measures how fast one partition of 1 KB records goes
// from embedded brokers through the trigger into a function that does nothing
// with them, the start of the platform, the consumer group and the function
// included.
func BenchmarkKafkaTrigger(b *testing.B) {
	const records, size, batchSize = 200_000, 1 << 10, 5_000
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"t": 1}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = brokers.Close() })
	fill(b, brokers.Brokers(), records, size)
	b.SetBytes(records * size)
	for i := 0; b.Loop(); i++ {
		done := make(chan struct{})
		p := platform(b, emulator.Config{
			Clusters: map[string]kafka.Config{"ckafka-a": {Brokers: brokers.Brokers()}},
			Hooks: emulator.Hooks{Trigger: func(e emulator.TriggerEvent) {
				if e.Status.Delivered == records && e.Status.State == emulator.Polling {
					close(done)
				}
			}},
		})
		f := scf.Function{
			Name: "bench", Handler: "main", MemorySize: 512, Timeout: 30, Environment: map[string]string{"PROBE_START": "discard"},
			Events: []scf.Trigger{{Kafka: &scf.KafkaTrigger{
				InstanceID: "ckafka-a", Topic: "t", ConsumerGroup: fmt.Sprint("bench-", i),
				Offset: scf.Earliest, MaxMsgNum: batchSize, TimeOut: 1, Enabled: true,
			}}},
		}
		if err := p.Deploy(b.Context(), f, probeDir); err != nil {
			b.Fatal(err)
		}
		stop := start(b, p)
		select {
		case <-done:
		case <-time.After(time.Minute):
			b.Fatalf("%+v", p.Triggers())
		}
		stop()
	}
}

// fill produces records of one size.
func fill(b *testing.B, brokers []string, records, size int) {
	b.Helper()
	client, err := kafka.Open(b.Context(), kafka.Config{Brokers: brokers})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	value := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	const together = 500
	for range records / together {
		list := make([]batch.Record, together)
		for i := range list {
			list[i].Value = value
		}
		if _, err := client.Produce(b.Context(), "t", 0, list...); err != nil {
			b.Fatal(err)
		}
	}
}
