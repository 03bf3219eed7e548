package integration

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// eventOf is the event for some records of partition 0.
func (w *world) eventOf(first, last int64) []byte {
	var e event.Kafka
	for offset := first; offset <= last; offset++ {
		e.Records = append(e.Records, event.KafkaRecord{Topic: w.topic, Offset: offset, Body: []byte("as text")})
	}
	return e.AppendJSON(nil)
}

// twoInstances has two instances handle the same events at the same time, as
// after a rebalance of the platform's own consumers.
func twoInstances(t *testing.T, w *world) {
	w.createTopic(t, 1, sample.TopicSettings())
	w.deploy(t, func(_ *emulator.Config, f *scf.Function) { f.Events = nil }) // events by hand
	const step = 200
	copied := map[int]int64{} // by process
	var records int64
	w.await(t, "two instances that have both copied", func() (bool, error) {
		w.produce(t, 0, batch.LZ4, 2, sample.Plain(step, 100, uint64(records)))
		payload := w.eventOf(records, records+step-1)
		records += step
		var deliveries errgroup.Group
		var delivered [2]emulator.Invocation
		for i := range delivered {
			deliveries.Go(func() (err error) {
				delivered[i], err = backoff.Retry(w.ctx, func() (emulator.Invocation, error) {
					got, err := w.platform.Invoke(w.ctx, "dump", payload, emulator.InvokeOptions{})
					if err == nil && got.Error != nil {
						err = got.Error
					}
					return got, err
				}, backoff.WithMaxElapsedTime(storyTimeout))
				return err
			})
		}
		if err := deliveries.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, d := range delivered {
			copied[d.PID] += recordsOf(t, d.Payload)
		}
		busy := 0
		for _, n := range copied {
			if n > 0 {
				busy++
			}
		}
		return busy >= 2 && records >= 4*step, nil
	})
	w.requireEqual(t, records)
	t.Logf("%d records, copied by process: %v", records, copied)
}

// recordsOf is how many records were copied, as a response says.
func recordsOf(t *testing.T, response []byte) (sum int64) {
	if len(response) == 0 {
		return 0 // after an error
	}
	var result mirror.Result
	if err := json.Unmarshal(response, &result); err != nil {
		t.Errorf("response %s: %v", response, err)
	}
	for _, p := range result.Partitions {
		sum += p.Records
	}
	return sum
}

// paused stops an instance (SIGSTOP) in the middle of a copy, has a
// second one do the work, and lets the first go on: in every other trial past
// its deadline, else with time left. It must be able to write nothing. `make
// chaos` does so many more times.
func paused(t *testing.T, w *world) {
	const trials = 4
	w.createTopic(t, 1, sample.TopicSettings())
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	var records int64
	function := w.function()
	function.Environment["CHUNK_BYTES"], function.Environment["TRANSACTION_BYTES"] = "6000", "20000"
	old := w.startProcess(t, function)
	for hit := 0; hit < trials; {
		next := w.startProcess(t, function)
		trial := pausedTrial{old: old, next: next, late: hit%2 == 0, after: time.Duration(random.IntN(30)) * time.Millisecond}
		if trial.run(t, w, &records) {
			hit++
		}
		if t.Failed() {
			t.Fatalf("in trial %d: the old instance wrote\n%s\nthe new one\n%s", hit, trial.old.output.String(), trial.next.output.String())
		}
		old = next // which is warm, and has its turn to be paused
	}
	w.requireEqual(t, records)
}

type pausedTrial struct {
	old, next *process
	late      bool          // the old one goes on past its deadline only
	after     time.Duration // into the copy, the old one is paused
}

// run says whether the old instance was paused in the middle of its work.
func (p pausedTrial) run(t *testing.T, w *world, records *int64) (hit bool) {
	const step = 1200 // a record a batch, some 50 of them a chunk: about eight transactions
	w.produce(t, 0, batch.None, 1, sample.Plain(step, 50, uint64(*records)))
	payload := w.eventOf(*records, *records+step-1)
	*records += step
	begin := w.end(t, w.target, 0)
	deadline := time.Now().Add(2 * time.Second)
	if !p.late {
		deadline = deadline.Add(storyTimeout)
	}
	first := p.old.invoke(payload, deadline)
	w.await(t, "the copy under way", func() (bool, error) {
		return first.over() || w.end(t, w.target, 0) > begin, nil
	})
	<-time.After(p.after) // the point to be paused at, not a wait
	if err := p.old.pause(); err != nil {
		t.Fatal(err)
	}
	hit = p.takeOver(t, w, payload) > 0 // the old one was not done
	end := w.end(t, w.target, 0)
	w.await(t, "the old instance's deadline", func() (bool, error) { return !p.late || time.Now().After(deadline), nil })
	if err := p.old.resume(); err != nil {
		t.Fatal(err)
	}
	err := first.await(w.ctx)
	p.old.kill()
	if now := w.end(t, w.target, 0); now != end {
		t.Errorf("the target ended at offset %d when the old instance went on and ends at %d now: it has written (its answer: %v)", end, now, err)
	}
	w.compare(t, step, mirror.CompareOptions{
		Source: map[int32]mirror.Span{0: {First: *records - step, End: -1}},
		Target: map[int32]mirror.Span{0: {First: begin, End: -1}},
	})
	return hit
}

// takeOver has the new instance handle the event, as the platform does, and
// gives the number of records that it had to copy.
func (p pausedTrial) takeOver(t *testing.T, w *world, payload []byte) (copied int64) {
	t.Helper()
	w.await(t, "the new instance", func() (bool, error) {
		answer := p.next.invoke(payload, time.Now().Add(time.Minute))
		err := answer.await(w.ctx)
		copied += recordsOf(t, answer.response.Payload)
		return err == nil, err
	})
	w.awaitStable(t)
	return copied
}
