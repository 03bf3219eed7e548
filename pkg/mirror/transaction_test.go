package mirror_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestCopyTransactionalSource(t *testing.T) {
	t.Parallel()

	t.Run("committed records of interleaved producers are copied, aborted ones and markers are not", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		records := sample.Plain(70, 100, 1)
		good, bad, plain := transaction(t, source, "good"), transaction(t, source, "bad"), 0
		for i := range 5 {
			part := records[i*10 : i*10+10]
			produceIn(t, bad, "t", 0, part[:5])
			produceIn(t, good, "t", 0, part)
			produceIn(t, bad, "t", 0, part[5:])
			produce(t, source, "t", 0, batch.None, 4, records[50+4*i:54+4*i])
			plain += 4
			end(t, bad, false)
			end(t, good, i != 2) // and one of its own is aborted
		}
		rng := rangeOf(0, offset(t, source, "t", 0, kafka.Latest)-1) // its last offset is a marker
		for _, chunk := range []int{1, 500, 4 << 20} {
			topics, err := mirror.ParseTopicMap("*:copy.*")
			if err != nil {
				t.Fatal(err)
			}
			_ = target.DeleteTopic(testContext(t), "copy.t")
			c := copier(t, mirror.Config{Job: "chunks-" + string(rune('a'+chunk%26)), Source: source, Target: target, Topics: topics, ChunkBytes: chunk})
			if got := copyRange(t, c, rng).Partitions[0]; got.Next != rng.Last+1 || got.Records != int64(40+plain) {
				t.Errorf("chunks of %d: copied %d records up to %d, want %d up to %d", chunk, got.Records, got.Next, 40+plain, rng.Last+1)
			}
			requireEqual(t, side(t, source, "t", 0), side(t, target, "copy.t", 0), 40+plain)
			for _, unit := range everything(t, target, "copy.t") {
				if n := unit.Batch.Count(); !unit.Batch.Control() && n == 5 {
					t.Errorf("a batch of the aborted producer is at target offset %d", unit.Batch.BaseOffset())
				}
			}
		}
	})

	t.Run("a range of nothing but aborted records and markers moves the checkpoint", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		producer := transaction(t, source, "producer")
		produceIn(t, producer, "t", 0, sample.Plain(10, 100, 1))
		end(t, producer, false)
		got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, 10)).Partitions[0]
		if got.Next != 11 || got.Records != 0 {
			t.Errorf("got %+v, want the checkpoint 11 and no record", got)
		}
		checkpoints, err := mirror.Checkpoints(testContext(t), target, "test", "t", "t", 0)
		if err != nil || checkpoints[0].Next != 11 {
			t.Errorf("checkpoints are %v (%v), want 11", checkpoints, err)
		}
	})

	t.Run("a copy that resumes in the middle of an aborted transaction leaves its rest out", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		producer := transaction(t, source, "producer")
		for i := range 4 {
			produceIn(t, producer, "t", 0, sample.Plain(5, 100, uint64(i)))
		}
		end(t, producer, false)
		want := sample.Plain(5, 100, 9)
		rng := produce(t, source, "t", 0, batch.None, 5, want)
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(7, rng.Last))
		requirePart(t, source, target, rng.First, rng.Last+1)
	})

	t.Run("an open transaction is waited for, and copied once it commits", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		producer := transaction(t, source, "producer")
		produceIn(t, producer, "t", 0, sample.Plain(10, 100, 1))
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(10, 100, 2))
		ended := make(chan error, 1)
		go func() {
			_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rangeOf(0, 19)})
			ended <- err
		}()
		awaitTopic(t, target, "t") // the copy has begun
		select {
		case err := <-ended:
			t.Fatalf("the copy ended before the transaction did: %v", err)
		default:
		}
		end(t, producer, true)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		requireCopied(t, source, target, "t", 20)
	})

	t.Run("near the deadline an open transaction is named with its offsets, and what is before it was copied", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(10, 100, 1))
		producer := transaction(t, source, "producer")
		produceIn(t, producer, "t", 0, sample.Plain(10, 100, 2))
		c := copier(t, mirror.Config{Source: source, Target: target})
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		result, err := c.Copy(ctx, []mirror.Range{rangeOf(0, 19)})
		if !errors.Is(err, mirror.ErrNotStable) || ctx.Err() != nil {
			t.Fatalf("got %v (context: %v), want ErrNotStable before the deadline", err, ctx.Err())
		}
		for _, words := range []string{"t/0", "next offset is 10", "last stable offset 10"} {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%q does not say %q", err, words)
			}
		}
		if got := result.Partitions[0]; got.Next != 10 || got.Records != 10 {
			t.Errorf("got %+v, want 10 records up to offset 10", got)
		}
		requirePart(t, source, target, 0, 10)
		end(t, producer, true)
		copyRange(t, c, rangeOf(0, 19))
		requireCopied(t, source, target, "t", 20)
	})

	t.Run("an open transaction of one partition does not hold back another", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t", Partitions: 2})
		producer := transaction(t, source, "producer")
		produceIn(t, producer, "t", 0, sample.Plain(10, 100, 1))
		free := produce(t, source, "t", 1, batch.None, 10, sample.Plain(10, 100, 2))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(ctx, []mirror.Range{rangeOf(0, 9), free})
		if !errors.Is(err, mirror.ErrNotStable) {
			t.Errorf("got %v, want ErrNotStable", err)
		}
		requireEqual(t, side(t, source, "t", 1), side(t, target, "t", 1), 10)
	})
}

// everything reads the units of a partition with those that readers skip.
func everything(t *testing.T, c *kafka.Client, topic string) []kafka.Stored {
	t.Helper()
	var units []kafka.Stored
	for s, next := side(t, c, topic, 0), int64(0); next < s.End; {
		answer, err := c.Fetch(testContext(t), kafka.FetchRequest{Topic: topic, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second}, &kafka.Buffer{})
		if err != nil || len(answer.Batches) == 0 {
			t.Fatalf("nothing at %s/0 offset %d: %v", topic, next, err)
		}
		for unit, err := range answer.Visible(false) {
			if err != nil {
				t.Fatal(err)
			}
			units = append(units, unit)
			next = unit.LastOffset() + 1
		}
	}
	return units
}

// awaitTopic polls until a topic is there.
func awaitTopic(t *testing.T, c *kafka.Client, topic string) {
	t.Helper()
	for ctx := testContext(t); ; {
		_, err := c.Topic(ctx, topic)
		if err == nil {
			return
		}
		if !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Fatal(err)
		}
	}
}
