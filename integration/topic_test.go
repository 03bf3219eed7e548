package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// logAppendTime has the source's broker replace the times of the records: the
// copy has those that a reader of the source sees.
func logAppendTime(t *testing.T, w *world) {
	settings := sample.TopicSettings()
	settings["message.timestamp.type"] = "LogAppendTime"
	w.createTopic(t, len(codecs), settings)
	const records = 300
	begun := time.Now().Add(-time.Minute).UnixMilli() // a broker's clock may differ by a little
	for p, codec := range codecs {
		w.produce(t, int32(p), codec, 10, sample.Plain(records, 100, uint64(p)))
	}
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.requireEqual(t, int64(records*len(codecs)))
	got, err := w.target.FetchRecords(w.ctx, kafka.FetchRequest{Topic: w.topic, ReadCommitted: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range got.Records {
		if given := sample.Plain(records, 100, 0)[i].Timestamp; r.Timestamp == given || r.Timestamp < begun {
			t.Fatalf("record %d has time %d, want the one that the broker gave it in place of %d", i, r.Timestamp, given)
		}
	}
}

// partitionsAdded adds partitions to both topics under a running platform, the
// target first, so that each keeps the partition of its number.
func partitionsAdded(t *testing.T, w *world) {
	w.createTopic(t, 1, sample.TopicSettings())
	w.produce(t, 0, batch.LZ4, 10, sample.Plain(500, 100, 0))
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.addPartitions(t, w.brokers[1], 3)
	w.addPartitions(t, w.brokers[0], 3)
	w.awaitPartitions(t, 3)
	for p := range int32(3) {
		w.produce(t, p, batch.Zstd, 10, sample.Plain(500, 100, uint64(p+1)))
	}
	w.awaitCopied(t)
	w.requireEqual(t, 2000)
}

// partitionsAddedToSource leaves the target as it is: what the source has now
// is placed by key among the partitions that there are.
func partitionsAddedToSource(t *testing.T, w *world) {
	w.createTopic(t, 2, sample.TopicSettings())
	for p := range int32(2) {
		w.produce(t, p, batch.LZ4, 10, sample.Plain(500, 100, uint64(p)))
	}
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.addPartitions(t, w.brokers[0], 5)
	w.awaitPartitions(t, 5)
	for p := range int32(5) {
		w.produce(t, p, batch.Zstd, 10, sample.Plain(500, 100, uint64(p+10)))
	}
	w.awaitCopied(t)
	got := w.compare(t, 3500, mirror.CompareOptions{})
	if got.SourcePartitions != 5 || got.TargetPartitions != 2 {
		t.Errorf("compared %s, want 5 and 2 partitions", got.Scope())
	}
}

// awaitPartitions waits until the source has so many partitions for this client.
func (w *world) awaitPartitions(t *testing.T, count int32) {
	t.Helper()
	w.await(t, "the new partitions", func() (bool, error) {
		_, err := w.source.Offsets(w.ctx, w.topic, kafka.Latest, count-1)
		return err == nil, err
	})
}

// recreated deletes the source topic and creates it again, with other records
// at the same offsets.
func recreated(t *testing.T, w *world) {
	w.createTopic(t, 1, sample.TopicSettings())
	w.produce(t, 0, batch.LZ4, 10, sample.Plain(100, 100, 1))
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.requireEqual(t, 100)
	end := w.end(t, w.target, 0)

	if err := w.source.DeleteTopic(w.ctx, w.topic); err != nil {
		t.Fatal(err)
	}
	w.await(t, "the topic created again", func() (bool, error) {
		err := w.source.CreateTopic(w.ctx, kafka.TopicSpec{Name: w.topic, Partitions: 1, Settings: sample.TopicSettings()})
		if err != nil && !errors.Is(err, kafka.ErrTopicExists) {
			t.Fatal(err)
		}
		return err == nil, err
	})
	w.produce(t, 0, batch.LZ4, 10, sample.Plain(300, 100, 2))

	failed := w.awaitFailure(t, mirror.ErrRecreated.Error()).Error.Message
	if !strings.Contains(failed, "--to earliest") || !strings.Contains(failed, "--to latest") {
		t.Errorf("the error does not name both commands: %s", failed)
	}
	if now := w.end(t, w.target, 0); now != end {
		t.Errorf("the target ends at %d, want %d: nothing of the new topic before somebody has decided", now, end)
	}
	w.advice(t, failed, "reset", "--to earliest", "--execute")
	w.awaitCopied(t)
	w.compare(t, 300, mirror.CompareOptions{Target: map[int32]mirror.Span{0: {First: end, End: -1}}})
}

// gapByRetention has retention take away records of one partition before they
// are copied. The other one goes on.
func gapByRetention(t *testing.T, w *world) {
	w.createTopic(t, 2, sample.TopicSettings())
	w.produce(t, 0, batch.LZ4, 10, sample.Plain(100, 100, 0)) // of last January
	w.produce(t, 1, batch.LZ4, 10, recent(100, 1))
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.awaitStable(t) // the marker of the last transaction is counted too
	end := w.end(t, w.target, 0)
	trigger := *w.function().Events[0].Kafka
	trigger.Enabled = false
	if err := w.platform.UpdateTrigger(w.ctx, "dump", scf.Trigger{Kafka: &trigger}); err != nil {
		t.Fatal(err)
	}

	w.produce(t, 0, batch.LZ4, 10, sample.Plain(200, 100, 3))
	w.expire(t, 0)
	missing := w.end(t, w.source, 0)
	for p := range int32(2) {
		w.produce(t, p, batch.LZ4, 10, recent(50, uint64(p+10)))
	}
	trigger.Enabled = true
	if err := w.platform.UpdateTrigger(w.ctx, "dump", scf.Trigger{Kafka: &trigger}); err != nil {
		t.Fatal(err)
	}

	failed := w.awaitFailure(t, mirror.ErrGap.Error()).Error.Message
	w.await(t, "the other partition copied", func() (bool, error) {
		checkpoints, err := mirror.Checkpoints(w.ctx, w.target, job, w.topic, w.topic, 1)
		return checkpoints[1].Next == 150, err
	})
	if now := w.end(t, w.target, 0); now != end {
		t.Errorf("the target ends at %d, want %d: nothing after the gap before somebody has decided", now, end)
	}
	if shown := w.advice(t, failed, "show"); !strings.Contains(shown, "100") {
		t.Errorf("etl offsets show does not show the checkpoint 100:\n%s", shown)
	}
	w.advice(t, failed, "reset", "--execute")
	w.awaitCopied(t)
	// partition 0 has what came after the gap, 1 all of its 150
	w.compare(t, 200, mirror.CompareOptions{
		Source: map[int32]mirror.Span{0: {First: missing, End: -1}},
		Target: map[int32]mirror.Span{0: {First: end, End: -1}},
	})
}

// recent gives records of this moment, which retention leaves alone.
func recent(n int, seed uint64) []batch.Record {
	records := sample.Plain(n, 100, seed)
	for i := range records {
		records[i].Timestamp = time.Now().UnixMilli()
	}
	return records
}

// expire sets a retention time of the source and waits until it has taken away
// all that a partition has.
func (w *world) expire(t *testing.T, partition int32) {
	t.Helper()
	end := w.end(t, w.source, partition)
	w.set(t, w.brokers[0], "retention.ms", "86400000")
	w.await(t, "retention at work", func() (bool, error) {
		earliest, err := w.source.Offsets(w.ctx, w.topic, kafka.Earliest, partition)
		return earliest[partition] == end, err
	})
	w.set(t, w.brokers[0], "retention.ms", "-1")
}
