package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// job is a copier whose records a function processes.
func job(t testing.TB, source, target *kafka.Client, process mirror.ProcessFunc, change ...func(*mirror.Config)) *mirror.Copier {
	t.Helper()
	config := mirror.Config{
		Job: "job", Source: source, Target: target, Topics: mirror.AllTo("out"),
		Process:     func(string, int32) mirror.Processor { return process },
		DeadLetters: mirror.DeadLetters{Topic: "deadletter", Function: "shout", Version: "3"},
	}
	for _, c := range change {
		c(&config)
	}
	return copier(t, config)
}

// numbered are records whose values count from 0.
func numbered(n int) []batch.Record {
	records := make([]batch.Record, n)
	for i := range records {
		records[i] = batch.Record{Key: fmt.Appendf(nil, "key %d", i%7), Value: strconv.AppendInt(nil, int64(i), 10), Timestamp: 1_790_000_000_000 + int64(i),
			Headers: []batch.Header{{Key: "n", Value: strconv.AppendInt(nil, int64(i), 10)}}}
	}
	return records
}

// filledWith makes a source topic t of one partition with records in batches of n.
func filledWith(t testing.TB, n int, records []batch.Record) (source, target *kafka.Client, all mirror.Range) {
	t.Helper()
	source, target = pair(t)
	createTopic(t, source, kafka.TopicSpec{Name: "t"})
	return source, target, produce(t, source, "t", 0, batch.LZ4, n, records)
}

// pass emits a record as it came.
func pass(_ context.Context, r mirror.Record, emit func(mirror.Output)) error {
	emit(mirror.Output{Record: r.Record})
	return nil
}

// values are those of the committed records of all partitions of a topic.
func values(t testing.TB, c *kafka.Client, topic string) []string {
	t.Helper()
	info, err := c.Topic(testContext(t), topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for p := range info.Partitions {
		for _, r := range recordsOf(t, side(t, c, topic, int32(p))) {
			all = append(all, string(r.Value))
		}
	}
	return all
}

// letters are those of the dead-letter topic, in order.
func letters(t testing.TB, c *kafka.Client) []deadletter.Letter {
	t.Helper()
	info, err := c.Topic(testContext(t), "deadletter")
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []deadletter.Letter
	for p := range info.Partitions {
		for _, r := range recordsOf(t, side(t, c, "deadletter", int32(p))) {
			l, err := deadletter.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, l)
		}
	}
	return all
}

// requireOnce wants the numbers from 0 to n once each, in order, but those in without.
func requireOnce(t testing.TB, got []string, n int, without ...int) {
	t.Helper()
	skip := map[int]bool{}
	for _, w := range without {
		skip[w] = true
	}
	at := 0
	for want := range n {
		if skip[want] {
			continue
		}
		if at >= len(got) || got[at] != strconv.Itoa(want) {
			t.Fatalf("record %d of %d is %q, want %d", at, len(got), append(got, "missing")[min(at, len(got))], want)
		}
		at++
	}
	if at != len(got) {
		t.Fatalf("%d records more than wanted, the first is %q", len(got)-at, got[at])
	}
}

