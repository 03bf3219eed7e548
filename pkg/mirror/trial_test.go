package mirror_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// trial is a copy whose source loses records, or one of whose topics is deleted
// and created again: before a copy, or in the middle of one.
type trial struct {
	*trialClusters
	random        *rand.Rand
	topic         string
	before, after []batch.Record // of the source topic: as it is at first, and when it was created again
	copier        *mirror.Copier
	event         trialEvent
	begun         bool // something was committed when the event came
}

// trialClusters are those of one worker.
type trialClusters struct {
	source, target         *kafka.Client
	sourceWire, targetWire *wire
	fakeSource             *kfake.Cluster
}

type trialEvent string

const (
	recordsGone     trialEvent = "records are deleted"
	sourceRecreated trialEvent = "the source topic is created again"
	targetRecreated trialEvent = "the target topic is created again"
)

var trialEvents = []trialEvent{recordsGone, sourceRecreated, targetRecreated}

// trialRequests are those of a copy in whose place an event can come.
var trialRequests = []kmsg.Key{kmsg.Fetch, kmsg.Metadata, kmsg.AddPartitionsToTxn, kmsg.Produce, kmsg.TxnOffsetCommit, kmsg.EndTxn}

// Whenever records are gone or a topic is another one, the copy has stopped
// before a wrong record: 500 times, by seed.
func TestGapsAndRecreatedTopics(t *testing.T) {
	t.Parallel()
	count := 500
	if testing.Short() {
		count = 100
	}
	const workers = 2
	stopped := make([]map[trialEvent]int, workers)
	var group errgroup.Group
	for worker := range workers {
		c := &trialClusters{sourceWire: &wire{}, targetWire: &wire{}}
		c.source, c.fakeSource = c.sourceWire.cluster(t)
		c.target, _ = c.targetWire.cluster(t, "__consumer_offsets") // as real ones have it: it is the witness
		stopped[worker] = map[trialEvent]int{}
		group.Go(func() error {
			for seed := worker; seed < count; seed += workers {
				event, stop, err := c.trial(t, uint64(seed))
				if err != nil {
					return fmt.Errorf("seed %d, %s: %w", seed, event, err)
				}
				if stop {
					stopped[worker][event]++
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	for _, event := range trialEvents {
		if n := stopped[0][event] + stopped[1][event]; n < count/20 {
			t.Errorf("%s: only %d of %d copies had to stop, the trials show nothing", event, n, count)
		}
	}
}

// trial makes a topic, copies a part of it, has the event happen, and copies
// what is there then.
func (c *trialClusters) trial(t *testing.T, seed uint64) (event trialEvent, stopped bool, err error) {
	random := rand.New(rand.NewPCG(seed, 11))
	r := &trial{
		trialClusters: c, random: random, topic: fmt.Sprintf("trial-%d", seed), event: trialEvents[random.IntN(len(trialEvents))],
		before: sample.Plain(20+random.IntN(60), 100, seed), after: sample.Plain(1+random.IntN(150), 100, ^seed),
	}
	if err := r.fill(t, r.before); err != nil {
		return r.event, false, err
	}
	r.copier = r.newCopier(t)
	if random.IntN(10) > 0 {
		if err := r.copy(t, 1+random.IntN(len(r.before)-1)); err != nil {
			return r.event, false, err
		}
	}
	if random.IntN(2) == 0 {
		err = r.happen(t)
	} else {
		err = r.happenMeanwhile(t)
	}
	if err != nil {
		return r.event, false, err
	}
	if random.IntN(2) == 0 {
		r.copier = r.newCopier(t) // a cold instance knows what is stored, and nothing else
	}
	stopped, err = r.judge(t)
	return r.event, stopped, err
}

func (r *trial) newCopier(t *testing.T) *mirror.Copier {
	return copier(t, mirror.Config{Job: r.topic, Source: r.source, Target: r.target, OffsetMap: true, ChunkBytes: 1000, TransactionBytes: 2000})
}

// fill creates the source topic with records in batches of any size.
func (r *trial) fill(t *testing.T, records []batch.Record) error {
	if err := r.source.CreateTopic(t.Context(), kafka.TopicSpec{Name: r.topic, Partitions: 1}); err != nil {
		return err
	}
	for rest := records; len(rest) > 0; {
		n := min(1+r.random.IntN(20), len(rest))
		b, err := batch.Build(batch.Options{Codec: batch.Codec(r.random.IntN(5))}, rest[:n])
		if err != nil {
			return err
		}
		if _, err := r.source.ProduceBatches(t.Context(), r.topic, 0, "", []batch.Batch{b}); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// copy copies the records before an offset.
func (r *trial) copy(t *testing.T, end int) error {
	_, err := r.copier.Copy(testContext(t), []mirror.Range{{Topic: r.topic, Last: int64(end) - 1}})
	return err
}

func (r *trial) happen(t *testing.T) error {
	checkpoint, err := r.checkpoint(t)
	if err != nil {
		return err
	}
	r.begun = checkpoint >= 0
	switch r.event {
	case recordsGone:
		return r.fakeSource.DeleteRecords(r.topic, 0, int64(1+r.random.IntN(len(r.before))))
	case sourceRecreated:
		if err := r.source.DeleteTopic(t.Context(), r.topic); err != nil {
			return err
		}
		return r.fill(t, r.after)
	}
	err = r.target.DeleteTopic(t.Context(), r.topic)
	if err != nil && !errors.Is(err, kafka.ErrUnknownTopic) {
		return err
	}
	return r.target.CreateTopic(t.Context(), kafka.TopicSpec{Name: r.topic, Partitions: 1})
}

// happenMeanwhile has the event come before or after a request of a copy; after
// the copy where there are not so many.
func (r *trial) happenMeanwhile(t *testing.T) error {
	key := trialRequests[r.random.IntN(len(trialRequests))]
	wire := r.targetWire
	if key == kmsg.Fetch || key == kmsg.Metadata && r.random.IntN(2) == 0 {
		wire = r.sourceWire
	}
	a := accident{key: key, at: r.random.IntN(4)}
	happened := make(chan error, 1)
	come := func() { happened <- r.happen(t) }
	if r.random.IntN(2) == 0 {
		a.before = come
	} else {
		a.after = come
	}
	wire.arm(a)
	_ = r.copy(t, len(r.before)) // it stops, or is done before
	if !wire.disarm() {
		return r.happen(t)
	}
	return <-happened // the copy may be over before
}

// judge copies what is there now, and wants nothing in the target but what was
// in the source: of one topic, without a hole. It says whether the copy had to
// stop.
func (r *trial) judge(t *testing.T) (stopped bool, err error) {
	checkpoint, err := r.checkpoint(t)
	if err != nil {
		return false, err
	}
	first, end := offset(t, r.source, r.topic, 0, kafka.Earliest), offset(t, r.source, r.topic, 0, kafka.Latest)
	copyErr := r.copy(t, int(max(end, 1)))
	held, err := r.held(t)
	if err != nil {
		return false, err
	}
	copied := r.before[:max(checkpoint, 0)] // while the topics were what they were
	if r.event == targetRecreated {
		copied = nil
	}
	switch {
	case r.event == recordsGone && first <= max(checkpoint, 0):
		if copyErr != nil {
			return false, fmt.Errorf("nothing was missing: %w", copyErr)
		}
		return false, requireSame(held, r.before)
	case r.event == recordsGone:
		if !errors.Is(copyErr, mirror.ErrGap) {
			return false, fmt.Errorf("offsets %d to %d are gone: got %v, want ErrGap", checkpoint, first, copyErr)
		}
		return true, requireSame(held, r.before[:max(checkpoint, 0)])
	case errors.Is(copyErr, mirror.ErrRecreated):
		return true, requireSame(held, copied)
	case r.begun || copyErr != nil:
		return false, fmt.Errorf("got %v, want ErrRecreated", copyErr)
	case r.event == sourceRecreated: // nobody has to know of the topic before
		return false, requireSame(held, r.after)
	}
	return false, requireSame(held, r.before)
}

func (r *trial) checkpoint(t *testing.T) (int64, error) {
	checkpoints, err := mirror.Checkpoints(testContext(t), r.target, r.topic, r.topic, r.topic, 0)
	return checkpoints[0].Next, err
}

// held are the committed records of the target.
func (r *trial) held(t *testing.T) (records []batch.Record, err error) {
	end := offset(t, r.target, r.topic, 0, kafka.Latest)
	for next := int64(0); next < end; {
		fetched, err := r.target.FetchRecords(testContext(t), kafka.FetchRequest{Topic: r.topic, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, ReadCommitted: true})
		if err != nil {
			return nil, err
		}
		if fetched.Next == next {
			return records, nil // a transaction that was given up
		}
		records, next = append(records, fetched.Records...), fetched.Next
	}
	return records, nil
}

func requireSame(got, want []batch.Record) error {
	same := slices.EqualFunc(got, want, func(a, b batch.Record) bool {
		return string(a.Key) == string(b.Key) && string(a.Value) == string(b.Value) && a.Timestamp == b.Timestamp
	})
	if !same {
		return fmt.Errorf("the target has %d records, want the %d that were copied before", len(got), len(want))
	}
	return nil
}
