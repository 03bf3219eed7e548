package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// platform makes one for the length of a test.
func platform(t testing.TB, c emulator.Config) *emulator.Platform {
	t.Helper()
	p, err := emulator.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

// start runs the triggers until the end of the test, or until stop.
func start(t testing.TB, p *emulator.Platform) (stop func()) {
	t.Helper()
	cancel, wait := begin(t, p)
	stop = func() {
		cancel()
		wait()
	}
	t.Cleanup(stop)
	return stop
}

// begin is start with the two parts of its stop.
func begin(t testing.TB, p *emulator.Platform) (cancel, wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	return cancel, sync.OnceFunc(func() {
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

// gate returns a command that keeps the probe waiting until open is called.
func gate(t testing.TB) (open func(), command string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gate")
	return func() {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Error(err)
		}
	}, fmt.Sprintf(`{"Until":%q}`, path)
}

// await polls until something is so, and fails the test when it is not so for
// long.
func await(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// rig is embedded brokers, a platform and the probe on it, with what the probe
// was given.
type rig struct {
	testing.TB
	brokers *localkafka.Cluster
	client  *kafka.Client
	config  emulator.Config
	p       *emulator.Platform
	stop    func()
	record  string // the file in which the probe writes what it was given
	control string // the file with what it shall do
}

const (
	instance = "ckafka-a"
	topic    = "orders"
	group    = "etl-orders"
	function = "probe"
)

// newRig starts brokers with the topic and makes a platform. Retries come after
// milliseconds instead of minutes; nothing else differs from the defaults.
func newRig(t *testing.T, partitions int32, change ...func(*emulator.Config)) *rig {
	t.Helper()
	t.Parallel()
	brokers, err := localkafka.Start(localkafka.Config{
		Topics:        map[string]int32{topic: partitions},
		BrokerConfigs: map[string]string{"message.max.bytes": "20000000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := brokers.Close(); err != nil {
			t.Errorf("close the brokers: %v", err)
		}
	})
	dir := t.TempDir()
	r := &rig{TB: t, brokers: brokers, record: filepath.Join(dir, "record"), control: filepath.Join(dir, "control")}
	r.config = emulator.Config{
		Clusters: map[string]kafka.Config{instance: {Brokers: brokers.Brokers()}},
		Kafka: emulator.KafkaConfig{
			RetryInterval: 10 * time.Millisecond, BackOffMin: 5 * time.Millisecond, BackOffMax: 50 * time.Millisecond,
			PartitionWatch: 50 * time.Millisecond,
		},
	}
	for _, c := range change {
		c(&r.config)
	}
	r.client, err = kafka.Open(t.Context(), kafka.Config{Brokers: brokers.Brokers()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.client.Close() })
	r.p = platform(t, r.config)
	return r
}

// reconnect makes other brokers the cluster of the rig.
func (r *rig) reconnect(brokers *localkafka.Cluster) {
	r.Helper()
	r.brokers = brokers
	cluster := kafka.Config{Brokers: brokers.Brokers()}
	client, err := kafka.Open(r.Context(), cluster)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = client.Close() })
	r.client = client
	r.config.Clusters = map[string]kafka.Config{instance: cluster}
	r.p = platform(r, r.config)
}

// trigger is the one of all tests: a batch a record, from the first one on.
func trigger(change ...func(*scf.KafkaTrigger)) scf.KafkaTrigger {
	k := scf.KafkaTrigger{
		InstanceID: instance, Topic: topic, ConsumerGroup: group,
		MaxMsgNum: 1, TimeOut: 1, Retry: 10_000, Offset: scf.Earliest, Enabled: true,
	}
	for _, c := range change {
		c(&k)
	}
	return k
}

// onKafka is a CKafka trigger as one of any kind.
func onKafka(k scf.KafkaTrigger) scf.Trigger { return scf.Trigger{Kafka: &k} }

// deploy puts the probe on the platform, with triggers.
func (r *rig) deploy(triggers ...scf.KafkaTrigger) {
	r.Helper()
	r.deployOn(r.p, triggers...)
}

func (r *rig) deployOn(p *emulator.Platform, triggers ...scf.KafkaTrigger) {
	r.Helper()
	f := scf.Function{
		Name: function, Handler: "main", MemorySize: 256, Timeout: 20,
		Environment: map[string]string{"PROBE_RECORD": r.record, "PROBE_CONTROL": r.control},
	}
	for _, k := range triggers {
		f.Events = append(f.Events, scf.Trigger{Kafka: &k})
	}
	if err := p.Deploy(r.Context(), f, probeDir); err != nil {
		r.Fatal(err)
	}
}

// run deploys triggers and runs them.
func (r *rig) run(triggers ...scf.KafkaTrigger) {
	r.Helper()
	r.deploy(triggers...)
	r.stop = start(r, r.p)
}

// do tells the probe what to do from now on; nothing by default.
func (r *rig) do(commands string) {
	r.Helper()
	// why: renamed into place, so that the probe never reads half of it.
	if err := os.WriteFile(r.control+".new", []byte(commands), 0o644); err != nil {
		r.Fatal(err)
	}
	if err := os.Rename(r.control+".new", r.control); err != nil {
		r.Fatal(err)
	}
}

// produce appends records with these values to a partition.
func (r *rig) produce(partition int32, values ...string) {
	r.Helper()
	records := make([]batch.Record, len(values))
	for i, v := range values {
		records[i].Value = []byte(v)
	}
	r.produceRecords(partition, records...)
}

func (r *rig) produceRecords(partition int32, records ...batch.Record) {
	r.Helper()
	if _, err := r.client.Produce(r.Context(), topic, partition, records...); err != nil {
		r.Fatal(err)
	}
}

// transaction produces one record in a transaction of its own to partition 0.
func (r *rig) transaction(value string, commit bool) {
	r.Helper()
	tx, err := r.client.Transactional(r.Context(), "tx-"+value, time.Minute)
	if err != nil {
		r.Fatal(err)
	}
	b, err := batch.Build(batch.Options{}, []batch.Record{{Value: []byte(value)}})
	if err != nil {
		r.Fatal(err)
	}
	if _, err := tx.Produce(r.Context(), topic, 0, []batch.Batch{b}); err != nil {
		r.Fatal(err)
	}
	end := tx.Abort
	if commit {
		end = tx.Commit
	}
	if err := end(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// createTopic makes another topic.
func (r *rig) createTopic(name string) {
	r.Helper()
	if err := r.client.CreateTopic(r.Context(), kafka.TopicSpec{Name: name, Partitions: 1}); err != nil {
		r.Fatal(err)
	}
}

// addPartition gives the topic more partitions.
func (r *rig) addPartition(count int32) {
	r.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(r.brokers.Brokers()...))
	if err != nil {
		r.Fatal(err)
	}
	defer admin.Close()
	req := kmsg.NewPtrCreatePartitionsRequest()
	add := kmsg.NewCreatePartitionsRequestTopic()
	add.Topic, add.Count = topic, count
	req.Topics = append(req.Topics, add)
	resp, err := req.RequestWith(r.Context(), admin)
	if err != nil {
		r.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.Topics[0].ErrorCode); err != nil {
		r.Fatal(err)
	}
}

// delivery is one event as the probe got it.
type delivery struct {
	PID       int
	RequestID string
	Time      time.Time
	Client    string
	Environ   []string
	Event     string
	kafka     event.Kafka // of a CKafka trigger
	timer     event.Timer // of a timer
}

// values are the bodies of the records.
func (d delivery) values() string {
	var list []string
	for _, r := range d.kafka.Records {
		list = append(list, string(r.Body))
	}
	return strings.Join(list, " ")
}

// received is what the probe got so far, failed deliveries included.
func (r *rig) received() []delivery {
	r.Helper()
	all := r.deliveries()
	for i := range all {
		if err := json.Unmarshal([]byte(all[i].Event), &all[i].kafka); err != nil {
			r.Fatalf("event %.200q: %v", all[i].Event, err)
		}
	}
	return all
}

// deliveries are the events that the probe got, of whatever kind.
func (r *rig) deliveries() []delivery {
	r.Helper()
	f, err := os.Open(r.record)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		r.Fatal(err)
	}
	defer f.Close()
	var all []delivery
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return all // the last line may not be complete yet
		}
		var d delivery
		if err := json.Unmarshal(line, &d); err != nil {
			r.Fatal(err)
		}
		all = append(all, d)
	}
}

