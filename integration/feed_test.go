package integration

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// feed produces to every partition of the source until it is stopped, so that
// a fault always hits a copy at work. Its producer is idempotent: what it
// counts is in the source once, whatever happens to the brokers.
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
		kgo.RequestTimeoutOverhead(5*time.Second), kgo.ProduceRequestTimeout(5*time.Second))
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
		if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return err
		}
		f.acked.Add(int64(len(records)))
		select {
		case <-f.stopped:
			return nil
		case <-ticker.C:
		}
	}
}

// stop ends it and gives the number of records that the source has acknowledged.
func (f *feed) stop(t *testing.T) int64 {
	t.Helper()
	close(f.stopped)
	if err := <-f.done; err != nil {
		t.Fatalf("produce to the source: %v", err)
	}
	return f.acked.Load()
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
