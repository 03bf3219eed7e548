package mirror_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// sweep copies one source partition again and again, each time into a new
// topic and with an accident at another place.
type sweep struct {
	source, target         *kafka.Client
	sourceWire, targetWire *wire
	fakeTarget             *kfake.Cluster
	fakeSource             *kfake.Cluster
	whole                  mirror.Range
	records                int
	run                    int
}

// sweepTopics is how many copies a sweep may make.
const sweepTopics = 200

func newSweep(t *testing.T) *sweep {
	s := &sweep{sourceWire: &wire{}, targetWire: &wire{}}
	copies := make([]string, sweepTopics)
	for i := range copies {
		copies[i] = fmt.Sprintf("copy.%d", i)
	}
	s.source, s.fakeSource = s.sourceWire.cluster(t, "t", "open")
	s.target, s.fakeTarget = s.targetWire.cluster(t, copies...)
	records := sample.Plain(40, 100, 1)
	good, bad := transaction(t, s.source, "good"), transaction(t, s.source, "bad")
	produce(t, s.source, "t", 0, batch.Zstd, 10, records[:10])
	produceIn(t, bad, "t", 0, records[:5])
	produceIn(t, good, "t", 0, records[10:20])
	end(t, bad, false)
	end(t, good, true)
	produce(t, s.source, "t", 0, batch.None, 20, records[20:])
	s.records = len(records)
	s.whole = rangeOf(3, offset(t, s.source, "t", 0, kafka.Latest)-1) // from the middle of a batch
	return s
}

// copier makes an instance of the copy of this run, in about four chunks and
// two transactions.
func (s *sweep) copier(t *testing.T) *mirror.Copier {
	topics, err := mirror.ParseTopicMap(fmt.Sprintf("t:copy.%d", s.run))
	if err != nil {
		t.Fatal(err)
	}
	return copier(t, mirror.Config{Job: fmt.Sprintf("run-%d", s.run), Source: s.source, Target: s.target, Topics: topics, ChunkBytes: 1000, TransactionBytes: 2000})
}

// next begins a run: first with an accident, then by the same instance or a
// fresh one, until nothing is missing and nothing is there twice.
func (s *sweep) next(t *testing.T, name string, fresh bool, accident func(c *mirror.Copier)) {
	if s.run++; s.run == sweepTopics {
		t.Fatalf("more than %d runs", sweepTopics)
	}
	c := s.copier(t)
	accident(c)
	if fresh {
		c = s.copier(t)
	}
	if _, err := c.Copy(testContext(t), []mirror.Range{s.whole}); err != nil {
		t.Fatalf("%s: the copy after it: %v", name, err)
	}
	from := side(t, s.source, "t", 0)
	from.First = s.whole.First
	got, err := mirror.Compare(testContext(t), from, side(t, s.target, fmt.Sprintf("copy.%d", s.run), 0), nil)
	if err != nil {
		t.Fatalf("%s: compare: %v", name, err)
	}
	if !got.Equal || got.Source.Records != int64(s.records-3) {
		t.Fatalf("%s: source has %d records, target %d: %v", name, got.Source.Records, got.Target.Records, got.Difference)
	}
}

// requireTrue wants a result to claim no more than was committed.
func (s *sweep) requireTrue(t *testing.T, result mirror.Result) {
	t.Helper()
	transaction(t, s.target, mirror.CheckpointGroup(fmt.Sprintf("run-%d", s.run), "t", 0)) // ends what is open
	checkpoints, err := mirror.Checkpoints(testContext(t), s.target, fmt.Sprintf("run-%d", s.run), "t", fmt.Sprintf("copy.%d", s.run), 0)
	if err != nil {
		t.Fatal(err)
	}
	if claimed, is := result.Partitions[0].Next, checkpoints[0].Next; claimed > max(is, s.whole.First) {
		t.Fatalf("the result claims a checkpoint of %d, it is %d", claimed, is)
	}
}

// each runs once for every request of a kind that a copy makes, by the same
// and by a fresh instance. happen gives the accident, which may cancel ctx.
func (s *sweep) each(t *testing.T, w *wire, key kmsg.Key, happen func(cancel func()) accident) {
	for _, fresh := range []bool{false, true} {
		for at, more := 0, true; more; at++ {
			s.next(t, fmt.Sprintf("%s request %d, fresh %t", key.Name(), at, fresh), fresh, func(c *mirror.Copier) {
				ctx, cancel := context.WithCancel(testContext(t))
				defer cancel()
				a := happen(cancel)
				a.key, a.at = key, at
				w.arm(a)
				result, _ := c.Copy(ctx, []mirror.Range{s.whole}) // what counts is what comes after
				more = w.disarm()
				if fresh { // it would fence the same instance
					s.requireTrue(t, result)
				}
			})
		}
	}
}