// awaitReceived waits for that many deliveries and returns all there are.
func (r *rig) awaitReceived(n int) []delivery {
	r.Helper()
	var got []delivery
	await(r, "the function was called often enough", func() bool {
		got = r.received()
		return len(got) >= n
	})
	return got
}

// committed is the group's offset of a partition, -1 for none.
func (r *rig) committed(partition int32) int64 {
	r.Helper()
	got, err := r.client.Committed(r.Context(), group, topic, partition)
	if err != nil {
		r.Fatal(err)
	}
	return got[partition].Offset
}

func (r *rig) awaitCommitted(partition int32, offset int64) {
	r.Helper()
	await(r, "the offset was committed", func() bool { return r.committed(partition) >= offset })
	if got := r.committed(partition); got != offset {
		r.Errorf("committed offset of partition %d: got %d, want %d", partition, got, offset)
	}
}

// status is what the platform says about a partition of the only trigger.
func (r *rig) status(partition int32) emulator.PartitionStatus {
	r.Helper()
	for _, s := range r.p.Triggers()[0].Partitions {
		if s.Partition == partition {
			return s
		}
	}
	return emulator.PartitionStatus{Partition: -1}
}

func (r *rig) awaitState(partition int32, want emulator.State) emulator.PartitionStatus {
	r.Helper()
	var s emulator.PartitionStatus
	await(r, "partition is "+string(want), func() bool {
		s = r.status(partition)
		return s.State == want
	})
	return s
}

// busy reports whether the probe runs an invocation.
func busy(p interface {
	Functions() []emulator.FunctionStatus
}) bool {
	all := p.Functions()
	return len(all) == 1 && all[0].Busy > 0
}

// running reports whether a process is there and not a zombie: one whose
// parent has died is reaped by the system's first process, or never.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		process, err := os.FindProcess(pid)
		return runtime.GOOS != "linux" && err == nil && process.Signal(syscall.Signal(0)) == nil
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
