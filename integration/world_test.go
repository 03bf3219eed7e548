package integration

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// storyTimeout bounds one story, on a machine that has other things to do.
const storyTimeout = 10 * time.Minute

// world is where a story happens: two clusters and, once it is deployed, the
// function dump on a platform of its own.
type world struct {
	ctx            context.Context
	source, target *kafka.Client
	brokers        [2]kafka.Config // of source and target, as the platform and the function reach them
	topic          string
	dir            string // of the platform: where the function's binary is
	platform       *emulator.Platform
	another        func(testing.TB) kafka.Config // starts one more cluster of the same kind
	breakable      func(testing.TB) breakable    // likewise, of one that can be away
}

// breakable is a cluster that can be made to be away, and to be there again.
type breakable struct {
	kafka.Config
	down, up func()
}

// embedded is a world of embedded brokers.
func embedded(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, embeddedCluster(t), embeddedCluster(t))
	w.another, w.breakable = embeddedCluster, breakableEmbedded
	return w
}

func embeddedCluster(t testing.TB) kafka.Config {
	t.Helper()
	cluster, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	return kafka.Config{Brokers: cluster.Brokers()}
}

// breakableEmbedded is stopped while it is away.
func breakableEmbedded(t testing.TB) breakable {
	t.Helper()
	config := localkafka.Config{Dir: t.TempDir()}
	cluster, err := localkafka.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	b := breakable{Config: kafka.Config{Brokers: cluster.Brokers()}}
	address := netip.MustParseAddrPort(b.Brokers[0])
	config.Ports = []int{int(address.Port())}
	b.down = func() {
		if err := cluster.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b.up = func() {
		if cluster, err = localkafka.Start(config); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// oneMore is a cluster beside the shared ones. It has the long session of those,
// and for the same reason: one that the machine keeps from its heartbeats is
// busy, not dead.
func oneMore() kafkatest.Config {
	return kafkatest.Config{Heap: "-Xms128m -Xmx384m", Settings: map[string]string{"broker.session.timeout.ms": "60000"}}
}

// breakableReal is cut off while it is away.
func breakableReal(t testing.TB) breakable {
	t.Helper()
	config := oneMore()
	config.Proxied = true
	cluster := containers.New(t, config)
	return breakable{Config: kafka.Config{Brokers: cluster.Brokers}, down: cluster.Proxy.Cut, up: cluster.Proxy.Heal}
}

// real is a world of Apache Kafka in containers. One more cluster is the
// story's own, and counts as one of its nodes.
func real(t testing.TB) *world {
	t.Helper()
	pair := containers.Pair(t)
	w := newWorld(t, kafka.Config{Brokers: pair.Source.Brokers}, kafka.Config{Brokers: pair.Target.Brokers})
	w.breakable = breakableReal
	w.another = func(t testing.TB) kafka.Config {
		t.Helper()
		return kafka.Config{Brokers: containers.New(t, oneMore()).Brokers}
	}
	return w
}

// newWorld is a world of any two clusters.
func newWorld(t testing.TB, source, target kafka.Config) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), storyTimeout)
	t.Cleanup(cancel)
	return &world{
		ctx: ctx, source: open(t, ctx, source), target: open(t, ctx, target), brokers: [2]kafka.Config{source, target},
		topic: kafkatest.Topic(t), dir: t.TempDir(),
	}
}

// open connects the story itself to a cluster.
func open(t testing.TB, ctx context.Context, config kafka.Config) *kafka.Client {
	t.Helper()
	config.MetadataTTL = 200 * time.Millisecond
	config.DialTimeout = cmp.Or(config.DialTimeout, time.Minute) // it is no story about the first contact
	client, err := kafka.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// instance is the id of the source cluster as serverless.yml would name it.
const instance = "ckafka-source"

// job is the name of the copy in every story.
const job = "story"

// function is dump as a user would deploy it, with a trigger that begins at
// the first record.
func (w *world) function() scf.Function {
	return scf.Function{
		Key: "dump", Name: "dump", Handler: "main", Runtime: "Go1", MemorySize: 512, Timeout: 30,
		Environment: map[string]string{
			"JOB":            job,
			"SOURCE_BROKERS": strings.Join(w.brokers[0].Brokers, ","),
			"TARGET_BROKERS": strings.Join(w.brokers[1].Brokers, ","),
		},
		Events: []scf.Trigger{{Kafka: &scf.KafkaTrigger{
			InstanceID: instance, Topic: w.topic, ConsumerGroup: "etl-" + w.topic,
			MaxMsgNum: 1000, TimeOut: 1, Retry: 10_000, Offset: scf.Earliest, Enabled: true,
		}}},
	}
}

// deploy starts a platform with the function on it. change may alter either.
func (w *world) deploy(t testing.TB, change func(*emulator.Config, *scf.Function)) {
	t.Helper()
	config := emulator.Config{
		Dir:      w.dir,
		Clusters: map[string]kafka.Config{instance: w.brokers[0]},
		Kafka:    emulator.KafkaConfig{RetryInterval: 50 * time.Millisecond},
		Keep:     2000,
	}
	function := w.function()
	if change != nil {
		change(&config, &function)
	}
	w.run(t, config, function, dumpPackage(t))
}

// run starts a platform with a function on it, until the test ends.
func (w *world) run(t testing.TB, config emulator.Config, function scf.Function, code string) {
	t.Helper()
	platform, err := emulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Deploy(w.ctx, function, code); err != nil {
		t.Fatal(err)
	}
	w.platform = platform
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- platform.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := platform.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			w.report(t)
		}
	})
}

