package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// The benchmarks of the platform run on embedded brokers and, where there is
// Docker, on real Kafka:
//
//	go test ./pkg/emulator -run '^$' -bench . -benchtime 5000x
//
// A handler that does nothing stands for the function, so that what is measured
// is the platform and Kafka.

// BenchmarkThroughput measures how fast one partition of 1 KB records goes
// through the trigger into the handler, in batches of 10,000 records or 6 MB.
// One iteration is a record; the start of the consumer group and of the
// function is included, so take 500,000.
func BenchmarkThroughput(b *testing.B) {
	onBoth(b, func(b *testing.B, brokers []string) {
		const size = 1 << 10
		w := newBenched(b, brokers)
		w.fill(b.N, size)
		b.SetBytes(size)
		b.ResetTimer()
		begun := time.Now()
		w.run("discard", 10_000, scf.Earliest)
		for delivered := 0; delivered < b.N; {
			delivered += w.next().records
		}
		b.StopTimer()
		b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "records/s")
	})
}

// BenchmarkDispatch measures what the platform adds to a function while batches
// are waiting: from the return of one handler to the end of its invocation, and
// from the batch in hand to the entry of the next handler (dispatch), and the
// commit in between, which is the time of the brokers. One iteration is one
// batch of one record.
func BenchmarkDispatch(b *testing.B) {
	onBoth(b, func(b *testing.B, brokers []string) {
		w := newBenched(b, brokers)
		w.fill(b.N, 100)
		w.run("stamp", 1, scf.Earliest)
		var dispatch, commit []time.Duration
		before := w.next()
		for range b.N - 1 {
			i := w.next()
			own := time.Duration(before.ended.UnixNano() - before.Out + i.In - i.start.UnixNano())
			dispatch = append(dispatch, own)
			commit = append(commit, time.Duration(i.In-before.Out)-own)
			before = i
		}
		report(b, "dispatch", dispatch)
		report(b, "commit", commit)
	})
}

// BenchmarkProduceToHandler measures how long a record takes from the moment
// before it is produced to the entry of the handler, maxMsgNum being 1, and for
// comparison until the broker has acknowledged it (produce). One iteration is
// one record; the next is produced when it has been handled.
func BenchmarkProduceToHandler(b *testing.B) {
	onBoth(b, func(b *testing.B, brokers []string) {
		w := newBenched(b, brokers)
		w.produce(batch.Record{Value: []byte("the cold start")})
		w.run("stamp", 1, scf.Earliest)
		w.next()
		var took, produced []time.Duration
		b.ResetTimer()
		for n := range b.N {
			began := time.Now()
			w.produce(batch.Record{Value: strconv.AppendInt(nil, int64(n), 10)})
			produced = append(produced, time.Since(began))
			took = append(took, time.Duration(w.next().In-began.UnixNano()))
		}
		report(b, "latency", took)
		report(b, "produce", produced)
	})
}

// report gives the median and the 99th percentile in microseconds.
func report(b *testing.B, name string, took []time.Duration) {
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	for _, percent := range []int{50, 99} {
		b.ReportMetric(float64(took[(len(took)-1)*percent/100].Nanoseconds())/1000, fmt.Sprintf("%s-p%d-us", name, percent))
	}
}

// onBoth runs a benchmark on embedded brokers and on real ones.
func onBoth(b *testing.B, run func(*testing.B, []string)) {
	embedded, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = embedded.Close() })
	b.Run("embedded", func(b *testing.B) { run(b, embedded.Brokers()) })

	var cluster *kafkatest.Cluster
	b.Cleanup(func() {
		if cluster != nil {
			_ = cluster.Close(context.WithoutCancel(b.Context()))
		}
	})
	b.Run("kafka", func(b *testing.B) {
		kafkatest.Require(b)
		if cluster == nil { // why: here, because only this benchmark is to be skipped
			if cluster, err = kafkatest.Start(b.Context(), kafkatest.Config{}); err != nil {
				b.Fatal(err)
			}
		}
		run(b, cluster.Brokers)
	})
}

// benched is a topic of one partition and a platform that delivers it.
type benched struct {
	*testing.B
	brokers []string
	topic   string
	p       *emulator.Platform
	client  *kafka.Client
	done    chan benchedInvocation
}

// benchedInvocation is one batch that was handled.
type benchedInvocation struct {
	In, Out int64     // when the handler was entered and left, in ns since 1970
	start   time.Time // when the platform began the invocation
	ended   time.Time // when it was done with it
	records int
}

func newBenched(b *testing.B, brokers []string) *benched {
	b.Helper()
	client, err := kafka.Open(b.Context(), kafka.Config{Brokers: brokers})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close() })
	name := kafkatest.Topic(b)
	// why: records without a timestamp are of 1970 and would be deleted as too old
	kept := map[string]string{"retention.ms": "-1"}
	if err := client.CreateTopic(b.Context(), kafka.TopicSpec{Name: name, Partitions: 1, Settings: kept}); err != nil {
		b.Fatal(err)
	}
	return &benched{B: b, brokers: brokers, topic: name, client: client, done: make(chan benchedInvocation, b.N+1)}
}

func (w *benched) produce(records ...batch.Record) {
	w.Helper()
	if _, err := w.client.Produce(w.Context(), w.topic, 0, records...); err != nil {
		w.Fatal(err)
	}
}

// fill produces records of one size, 500 together.
func (w *benched) fill(records, size int) {
	w.Helper()
	value := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
	for n := records; n > 0; n -= 500 {
		list := make([]batch.Record, min(n, 500))
		for i := range list {
			list[i].Value = value
		}
		w.produce(list...)
	}
}

// run starts the platform with the probe on the topic.
func (w *benched) run(mode string, records int, offset scf.Offset) {
	w.Helper()
	last := int64(0)
	p := platform(w, emulator.Config{
		Clusters: map[string]kafka.Config{instance: {Brokers: w.brokers}},
		Hooks: emulator.Hooks{
			Invoked: func(i emulator.Invocation) {
				if mode != "stamp" {
					return
				}
				done := benchedInvocation{start: i.Start, ended: time.Now(), records: 1}
				if err := json.Unmarshal(i.Payload, &done); err != nil {
					w.Errorf("answer %q: %v, %v", i.Payload, err, i.Error)
				}
				w.done <- done
			},
			Trigger: func(e emulator.TriggerEvent) {
				if delivered := e.Status.Delivered; mode != "stamp" && delivered > last {
					w.done <- benchedInvocation{records: int(delivered - last)}
					last = delivered
				}
			},
		},
	})
	k := trigger(of(records), from(offset))
	k.Topic, k.ConsumerGroup = w.topic, w.topic
	f := scf.Function{
		Name: function, Handler: "main", MemorySize: 512, Timeout: 30, Environment: map[string]string{"PROBE_START": mode},
		Events: []scf.Trigger{{Kafka: &k}},
	}
	if err := p.Deploy(w.Context(), f, probeDir); err != nil {
		w.Fatal(err)
	}
	w.p = p
	start(w, p)
}

// next waits for the next batch that was handled.
func (w *benched) next() benchedInvocation {
	w.Helper()
	select {
	case i := <-w.done:
		return i
	case <-time.After(2 * time.Minute):
		w.Fatalf("no batch was handled for two minutes: %+v", w.p.Triggers())
		return benchedInvocation{}
	}
}
