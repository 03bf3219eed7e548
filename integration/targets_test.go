package integration

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// targetDown writes to two targets at once, and has that of the migration be
// away for longer than any invocation waits for it.
func targetDown(t *testing.T, w *world) {
	const partitions = 2
	away := w.breakable(t)
	first := newWorld(t, w.brokers[0], away.Config)
	first.topic = w.topic
	name := "m-" + w.topic[len(w.topic)-8:]
	w.createTopic(t, partitions, sample.TopicSettings())
	operator := &migrate.Operator{Clusters: migrate.Clusters{Source: w.source, Target: first.target}}
	plan := migrate.Plan{Name: name, Include: []string{regexp.QuoteMeta(w.topic)}, Groups: []string{"nobody"}}
	if _, err := operator.Plan(w.ctx, plan); err != nil {
		t.Fatal(err)
	}
	if _, err := operator.Start(w.ctx, name); err != nil {
		t.Fatal(err)
	}
	f := w.feed(t, partitions)
	w.dualWrite(t, name, away.Config)
	first.awaitNext(t, name, f, 1000)
	w.awaitNext(t, name+"-2", f, 1000)

	away.down()
	since, reached := time.Now(), f.reached()
	w.awaitReports(t, "target 1 (job "+name+")", since, 3)
	w.awaitNext(t, name+"-2", f, f.reached())    // what was written while it is away
	w.awaitNext(t, name+"-2", f, reached+outage) // and on
	t.Logf("the target was away for %v", time.Since(since))
	away.up()

	first.awaitNext(t, name, f, f.reached())
	all := w.endFeed(t, f)
	for _, side := range []struct {
		*world
		job string
	}{{first, name}, {w, name + "-2"}} {
		side.awaitEnd(t, side.job, f)
		side.requireEqual(t, all)
	}
}

// outage is how many records each partition gets while a target is away: more
// than twenty seconds of them.
const outage = 8000

// reached is about how many records each partition has.
func (f *feed) reached() int64 { return f.acked.Load() / int64(f.partitions) }

// dualWrite starts the function migrate, with the world's target as the second.
func (w *world) dualWrite(t *testing.T, name string, first kafka.Config) {
	t.Helper()
	w.run(t,
		emulator.Config{
			Dir: w.dir, Clusters: map[string]kafka.Config{instance: w.brokers[0]}, Keep: 2000,
			Kafka: emulator.KafkaConfig{RetryInterval: 50 * time.Millisecond, BackOffMax: time.Second},
			Async: emulator.AsyncConfig{RetryInterval: 100 * time.Millisecond},
		},
		scf.Function{
			Key: "migrate", Name: "migrate", Handler: "main", Runtime: "Go1", MemorySize: 512, Timeout: 20,
			Environment: map[string]string{
				"MIGRATION": name, "SOURCE_BROKERS": strings.Join(w.brokers[0].Brokers, ","),
				"TARGET_BROKERS": strings.Join(first.Brokers, ","), "TARGET_REQUEST_TIMEOUT": "5s", "TARGET_DIAL_TIMEOUT": "3s",
				"TARGET_2_BROKERS": strings.Join(w.brokers[1].Brokers, ","),
			},
			Events: []scf.Trigger{
				{Timer: &scf.TimerTrigger{Name: "continue", Cron: "*/20 * * * * * *", Enabled: true, Qualifier: scf.DefaultQualifier}},
				{Kafka: &scf.KafkaTrigger{
					InstanceID: instance, Topic: w.topic, ConsumerGroup: "etl-" + w.topic,
					MaxMsgNum: 10_000, TimeOut: 1, Retry: 10_000, Offset: scf.Earliest, Enabled: true,
				}},
			},
		}, migratePackage(t))
}

// awaitReports waits for as many invocations that say something.
func (w *world) awaitReports(t *testing.T, words string, since time.Time, want int) {
	t.Helper()
	w.await(t, "invocations that say "+words, func() (bool, error) {
		said := 0
		for _, i := range w.platform.Invocations() {
			if i.Start.After(since) && (bytes.Contains(i.Payload, []byte(words)) || bytes.Contains(i.Log, []byte(words))) {
				said++
			}
		}
		return said >= want, nil
	})
}

// awaitNext waits until the checkpoints of all partitions are there, or beyond.
func (w *world) awaitNext(t *testing.T, job string, f *feed, want int64) {
	t.Helper()
	var partitions []int32
	for p := range f.partitions {
		partitions = append(partitions, p)
	}
	w.await(t, "checkpoints of job "+job, func() (bool, error) {
		now, err := mirror.Checkpoints(w.ctx, w.target, job, w.topic, w.topic, partitions...)
		if err != nil {
			return false, err
		}
		for _, checkpoint := range now {
			if checkpoint.Next < want {
				return false, errors.New("not yet")
			}
		}
		return true, nil
	})
}

// awaitEnd waits until a job has copied each partition to its end, which nobody
// writes any more.
func (w *world) awaitEnd(t *testing.T, job string, f *feed) {
	t.Helper()
	for p := range f.partitions {
		ends, err := w.source.StableOffsets(w.ctx, w.topic, p)
		if err != nil {
			t.Fatal(err)
		}
		w.await(t, "the end of a partition in job "+job, func() (bool, error) {
			now, err := mirror.Checkpoints(w.ctx, w.target, job, w.topic, w.topic, p)
			return err == nil && now[p].Next >= ends[p], err
		})
	}
}
