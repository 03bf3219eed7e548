package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// filled is a source with topic t of 100 records in batches of 10, and a target.
func filled(t *testing.T) (source, target *kafka.Client) {
	t.Helper()
	source, target = pair(t)
	createTopic(t, source, kafka.TopicSpec{Name: "t"})
	produce(t, source, "t", 0, batch.Zstd, 10, sample.Plain(100, 100, 1))
	return source, target
}

// cancelled copies 100 records, is cancelled so many requests of the test's own
// later, while it waits for the next one, and gives the last stable offset and the end of the target.
func cancelled(t *testing.T, source, target *kafka.Client, to string, requests int) (stable, end int64) {
	t.Helper()
	createTopic(t, target, kafka.TopicSpec{Name: to})
	topics, err := mirror.ParseTopicMap("t:" + to)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		c := copier(t, mirror.Config{Job: strings.ReplaceAll(to, ".", "-"), Source: source, Target: target, Topics: topics, CommitInterval: 30 * time.Second})
		_, err := c.Copy(ctx, []mirror.Range{rangeOf(0, 100)})
		ended <- err
	}()
	for offset(t, target, to, 0, kafka.Latest) < 100 {
		if ctx.Err() != nil {
			t.Fatal("nothing was written")
		}
	}
	for range requests {
		offset(t, target, to, 0, kafka.Latest)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	answer, err := target.Fetch(testContext(t), kafka.FetchRequest{Topic: to, ReadCommitted: true}, &kafka.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.LastStable, answer.HighWatermark
}

// noise gives records that no compression makes small.
func noise(n, size int) []batch.Record {
	random := rand.NewChaCha8([32]byte{2})
	records := make([]batch.Record, n)
	for i := range records {
		records[i] = batch.Record{Value: make([]byte, size), Timestamp: int64(i)}
		_, _ = random.Read(records[i].Value) // never fails
	}
	return records
}

// rangeOf is a range of partition 0 of topic t.
func rangeOf(first, last int64) mirror.Range {
	return mirror.Range{Topic: "t", First: first, Last: last}
}

// requirePart compares a part of the source's topic t with all of the target's.
func requirePart(t *testing.T, source, target *kafka.Client, first, end int64) {
	t.Helper()
	requireEqual(t, mirror.Side{Client: source, Topic: "t", First: first, End: end}, side(t, target, "t", 0), int(end-first))
}

func TestCopyRanges(t *testing.T) {
	t.Parallel()

	t.Run("a redelivered range is copied once", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		for i, want := range []int64{100, 0, 0} {
			if got := copyRange(t, c, rangeOf(0, 99)).Partitions[0]; got.Records != want || got.Next != 100 {
				t.Errorf("delivery %d copied %d records up to %d, want %d up to 100", i, got.Records, got.Next, want)
			}
		}
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("a redelivered range is copied once by another instance", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		for range 3 {
			copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, 99))
		}
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("ranges that overlap are copied once, in whatever order a call names them", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		result := copyRange(t, c, rangeOf(40, 79), rangeOf(0, 49), rangeOf(20, 99))
		if got := result.Partitions[0].First; got != 40 {
			t.Errorf("the first result is for the range from %d, want the order of the ranges: 40", got)
		}
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("a range ahead of the checkpoint brings what lies between", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		copyRange(t, c, rangeOf(0, 9))
		if got := copyRange(t, c, rangeOf(90, 99)).Partitions[0].Records; got != 90 {
			t.Errorf("copied %d records, want the 90 from the checkpoint on", got)
		}
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("a range below the checkpoint copies nothing", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, 99))
		got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(20, 29)).Partitions[0]
		if got.Records != 0 || got.Next != 100 {
			t.Errorf("copied %d records up to %d, want none and the checkpoint 100", got.Records, got.Next)
		}
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("without a checkpoint the copy begins at the first offset, inside a batch", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(37, 99)).Partitions[0]
		if got.Rebuilt != 1 || got.Passed != 6 {
			t.Errorf("passed %d batches and rebuilt %d, want only the first rebuilt and 6 passed", got.Passed, got.Rebuilt)
		}
		requirePart(t, source, target, 37, 100)
	})

	t.Run("a range that ends inside a batch goes on to its end, and the next finds it copied", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		if got := copyRange(t, c, rangeOf(0, 33)).Partitions[0]; got.Next != 40 || got.Rebuilt != 0 {
			t.Errorf("copied up to %d with %d batches rebuilt, want 40 and none", got.Next, got.Rebuilt)
		}
		requirePart(t, source, target, 0, 40)
		if got := copyRange(t, c, rangeOf(34, 39)).Partitions[0].Records; got != 0 {
			t.Errorf("the next range copied %d records, want none", got)
		}
		copyRange(t, c, rangeOf(34, 99))
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("a small range of a long topic is fetched without all that comes after it", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(5000, 1000, 1))
		c := copier(t, mirror.Config{Source: source, Target: target})
		var sum int64
		for first := int64(0); first < 5000; first += 500 {
			sum += copyRange(t, c, rangeOf(first, first+499)).Partitions[0].Records
		}
		if sum != 5000 {
			t.Errorf("copied %d records, want 5000", sum)
		}
		requireCopied(t, source, target, "t", 5000)
	})

	t.Run("chunks much smaller than the range are committed one after the other", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target, ChunkBytes: 1, TransactionBytes: 1}), rangeOf(0, 99)).Partitions[0]
		if got.Passed != 10 || got.Records != 100 {
			t.Errorf("got %+v, want 100 records in 10 batches", got)
		}
		// each chunk fills a transaction: a marker after each batch
		if end := offset(t, target, "t", 0, kafka.Latest); end != 110 {
			t.Errorf("the target ends at %d, want 110: 100 records and 10 markers", end)
		}
		requireCopied(t, source, target, "t", 100)
	})

	for _, codec := range codecs() {
		t.Run("very many small batches arrive as a few large ones of the same compression, "+codec.String(), func(t *testing.T) {
			t.Parallel()
			source, target := pair(t)
			createTopic(t, source, kafka.TopicSpec{Name: "t"})
			const records = 1100
			produce(t, source, "t", 0, codec, 1, sample.Plain(records, 100, 1))
			large := produce(t, source, "t", 0, codec, 500, noise(500, 100)) // stays as it is
			got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, large.Last)).Partitions[0]
			if got.Passed != 1 || got.Rebuilt > 2 {
				t.Errorf("got %+v, want 1 batch passed on and the others in one or two", got)
			}
			for _, unit := range everything(t, target, "t") {
				if !unit.Batch.Control() && unit.Batch.Codec() != codec {
					t.Errorf("the batch at offset %d is compressed as %v", unit.Batch.BaseOffset(), unit.Batch.Codec())
				}
			}
			requireCopied(t, source, target, "t", records+500)
		})
	}

	t.Run("a few small batches stay as they are", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		produce(t, source, "t", 0, batch.LZ4, 1, sample.Plain(63, 100, 1))
		got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, 62)).Partitions[0]
		if got.Passed != 63 {
			t.Errorf("got %+v, want 63 batches passed on", got)
		}
		requireCopied(t, source, target, "t", 63)
	})

	t.Run("a transaction holds as many chunks as fill it", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		size := len(stored(t, side(t, source, "t", 0))[0].Batch) // ten batches, about alike
		c := copier(t, mirror.Config{Source: source, Target: target, ChunkBytes: 1, TransactionBytes: 4 * size, CommitInterval: 15 * time.Second})
		copyRange(t, c, rangeOf(0, 99))
		if markers := offset(t, target, "t", 0, kafka.Latest) - 100; markers < 2 || markers > 4 {
			t.Errorf("ten chunks were committed in %d transactions, want about 3", markers)
		}
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("a transaction that is not full is committed when the next chunk is long in coming", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		ctx, cancel := context.WithCancel(testContext(t))
		defer cancel()
		ended := make(chan error, 1)
		go func() {
			// offset 100 does not exist yet: the copy waits for it
			_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(ctx, []mirror.Range{rangeOf(0, 100)})
			ended <- err
		}()
		awaitTopic(t, target, "t")
		for next := int64(-1); next != 100; {
			checkpoints, err := mirror.Checkpoints(ctx, target, "test", "t", "t", 0)
			if err != nil {
				t.Fatal(err)
			}
			next = checkpoints[0].Next
		}
		requireCopied(t, source, target, "t", 100)
		produce(t, source, "t", 0, batch.None, 1, sample.Plain(1, 100, 2))
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		requireCopied(t, source, target, "t", 101)
	})

	t.Run("a call that is cancelled between two chunks leaves no open transaction behind", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		// An answer that was not read yet when it was cancelled leaves the call in
		// doubt, and the transaction to the next one: then the test tries again, and
		// is busy for longer before it cancels.
		for i := range 20 {
			if stable, end := cancelled(t, source, target, fmt.Sprintf("copy.%d", i), 100*i); stable == end {
				return
			}
		}
		t.Error("each of 20 calls left its transaction open")
	})

	t.Run("near the deadline each chunk is committed at once", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := copier(t, mirror.Config{Source: source, Target: target, ChunkBytes: 1, CommitInterval: 40 * time.Second})
		if _, err := c.Copy(ctx, []mirror.Range{rangeOf(0, 99)}); err != nil {
			t.Fatal(err)
		}
		if end := offset(t, target, "t", 0, kafka.Latest); end != 110 {
			t.Errorf("the target ends at %d, want 110: 100 records and 10 markers", end)
		}
	})

	t.Run("partitions are copied side by side, each with its own checkpoint", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t", Partitions: 8})
		var ranges []mirror.Range
		for p := range int32(8) {
			ranges = append(ranges, produce(t, source, "t", p, batch.LZ4, 5, sample.Plain(50+int(p), 100, uint64(p))))
		}
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), ranges...)
		for p := range int32(8) {
			requireEqual(t, side(t, source, "t", p), side(t, target, "t", p), 50+int(p))
		}
		checkpoints, err := mirror.Checkpoints(testContext(t), target, "test", "t", "t", 0, 7)
		if err != nil || checkpoints[0].Next != 50 || checkpoints[7].Next != 57 {
			t.Errorf("checkpoints are %v (%v), want 50 and 57", checkpoints, err)
		}
	})

	t.Run("two jobs copy the same topic independently", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		for _, job := range []string{"a", "b"} {
			topics, err := mirror.ParseTopicMap("*:" + job + ".*")
			if err != nil {
				t.Fatal(err)
			}
			copyRange(t, copier(t, mirror.Config{Job: job, Source: source, Target: target, Topics: topics}), rangeOf(0, 99))
			requireEqual(t, side(t, source, "t", 0), side(t, target, job+".t", 0), 100)
		}
	})

	t.Run("what is no range is refused before anything is touched", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		for _, wrong := range []mirror.Range{rangeOf(-1, 5), rangeOf(5, 4)} {
			if _, err := c.Copy(testContext(t), []mirror.Range{rangeOf(0, 99), wrong}); err == nil {
				t.Errorf("offsets %d to %d were taken for a range", wrong.First, wrong.Last)
			}
		}
		if topics, err := target.Topics(testContext(t)); err != nil || len(topics) != 0 {
			t.Errorf("the target has topics %v (%v), want none", topics, err)
		}
	})
}
