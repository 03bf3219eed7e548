package integration

import (
	"strconv"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// abortedTransactions has two producers write side by side, of which every
// other transaction is aborted, and single records beside them.
func abortedTransactions(t *testing.T, w *world) {
	w.createTopic(t, 1, sample.TopicSettings())
	w.deploy(t, nil)
	var want int64
	producers := make([]*kafka.Transactional, 2)
	for i := range producers {
		p, err := w.source.Transactional(w.ctx, w.topic+"-producer-"+strconv.Itoa(i), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		producers[i] = p
	}
	for round := range 20 {
		for i, p := range producers { // both transactions are open at once
			b, err := batch.Build(batch.Options{Codec: codecs[round%len(codecs)]}, sample.Plain(20, 100, uint64(round*2+i)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Produce(w.ctx, w.topic, 0, []batch.Batch{b}); err != nil {
				t.Fatal(err)
			}
		}
		w.produce(t, 0, batch.None, 5, sample.Plain(5, 100, uint64(1000+round)))
		want += 5
		for i, p := range producers {
			end := p.Abort
			if (round+i)%2 == 0 {
				end = p.Commit
				want += 20
			}
			if err := end(w.ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.awaitCopied(t)
	w.requireEqual(t, want)
}

// compactedSource dumps what a cleaner has left.
func compactedSource(t *testing.T, w *world) {
	left := w.compacted(t)
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.awaitStable(t)
	inOrder, err := mirror.Compare(w.ctx, w.whole(t, w.source), w.whole(t, w.target), nil)
	if err != nil || !inOrder.Equal || inOrder.Source.Records != int64(left) {
		t.Errorf("%+v (%v), want %d equal records in order", inOrder, err, left)
	}
	byKey, err := mirror.CompareTopics(w.ctx, w.source, w.target, w.topic, w.topic, mirror.CompareOptions{})
	if err != nil || !byKey.Equal || !byKey.Compacted {
		t.Errorf("%+v (%v), want equal keys", byKey, err)
	}
}

// compacted fills the topic until the cleaner has removed records, has it stop, and
// says how many are left.
func (w *world) compacted(t *testing.T) (left int) {
	settings := sample.TopicSettings()
	delete(settings, "retention.ms")
	settings["cleanup.policy"] = "compact"
	settings["segment.ms"] = "100"
	settings["min.cleanable.dirty.ratio"] = "0.001"
	settings["max.compaction.lag.ms"] = "100"
	w.createTopic(t, 1, settings)
	written := 0
	w.await(t, "the cleaner at work", func() (bool, error) {
		var records []batch.Record
		now := time.Now().UnixMilli() // segments are rolled by the time of the records
		for i := range 200 {
			written++
			records = append(records, batch.Record{Timestamp: now, Key: []byte("key-" + strconv.Itoa(written*i%97)), Value: []byte(strconv.Itoa(written))})
		}
		w.produce(t, 0, batch.Zstd, 20, records)
		return w.count(t) < written/2, nil
	})
	_, err := containers.Pair(t).Source.Exec(w.ctx, "/opt/kafka/bin/kafka-configs.sh", "--bootstrap-server", kafkatest.Inside,
		"--alter", "--entity-type", "topics", "--entity-name", w.topic,
		"--add-config", "min.cleanable.dirty.ratio=1,max.compaction.lag.ms=9223372036854775807,segment.ms=86400000")
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	w.await(t, "the cleaner at rest", func() (bool, error) {
		if n := w.count(t); n != left {
			left, same = n, 0
		}
		same++
		return same > 100, nil
	})
	return left
}

// whole is partition 0 of the topic in a cluster.
func (w *world) whole(t *testing.T, client *kafka.Client) mirror.Side {
	t.Helper()
	return mirror.Side{Client: client, Topic: w.topic, First: w.offset(t, client, kafka.Earliest), End: w.offset(t, client, kafka.Latest)}
}

func (w *world) offset(t *testing.T, client *kafka.Client, at int64) int64 {
	t.Helper()
	offsets, err := client.Offsets(w.ctx, w.topic, at, 0)
	if err != nil {
		t.Fatal(err)
	}
	return offsets[0]
}

// count reads partition 0 of the source.
func (w *world) count(t *testing.T) int {
	t.Helper()
	n := 0
	for offset := int64(0); ; {
		got, err := w.source.FetchRecords(w.ctx, kafka.FetchRequest{Topic: w.topic, Offset: offset, MaxBytes: 8 << 20, MaxWait: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if n += len(got.Records); got.Next == offset || got.Next >= got.HighWatermark {
			return n
		}
		offset = got.Next
	}
}
