package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// step is how many records an event of a paused trial has.
const step = 3000

// pausedChunk makes about six chunks of an event, in two transactions, each of
// batches enough to be sent one by one and not enough to be put together.
const pausedChunk = 64 << 10

// pauses is a run of paused trials.
type pauses struct {
	brokers        kafkatest.Pair
	source, target *kafka.Client
	content        chaos.Content
	random         *rand.Rand
	binary         string
	environment    []string
	records        int           // in the source
	usual          time.Duration // that handling an event takes
	old, next      *instance
}

// TestPaused stops an instance at a random point of its work, has a second one
// do that work, and lets the first go on, which must be able to write nothing.
func TestPaused(t *testing.T) {
	seed := require(t, options.pauses)
	p := newPauses(t, seed)
	for hit, trial := 0, 1; hit < options.pauses; trial++ {
		late := trial%4 == 0
		ok, err := p.trial(t.Context(), late)
		if err != nil {
			t.Fatalf("seed %d, trial %d (past its deadline: %v): %v\n%s", seed, trial, late, err, p.logs())
		}
		p.turn()
		if ok {
			hit++
		}
		if trial%10 == 0 {
			t.Logf("%s trial %d: %d paused in an open transaction, of work that takes %v", time.Now().Format(time.TimeOnly), trial, hit, p.usual)
		}
	}
	if _, err := stable(t.Context(), p.target, topic, 0); err != nil {
		t.Fatal(err)
	}
	got, err := mirror.CompareTopics(t.Context(), p.source, p.target, topic, topic, mirror.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if rows := got.Partitions; !got.Equal || len(rows) != 1 || rows[0].Target.Records != int64(p.records) {
		t.Errorf("of %d records: %+v", p.records, rows)
	}
	t.Logf("%d records in the source and the target, equal: %v", p.records, got.Equal)
}

func newPauses(t *testing.T, seed uint64) *pauses {
	dir := folder(t)
	p := &pauses{
		content: chaos.Content{Seed: seed}, random: rand.New(rand.NewPCG(seed, 3)), usual: 200 * time.Millisecond,
		binary: filepath.Join(dir, "bin", "dump"),
	}
	build(t, dir, "./functions/dump")
	p.brokers = startPair(t)
	p.source, p.target = open(t, p.brokers.Source), open(t, p.brokers.Target)
	createTopic(t, p.source, topic, 1)
	createTopic(t, p.target, topic, 1)
	p.environment = []string{
		fmt.Sprintf("CHUNK_BYTES=%d", pausedChunk), fmt.Sprintf("TRANSACTION_BYTES=%d", 4*pausedChunk),
		"JOB=" + job, "SOURCE_BROKERS=" + p.brokers.Source.Brokers[0], "TARGET_BROKERS=" + p.brokers.Target.Brokers[0],
	}
	// why: the longer requests are under way, the more pauses are in the middle of one
	p.brokers.Target.Proxy.Slow(2*time.Millisecond, 0)
	p.brokers.Source.Proxy.Slow(2*time.Millisecond, 0)
	var err error
	if p.old, err = startInstance(t.Context(), p.binary, p.environment...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.logs() })
	return p
}

// trial says whether the old instance was paused with a transaction open.
func (p *pauses) trial(ctx context.Context, late bool) (hit bool, err error) {
	if p.next, err = startInstance(ctx, p.binary, p.environment...); err != nil {
		return false, err
	}
	payload, err := p.produce(ctx)
	if err != nil {
		return false, err
	}
	timeout := 2 * patience
	if late {
		timeout = 2 * time.Second
	}
	begun := time.Now()
	answer := p.old.invoke(payload, timeout)
	paused, err := p.pause(answer, begun)
	if err != nil {
		return false, err
	}
	if paused {
		// only then it has something under way that it could still end
		if hit, err = p.open(ctx); err != nil {
			return false, err
		}
	}
	end, err := p.takeOver(ctx, payload)
	if err != nil {
		return hit, err
	}
	if late {
		moment(time.Until(begun.Add(timeout)))
	}
	if err := p.old.resume(); err != nil {
		return hit, err
	}
	if paused {
		select {
		case <-answer: // an error, or nothing was left to do: what counts is the target
		case <-time.After(patience):
			return hit, fmt.Errorf("the old instance has not answered within %v of going on", patience)
		}
	}
	return hit, p.unchanged(ctx, end)
}

