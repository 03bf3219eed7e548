package integration

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// outOfQuota has the target give the function's client id a small
// producer_byte_rate, and copies more than that.
func outOfQuota(t *testing.T, w *world) {
	const partitions, records, size, rate = 2, 1500, 1000, "200000"
	w.createTopic(t, partitions, sample.TopicSettings())
	for p := range int32(partitions) {
		w.produce(t, p, batch.None, 20, sample.Plain(records, size, uint64(p)))
	}
	_, err := containers.Pair(t).Target.Exec(w.ctx, "/opt/kafka/bin/kafka-configs.sh", "--bootstrap-server", kafkatest.Inside,
		"--alter", "--entity-type", "clients", "--entity-name", w.topic, "--add-config", "producer_byte_rate="+rate)
	if err != nil {
		t.Fatal(err)
	}
	probe := w.throttled(t)
	w.deploy(t, func(_ *emulator.Config, f *scf.Function) { f.Environment["TARGET_CLIENT_ID"] = w.topic })
	seen := false
	w.await(t, "the copy", func() (bool, error) {
		seen = probe() || seen // another client of the same id pays for what the function has sent
		return w.copied()
	})
	if !seen {
		t.Error("the target has throttled nobody: the quota had no effect")
	}
	w.requireEqual(t, partitions*records)
}

// throttled gives a function that sends a record of a few bytes to another
// topic of the target, with the client id that has the quota, and says whether
// the broker has throttled it.
func (w *world) throttled(t *testing.T) func() bool {
	t.Helper()
	topic := w.topic + "-probe"
	var hook throttleHook
	client := w.connect(t, w.brokers[1], kgo.ClientID(w.topic), kgo.WithHooks(&hook), kgo.DisableIdempotentWrite(), kgo.DefaultProduceTopic(topic))
	if err := w.target.CreateTopic(w.ctx, kafka.TopicSpec{Name: topic, Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	return func() bool {
		if err := client.ProduceSync(w.ctx, kgo.StringRecord("x")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		return hook.throttled.Load()
	}
}

// throttleHook notes that a broker has answered with a throttle time.
type throttleHook struct{ throttled atomic.Bool }

func (h *throttleHook) OnBrokerThrottle(_ kgo.BrokerMetadata, wait time.Duration, _ bool) {
	h.throttled.Store(h.throttled.Load() || wait > 0)
}
