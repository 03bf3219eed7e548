package integration

import (
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// brokenNetwork has the stories of a cluster that is far, or away. They take
// turns on the same two clusters.
func brokenNetwork(t *testing.T) {
	behind := kafkatest.Config{Heap: "-Xms128m -Xmx384m", Proxied: true}
	pair := containers.NewPair(t, behind, behind)
	for _, side := range []struct {
		name    string
		cluster *kafkatest.Cluster
	}{{"source", pair.Source}, {"target", pair.Target}} {
		t.Run("the "+side.name+" is slow, cut off, silent, and away: nothing is lost, doubled or reordered", func(t *testing.T) {
			w := newWorld(t, impatient(pair.Source), impatient(pair.Target))
			w.networkFails(t, side.cluster)
		})
	}
}

// impatient reaches a cluster with time-outs that make a story short.
func impatient(c *kafkatest.Cluster) kafka.Config {
	return kafka.Config{Brokers: c.Brokers, RequestTimeout: 5 * time.Second, DialTimeout: 3 * time.Second}
}

// networkFails copies while one side has one fault after the other.
func (w *world) networkFails(t *testing.T, side *kafkatest.Cluster) {
	const partitions = 2
	w.createTopic(t, partitions, sample.TopicSettings())
	f := w.feed(t, partitions)
	w.deploy(t, func(c *emulator.Config, f *scf.Function) {
		c.Kafka.BackOffMax = time.Second
		largeEvents(f)
		f.Timeout = 10 // a call that hangs for longer has failed
		for _, prefix := range []string{"SOURCE_", "TARGET_"} {
			f.Environment[prefix+"REQUEST_TIMEOUT"] = "5s"
			f.Environment[prefix+"DIAL_TIMEOUT"] = "3s"
		}
	})

	const delay = 40 * time.Millisecond
	side.Proxy.Slow(delay, 1<<20)
	w.through(t, f, "a slow network", func() {
		begun := time.Now()
		w.end(t, w.source, 0)
		w.end(t, w.target, 0)
		if took := time.Since(begun); took < 2*delay {
			t.Errorf("a request and its answer took %v of at least %v: the network is not slow", took, 2*delay)
		}
	})
	side.Proxy.Heal()

	for _, fault := range []struct {
		what       string
		begin, end func() error
	}{
		{"a cut network", done(side.Proxy.Cut), done(side.Proxy.Heal)},
		{"a half-open network", done(side.Proxy.HalfOpen), done(side.Proxy.Heal)},
		{"a cluster that is away", func() error { return side.Stop(w.ctx) }, func() error { return side.Start(w.ctx) }},
	} {
		w.through(t, f, fault.what, func() {
			since := time.Now()
			if err := fault.begin(); err != nil {
				t.Fatal(err)
			}
			w.awaitTrouble(t, fault.what, since)
			if err := fault.end(); err != nil {
				t.Fatal(err)
			}
		})
	}
	w.finish(t, f)
}

func done(do func()) func() error {
	return func() error { do(); return nil }
}

// awaitTrouble waits until a fault is felt: an invocation that began after it
// fails, or the trigger cannot read.
func (w *world) awaitTrouble(t *testing.T, what string, since time.Time) {
	t.Helper()
	w.await(t, "trouble from "+what, func() (bool, error) {
		for _, trigger := range w.platform.Triggers() {
			for _, p := range trigger.Partitions {
				if trigger.Error != "" || p.State == emulator.BackingOff {
					return true, nil
				}
			}
		}
		for _, i := range w.platform.Invocations() {
			if i.Error != nil && i.Start.After(since) {
				return true, nil
			}
		}
		return false, nil
	})
}