// turn ends the old instance. The new one, warm by now, is the next to be paused.
func (p *pauses) turn() {
	p.old.kill()
	p.old, p.next = p.next, nil
}

// logs ends both instances and gives what they have written.
func (p *pauses) logs() (text string) {
	for _, i := range []*instance{p.old, p.next} {
		if i != nil {
			i.kill()
			text += fmt.Sprintf("instance %d wrote:\n%s\n", i.command.Process.Pid, &i.output)
		}
	}
	return text
}

// produce appends the records of one event, in batches of all sizes, and gives
// the event.
func (p *pauses) produce(ctx context.Context) ([]byte, error) {
	var e event.Kafka
	var batches []batch.Batch
	for left := step; left > 0; {
		n := min(1+p.random.IntN(20), left)
		left -= n
		var records []batch.Record
		for range n {
			records = append(records, p.content.Record(0, p.records))
			e.Records = append(e.Records, event.KafkaRecord{Topic: topic, Offset: int64(p.records), Body: []byte("as text")})
			p.records++
		}
		b, err := batch.Build(batch.Options{Codec: batch.Codec(p.random.IntN(5))}, records)
		if err != nil {
			return nil, err
		}
		batches = append(batches, b)
	}
	if _, err := p.source.ProduceBatches(ctx, topic, 0, "", batches); err != nil {
		return nil, err
	}
	return e.AppendJSON(nil), nil
}

// pause pauses the old instance at a random point of the time that its work
// usually takes. It is false where the work was over before: done, or refused
// because the instance before this one has fenced it when it went on.
func (p *pauses) pause(answer <-chan error, begun time.Time) (hit bool, err error) {
	select {
	case <-answer:
	case <-time.After(time.Duration(p.random.Int64N(int64(p.usual)))):
		hit = true
	}
	if err := p.old.pause(); err != nil {
		return false, err
	}
	if hit {
		select {
		case <-answer: // it was on its way
			hit = false
		default:
		}
	}
	if !hit {
		p.usual = max((p.usual+time.Since(begun))/2, 10*time.Millisecond)
	}
	return hit, nil
}

// open says whether the target has records of a transaction that is open.
func (p *pauses) open(ctx context.Context) (open bool, err error) {
	err = every(ctx, 50*time.Millisecond, "the state of the target", func() (bool, error) {
		ends, err := p.target.Offsets(ctx, topic, kafka.Latest, 0)
		if err != nil {
			return false, err
		}
		stable, err := closed(ctx, p.target, topic, 0, ends[0])
		open = !stable
		return err == nil, err
	})
	return open, err
}

// takeOver has the new instance handle the event, as the platform does, and
// gives the end of the target then.
func (p *pauses) takeOver(ctx context.Context, payload []byte) (end int64, err error) {
	err = every(ctx, 50*time.Millisecond, "the new instance's work", func() (bool, error) {
		err := <-p.next.invoke(payload, time.Minute)
		return err == nil, err
	})
	if err != nil {
		return 0, err
	}
	ends, err := stable(ctx, p.target, topic, 0)
	return ends[0], err
}

// unchanged says whether the target has got anything but control batches since
// it ended at an offset, committed or not.
func (p *pauses) unchanged(ctx context.Context, end int64) error {
	now, err := stable(ctx, p.target, topic, 0)
	if err != nil {
		return err
	}
	for offset := end; offset < now[0]; {
		got, err := p.target.FetchRecords(ctx, kafka.FetchRequest{
			Topic: topic, Offset: offset, MaxBytes: 1 << 20, MaxWait: time.Millisecond,
		})
		if err != nil {
			return err
		}
		if len(got.Records) > 0 {
			return fmt.Errorf("the old instance has written %d records from offset %d on, when the target had ended at %d",
				len(got.Records), got.Records[0].Offset, end)
		}
		offset = got.Next
	}
	return nil
}
