package integration

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// feed produces to every partition of the source until it is stopped, so that
// a fault always hits a copy at work. No two of its records in a partition are
// the same.
type feed struct {
	partitions int32
	acked      atomic.Int64
	stopped    chan struct{}
	done       chan error
}

// feed begins to produce.
func (w *world) feed(t *testing.T, partitions int32) *feed {
	t.Helper()
	f := &feed{partitions: partitions, stopped: make(chan struct{}), done: make(chan error, 1)}
	client := w.connect(t, w.brokers[0], kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(w.topic),
		kgo.RequestTimeoutOverhead(5*time.Second), kgo.ProduceRequestTimeout(5*time.Second),
		// why 1: a broker that was started again knows of a producer's last batch only
		kgo.MaxProduceRequestsInflightPerBroker(1))
	go func() { f.done <- f.run(w.ctx, client) }()
	return f
}

func (f *feed) run(ctx context.Context, client *kgo.Client) error {
	const pace, together = 50 * time.Millisecond, 20
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for seed := uint64(0); ; seed++ {
		var records []*kgo.Record
		for p := range f.partitions {
			for _, r := range sample.Plain(together, 100, seed) {
				records = append(records, &kgo.Record{Partition: p, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)})
			}
		}
		// A producer whose broker went away may give records up, whether they are
		// there or not: then they are sent again.
		for client.ProduceSync(ctx, copies(records)...).FirstErr() != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			<-ticker.C
		}
		f.acked.Add(int64(len(records)))
		select {
		case <-f.stopped:
			return nil
		case <-ticker.C:
		}
	}
}

// copies are the records anew: a client keeps what it wrote into them.
func copies(records []*kgo.Record) (anew []*kgo.Record) {
	for _, r := range records {
		anew = append(anew, &kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp})
	}
	return anew
}

// finish ends the feed, waits until all of it is copied, and compares.
func (w *world) finish(t *testing.T, f *feed) {
	t.Helper()
	all := w.endFeed(t, f)
	w.awaitCopied(t)
	w.requireEqual(t, all)
}

// endFeed ends the feed and says how many records the source has. Every record
// that it has acknowledged must be there, and nothing else. The feed's own
// producer may have written one twice where an answer was lost: then the copy
// must have it twice.
func (w *world) endFeed(t *testing.T, f *feed) int64 {
	t.Helper()
	close(f.stopped)
	if err := <-f.done; err != nil {
		t.Fatalf("produce to the source: %v", err)
	}
	var all, different int64
	for p := range f.partitions {
		seen := map[string]bool{}
		for offset, end := int64(0), w.end(t, w.source, p); offset < end; {
			got, err := w.source.FetchRecords(w.ctx, kafka.FetchRequest{Topic: w.topic, Partition: p, Offset: offset, MaxBytes: 8 << 20, MaxWait: time.Second, MinBytes: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range got.Records {
				seen[string(r.Value)] = true
			}
			all += int64(len(got.Records))
			offset = got.Next
		}
		different += int64(len(seen))
	}
	if acked := f.acked.Load(); different != acked {
		t.Errorf("the source has %d different records and has acknowledged %d", different, acked)
	}
	if all > different {
		t.Logf("the producer of the story has written %d records twice", all-different)
	}
	return all
}

// largeEvents lets the copy catch up with a feed after a fault.
func largeEvents(f *scf.Function) { f.Events[0].Kafka.MaxMsgNum = 10_000 }

// through has a fault happen while the copy is at work, and waits until it has
// copied what was produced after that.
func (w *world) through(t *testing.T, f *feed, what string, fault func()) {
	t.Helper()
	w.awaitProgress(t, f, "the copy before "+what, 1)
	fault()
	w.awaitProgress(t, f, "the copy after "+what, f.acked.Load()/int64(f.partitions))
	t.Logf("%s: over, %d records so far", what, f.acked.Load())
}

// awaitProgress waits until every partition's checkpoint has grown and is
// beyond an offset.
func (w *world) awaitProgress(t *testing.T, f *feed, what string, beyond int64) {
	t.Helper()
	var partitions []int32
	for p := range f.partitions {
		partitions = append(partitions, p)
	}
	var begun map[int32]mirror.Checkpoint
	w.await(t, what, func() (bool, error) {
		now, err := mirror.Checkpoints(w.ctx, w.target, job, w.topic, w.topic, partitions...)
		if err != nil {
			return false, err
		}
		if begun == nil {
			begun = now
		}
		for p, checkpoint := range now {
			if checkpoint.Next <= max(begun[p].Next, beyond) {
				return false, nil
			}
		}
		return true, nil
	})
}