// targetRequests are all kinds that a copy sends to its target.
func targetRequests() []kmsg.Key {
	return []kmsg.Key{
		kmsg.InitProducerID, kmsg.OffsetFetch, kmsg.FindCoordinator, kmsg.AddPartitionsToTxn, kmsg.Produce,
		kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.DescribeConfigs, kmsg.Metadata,
	}
}

func TestCopySurvivesEveryAccident(t *testing.T) {
	t.Parallel()
	happenings := map[string]func(cancel func()) accident{
		"a connection that breaks before the request":            func(func()) accident { return accident{dropped: true} },
		"a connection that breaks before the answer":             func(func()) accident { return accident{lost: true} },
		"an instance that is killed before the request":          func(kill func()) accident { return accident{before: kill} },
		"an instance that is killed after the request":           func(kill func()) accident { return accident{after: kill} },
		"an instance that is killed and whose request got lost":  func(kill func()) accident { return accident{before: kill, dropped: true} },
		"an instance that is killed and whose answer never came": func(kill func()) accident { return accident{after: kill, lost: true} },
	}
	for name, happen := range happenings {
		t.Run(name+" costs and doubles nothing", func(t *testing.T) {
			t.Parallel()
			s := newSweep(t)
			for _, key := range targetRequests() {
				s.each(t, s.targetWire, key, happen)
			}
			for _, key := range []kmsg.Key{kmsg.Fetch, kmsg.Metadata} {
				s.each(t, s.sourceWire, key, happen)
			}
			t.Logf("%d runs", s.run)
		})
	}
}

func TestCopySurvivesEveryError(t *testing.T) {
	t.Parallel()
	faults := map[kmsg.Key][]*kerr.Error{
		kmsg.InitProducerID:     {kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.ConcurrentTransactions, kerr.RequestTimedOut},
		kmsg.OffsetFetch:        {kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.UnstableOffsetCommit},
		kmsg.AddPartitionsToTxn: {kerr.CoordinatorLoadInProgress, kerr.ConcurrentTransactions, kerr.UnknownTopicOrPartition, kerr.InvalidProducerIDMapping, kerr.InvalidTxnState, kerr.InvalidProducerEpoch},
		kmsg.Produce:            {kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.UnknownProducerID, kerr.OutOfOrderSequenceNumber, kerr.InvalidProducerEpoch, kerr.KafkaStorageError},
		kmsg.AddOffsetsToTxn:    {kerr.CoordinatorLoadInProgress, kerr.ConcurrentTransactions, kerr.ProducerFenced},
		kmsg.TxnOffsetCommit:    {kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.RequestTimedOut, kerr.InvalidProducerEpoch},
		kmsg.EndTxn:             {kerr.CoordinatorNotAvailable, kerr.ConcurrentTransactions, kerr.InvalidTxnState, kerr.ProducerFenced, kerr.RequestTimedOut},
		kmsg.Fetch:              {kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.KafkaStorageError, kerr.OffsetOutOfRange, kerr.UnknownTopicOrPartition},
	}
	for key, errors := range faults {
		t.Run("an error in answer to "+key.Name()+" costs and doubles nothing", func(t *testing.T) {
			t.Parallel()
			s := newSweep(t)
			fake := s.fakeTarget
			if key == kmsg.Fetch {
				fake = s.fakeSource
			}
			for _, err := range errors {
				for _, fresh := range []bool{false, true} {
					for at, more := 0, true; more; at++ {
						s.next(t, fmt.Sprintf("%s in answer to request %d, fresh %t", err.Message, at, fresh), fresh, func(c *mirror.Copier) {
							var n atomic.Int32
							fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: err, TopLevel: topLevel(key), Count: 1, When: func(kmsg.Request) bool { return int(n.Add(1)) > at }})
							if _, err := c.Copy(testContext(t), []mirror.Range{s.whole}); err != nil {
								t.Fatalf("%s in answer to request %d: %v", key.Name(), at, err)
							}
							more = fault.Hits() > 0
							fault.Remove()
						})
					}
				}
			}
			t.Logf("%d runs", s.run)
		})
	}
}

// topLevel says that the error of a request stands beside its entities.
func topLevel(key kmsg.Key) bool {
	return slices.Contains([]kmsg.Key{kmsg.InitProducerID, kmsg.AddOffsetsToTxn, kmsg.EndTxn}, key)
}