// report shows the last invocations of a story that failed.
func (w *world) report(t testing.TB) {
	invocations := w.platform.Invocations()
	for _, i := range invocations[max(0, len(invocations)-5):] {
		t.Logf("invocation %s: %v, error %v, log:\n%s", i.RequestID, i.Duration, i.Error, i.Log)
	}
}

func (w *world) createTopic(t testing.TB, partitions int, settings map[string]string) {
	t.Helper()
	spec := kafka.TopicSpec{Name: w.topic, Partitions: partitions, Settings: settings}
	if err := w.source.CreateTopic(w.ctx, spec); err != nil {
		t.Fatal(err)
	}
}

// produce appends records to a partition of the source in batches of size.
func (w *world) produce(t testing.TB, partition int32, codec batch.Codec, size int, records []batch.Record) {
	t.Helper()
	const together = 20
	var batches []batch.Batch
	send := func() {
		if len(batches) == 0 {
			return
		}
		if _, err := w.source.ProduceBatches(w.ctx, w.topic, partition, "", batches); err != nil {
			t.Fatal(err)
		}
		batches = nil
	}
	for len(records) > 0 {
		n := min(size, len(records))
		b, err := batch.Build(batch.Options{Codec: codec}, records[:n])
		if err != nil {
			t.Fatal(err)
		}
		if batches = append(batches, b); len(batches) == together {
			send()
		}
		records = records[n:]
	}
	send()
}

// await polls a condition until it holds.
func (w *world) await(t testing.TB, what string, holds func() (bool, error)) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	var last error
	for {
		ok, err := holds()
		if ok {
			return
		}
		last = err
		select {
		case <-w.ctx.Done():
			t.Fatalf("%s: not in %v (%v)", what, storyTimeout, last)
		case <-ticker.C:
		}
	}
}

// awaitCopied waits until the trigger has committed all that the source holds:
// then the platform has seen every event through.
func (w *world) awaitCopied(t testing.TB) {
	t.Helper()
	w.await(t, "the trigger's group at the end of the source", w.copied)
}

func (w *world) copied() (bool, error) {
	topic, err := w.source.Topic(w.ctx, w.topic)
	if err != nil {
		return false, err
	}
	var partitions []int32
	for _, p := range topic.Partitions {
		partitions = append(partitions, p.ID)
	}
	end, err := w.source.Offsets(w.ctx, w.topic, kafka.Latest, partitions...)
	if err != nil {
		return false, err
	}
	committed, err := w.source.Committed(w.ctx, "etl-"+w.topic, w.topic, partitions...)
	if err != nil {
		return false, err
	}
	for _, p := range partitions {
		if end[p] > 0 && committed[p].Offset < end[p] {
			return false, nil
		}
	}
	return true, nil
}

// awaitStable waits until the target has no open transaction: a broker answers
// the end of one before its markers are written, and until then nobody who
// reads committed records sees the last of them.
func (w *world) awaitStable(t testing.TB) {
	t.Helper()
	w.await(t, "the target without an open transaction", func() (bool, error) {
		topic, err := w.target.Topic(w.ctx, w.topic)
		if err != nil {
			return false, err
		}
		for _, p := range topic.Partitions {
			end, err := w.target.Offsets(w.ctx, w.topic, kafka.Latest, p.ID)
			if err != nil {
				return false, err
			}
			got, err := w.target.FetchRecords(w.ctx, kafka.FetchRequest{
				Topic: w.topic, Partition: p.ID, Offset: end[p.ID], MaxWait: time.Millisecond, ReadCommitted: true,
			})
			if err != nil || got.LastStable != got.HighWatermark {
				return false, err
			}
		}
		return true, nil
	})
}

// requireEqual compares source and target by content and count.
func (w *world) requireEqual(t testing.TB, records int64) {
	t.Helper()
	if got := w.compare(t, records, mirror.CompareOptions{}); !got.Ordered {
		t.Errorf("compared %s, want in order", got.Scope())
	}
}

// compare is requireEqual for a part of the topics, or without their order.
func (w *world) compare(t testing.TB, records int64, options mirror.CompareOptions) mirror.TopicComparison {
	t.Helper()
	w.awaitStable(t)
	got, err := mirror.CompareTopics(w.ctx, w.source, w.target, w.topic, w.topic, options)
	if err != nil {
		t.Fatal(err)
	}
	var source, target int64
	for _, p := range got.Partitions {
		source += p.Source.Records
		target += p.Target.Records
		if !p.Equal {
			t.Errorf("partition %d: %v", p.Partition, p.Difference)
		}
	}
	if source != records || target != records {
		t.Errorf("compared %d and %d records (%s), want %d", source, target, got.Scope(), records)
	}
	return got
}

// awaitFailure waits for an invocation that fails with an error that holds the
// text.
func (w *world) awaitFailure(t testing.TB, text string) emulator.Invocation {
	t.Helper()
	var found emulator.Invocation
	w.await(t, "an invocation that fails with "+text, func() (bool, error) {
		var last error
		for _, i := range w.platform.Invocations() {
			if i.Error == nil {
				continue
			}
			if last = i.Error; strings.Contains(i.Error.Message, text) {
				found = i
				return true, nil
			}
		}
		return false, last
	})
	return found
}

// end is the offset after the last record of a partition, whether committed or
// not; 0 where there is no topic yet.
func (w *world) end(t testing.TB, client *kafka.Client, partition int32) int64 {
	t.Helper()
	offsets, err := client.Offsets(w.ctx, w.topic, kafka.Latest, partition)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return offsets[partition]
}