func TestProcess(t *testing.T) {
	t.Parallel()

	t.Run("writes what was emitted to the topics that were named, once, however often it is called", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 10, numbered(100))
		createTopic(t, target, kafka.TopicSpec{Name: "odd", Partitions: 3})
		process := func(_ context.Context, r mirror.Record, emit func(mirror.Output)) error {
			n, err := strconv.Atoi(string(r.Value))
			switch {
			case err != nil:
				return err
			case n%10 == 0: // none
			case n%2 == 1:
				emit(mirror.Output{Topic: "odd", Record: r.Record})
				fallthrough
			default:
				emit(mirror.Output{Record: batch.Record{Value: append([]byte("even "), r.Value...), Timestamp: r.Timestamp}})
			}
			return nil
		}
		for range 3 {
			if _, err := job(t, source, target, process).Copy(testContext(t), []mirror.Range{all}); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(values(t, target, "odd")); got != 50 {
			t.Errorf("%d records in topic odd, want 50", got)
		}
		if got := len(values(t, target, "out")); got != 90 {
			t.Errorf("%d records in topic out, want 90", got)
		}
		for p := range int32(3) {
			for _, r := range recordsOf(t, side(t, target, "odd", p)) {
				if want := batch.Partition(r.Key, 3); want != p || len(r.Headers) != 1 || r.Timestamp < 1_790_000_000_000 {
					t.Errorf("partition %d has %+v, whose key belongs to %d", p, r, want)
				}
			}
		}
		if l := letters(t, target); l != nil {
			t.Errorf("dead letters %v, and none was refused", l)
		}
	})

	t.Run("stops exactly at the end of the range, in the middle of a batch", func(t *testing.T) {
		t.Parallel()
		source, target, _ := filledWith(t, 100, numbered(100))
		c := job(t, source, target, pass)
		for _, last := range []int64{0, 16, 99} {
			result := copyRange(t, c, rangeOf(0, last))
			if next := result.Partitions[0].Next; next != last+1 {
				t.Errorf("the checkpoint is %d after a range up to %d", next, last)
			}
		}
		requireOnce(t, values(t, target, "out"), 100)
	})

	t.Run("a record that is refused, or panicked on, goes to the dead letter with all it had, the others go on", func(t *testing.T) {
		t.Parallel()
		records := numbered(50)
		source, target, all := filledWith(t, 7, records)
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			emit(mirror.Output{Record: r.Record}) // which does not count where the record fails
			switch string(r.Value) {
			case "13":
				return errors.New("thirteen is not wanted")
			case "21":
				panic("twenty-one")
			}
			return nil
		}
		result := copyRange(t, job(t, source, target, process), all)
		requireOnce(t, values(t, target, "out"), 50, 13, 21)
		got := letters(t, target)
		if len(got) != 2 || result.Partitions[0].DeadLetters != 2 || result.Partitions[0].Handled != 50 {
			t.Fatalf("%d letters, result %+v", len(got), result)
		}
		for i, want := range []struct {
			offset int64
			reason deadletter.Reason
			text   string
			stack  bool
		}{{13, deadletter.Rejected, "thirteen is not wanted", false}, {21, deadletter.Panicked, "panic: twenty-one", true}} {
			l, record := got[i], records[want.offset]
			if l.Topic != "t" || l.Partition != 0 || l.Record.Offset != want.offset || l.Reason != want.reason || l.Error != want.text ||
				l.Function != "shout" || l.Version != "3" || l.Attempt != 1 {
				t.Errorf("letter %d is %+v", i, l)
			}
			if !bytes.Equal(l.Record.Key, record.Key) || l.Record.Timestamp != record.Timestamp || len(l.Record.Headers) != 1 || (strings.Contains(l.Stack, "process_test.go") != want.stack) {
				t.Errorf("letter %d lacks something of its record: %+v", i, l)
			}
		}
		settings, _, err := target.TopicSettings(testContext(t), "deadletter")
		if err != nil || settings["retention.ms"] != "-1" {
			t.Errorf("retention of dead letters is %q (%v), want that they stay", settings["retention.ms"], err)
		}
	})

	t.Run("without a topic for dead letters a refused record stops its partition, behind what came before", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 50, numbered(50))
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			if string(r.Value) == "13" {
				return errors.New("not wanted")
			}
			return pass(ctx, r, emit)
		}
		c := job(t, source, target, process, func(c *mirror.Config) { c.DeadLetters.Topic = "" })
		result, err := c.Copy(testContext(t), []mirror.Range{all})
		if err == nil || !strings.Contains(err.Error(), "t/0 at offset 13: not wanted") || result.Partitions[0].Next != 13 {
			t.Fatalf("got %+v, %v", result, err)
		}
		requireOnce(t, values(t, target, "out"), 13)
	})

	t.Run("a transient error is tried again, and is no dead letter", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 50, numbered(50))
		failures := 0
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			if string(r.Value) == "13" && failures < 3 {
				failures++
				return deadletter.Transient(errors.New("a service is away"))
			}
			return pass(ctx, r, emit)
		}
		copyRange(t, job(t, source, target, process), all)
		requireOnce(t, values(t, target, "out"), 50)
		if l := letters(t, target); l != nil || failures != 3 {
			t.Errorf("%d failures, dead letters %v", failures, l)
		}
	})

	t.Run("a transient error that stays is returned, and what came before it is committed", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 50, numbered(50))
		away := errors.New("a service is away")
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			if string(r.Value) == "13" {
				return deadletter.Transient(away)
			}
			return pass(ctx, r, emit)
		}
		for range 20 { // as many calls as would have isolated a record that kills
			c := job(t, source, target, process, func(c *mirror.Config) { c.RetryFor = time.Millisecond })
			if result, err := c.Copy(testContext(t), []mirror.Range{all}); !errors.Is(err, away) || result.Partitions[0].Next != 13 {
				t.Fatalf("got %+v, %v", result, err)
			}
		}
		if l := letters(t, target); l != nil {
			t.Errorf("dead letters %v", l)
		}
	})

	t.Run("what is larger than its topic takes is a dead letter, and nothing else of the record is written", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 50, numbered(50))
		createTopic(t, target, kafka.TopicSpec{Name: "out", Settings: map[string]string{"max.message.bytes": "5000"}})
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			_ = pass(ctx, r, emit)
			if string(r.Value) == "13" {
				big := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
				for i := range big { // cannot be compressed
					big[i] ^= byte(i*i>>3 + i*7919>>5)
				}
				emit(mirror.Output{Record: batch.Record{Value: big}})
			}
			return nil
		}
		copyRange(t, job(t, source, target, process, func(c *mirror.Config) { codec := batch.None; c.Codec = &codec }), all)
		requireOnce(t, values(t, target, "out"), 50, 13)
		if l := letters(t, target); len(l) != 1 || l[0].Reason != deadletter.TooLarge || l[0].Record.Offset != 13 || !strings.Contains(l[0].Error, "max.message.bytes") {
			t.Errorf("dead letters %v", l)
		}
	})

	t.Run("what the target refuses for good is a dead letter, and only that record", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 50, numbered(50))
		createTopic(t, target, kafka.TopicSpec{Name: "out"})
		process := func(_ context.Context, r mirror.Record, emit func(mirror.Output)) error {
			r.Headers = nil
			switch string(r.Value) {
			case "13":
				emit(mirror.Output{Topic: "no topic!", Record: r.Record})
			case "14":
				r.Timestamp = 0
			}
			emit(mirror.Output{Record: r.Record})
			return nil
		}
		copyRange(t, job(t, source, target, process), all)
		requireOnce(t, values(t, target, "out"), 50, 13)
		if l := letters(t, target); len(l) != 1 || l[0].Reason != deadletter.Rejected || !strings.Contains(l[0].Error, "no topic!") {
			t.Errorf("dead letters %+v", l)
		}
		for _, r := range recordsOf(t, side(t, target, "out", 0)) {
			if r.Timestamp < 1_790_000_000_000 {
				t.Errorf("record %s has time %d", r.Value, r.Timestamp)
			}
		}
	})

	t.Run("a processor that ends its goroutine is an error", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 50, numbered(50))
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			if string(r.Value) == "13" {
				runtime.Goexit()
			}
			return pass(ctx, r, emit)
		}
		if result, err := job(t, source, target, process).Copy(testContext(t), []mirror.Range{all}); err == nil || !strings.Contains(err.Error(), "Goexit") {
			t.Errorf("got %+v, %v", result, err)
		}
		for range 2 {
			if _, err := job(t, nil, target, process).Write(testContext(t), []mirror.Given{given(0, numbered(20))}); err == nil || !strings.Contains(err.Error(), "Goexit") {
				t.Errorf("of given records: %v", err)
			}
		}
	})

	t.Run("its own source is refused as an output", func(t *testing.T) {
		t.Parallel()
		source, _, all := filledWith(t, 5, numbered(5))
		process := func(_ context.Context, r mirror.Record, emit func(mirror.Output)) error {
			emit(mirror.Output{Topic: "t", Record: r.Record})
			return nil
		}
		c := job(t, source, source, process, func(c *mirror.Config) { c.RetryFor = time.Millisecond })
		if _, err := c.Copy(testContext(t), []mirror.Range{all}); !errors.Is(err, mirror.ErrSameTopic) {
			t.Errorf("got %v", err)
		}
		if end := offset(t, source, "t", 0, kafka.Latest); end != 5 {
			t.Errorf("the source has %d records now", end)
		}
	})

	t.Run("given records are processed as fetched ones are", func(t *testing.T) {
		t.Parallel()
		_, target := pair(t)
		createTopic(t, target, kafka.TopicSpec{Name: "out", Partitions: 1})
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			if string(r.Value) == "13" {
				return errors.New("not wanted")
			}
			return pass(ctx, r, emit)
		}
		c := job(t, nil, target, process)
		for _, first := range []int{0, 0, 10, 20} {
			if _, err := c.Write(testContext(t), []mirror.Given{given(int64(first), numbered(50)[first:])}); err != nil {
				t.Fatal(err)
			}
		}
		requireOnce(t, values(t, target, "out"), 50, 13)
		if l := letters(t, target); len(l) != 1 || l[0].Record.Offset != 13 {
			t.Errorf("dead letters %v", l)
		}
	})

	t.Run("a slow processor gets as far as it can in its time, and goes on from there", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 100, numbered(100))
		calls := 0
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			if calls++; calls%30 == 0 { // the time is over, now and then
				<-ctx.Done()
				return ctx.Err()
			}
			return pass(ctx, r, emit)
		}
		for next := int64(0); next <= all.Last; {
			ctx, cancel := context.WithTimeout(testContext(t), 200*time.Millisecond)
			result, err := job(t, source, target, process).Copy(ctx, []mirror.Range{all})
			cancel()
			if now := result.Partitions[0].Next; now > next {
				next = now
			} else if err == nil {
				t.Fatalf("no progress from %d on, and no error", next)
			}
		}
		requireOnce(t, values(t, target, "out"), 100)
		if l := letters(t, target); l != nil {
			t.Errorf("dead letters %v", l)
		}
	})
}
