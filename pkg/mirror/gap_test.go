package mirror_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestCopyGap(t *testing.T) {
	t.Parallel()

	t.Run("records that retention took before the copy are named, other partitions go on, and a reset leaves them out", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t", Partitions: 2})
		for p := range int32(2) {
			produce(t, source, "t", p, batch.None, 10, sample.Plain(100, 100, uint64(p)))
		}
		c := copier(t, mirror.Config{Job: "nightly", Source: source, Target: target})
		copyRange(t, c, rangeOf(0, 19))
		if err := brokers.Fake().DeleteRecords("t", 0, 45); err != nil { // the middle of a batch
			t.Fatal(err)
		}

		other := mirror.Range{Topic: "t", Partition: 1, First: 0, Last: 99}
		for _, instance := range []*mirror.Copier{c, copier(t, mirror.Config{Job: "nightly", Source: source, Target: target})} {
			result, err := instance.Copy(testContext(t), []mirror.Range{rangeOf(20, 29), other})
			var gap *mirror.GapError
			if !errors.As(err, &gap) {
				t.Fatalf("got %v, want a GapError", err)
			}
			want := mirror.GapError{Job: "nightly", Topic: "t", Target: "t", Next: 20, Available: 45}
			if *gap != want {
				t.Errorf("got %+v, want %+v", *gap, want)
			}
			for _, words := range []string{
				"copy t/0", "offsets 20 to 44 (25) are gone",
				"etl offsets reset --job nightly --topic t --partition 0 --to 45 --execute",
				"etl offsets show --job nightly --topic t",
			} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q does not say %q", err, words)
				}
			}
			if got := result.Partitions[0]; got.Next != 20 || got.Records != 0 {
				t.Errorf("got %+v, want the checkpoint 20 and nothing copied", got)
			}
		}
		requireEqual(t, side(t, source, "t", 1), side(t, target, "t", 1), 100)

		if err := mirror.ResetCheckpoint(testContext(t), target, "nightly", "t", "t", 0, 45); err != nil {
			t.Fatal(err)
		}
		copyRange(t, c, rangeOf(20, 99))
		copied := side(t, target, "t", 0)
		requireEqual(t, mirror.Side{Client: source, Topic: "t", First: 45, End: 100}, mirror.Side{Client: target, Topic: "t", First: 21, End: copied.End}, 55)
	})

	t.Run("an error for a mapped topic gives commands that name the mapping", func(t *testing.T) {
		t.Parallel()
		err := error(&mirror.GapError{Job: "j", Topic: "t", Partition: 3, Target: "copy.t", Next: 1, Available: 2})
		if want := "etl offsets reset --job j --topic t --topics t:copy.t --partition 3 --to 2"; !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	})
}

func TestResetCheckpoint(t *testing.T) {
	t.Parallel()

	t.Run("a running instance goes on at the new offset, though it knows another", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		copyRange(t, c, rangeOf(0, 29))
		if err := mirror.ResetCheckpoint(testContext(t), target, "test", "t", "t", 0, 10); err != nil {
			t.Fatal(err)
		}
		checkpoints, err := mirror.Checkpoints(testContext(t), target, "test", "t", "t", 0)
		if err != nil || checkpoints[0].Next != 10 {
			t.Fatalf("checkpoints are %v (%v), want 10", checkpoints, err)
		}
		if got := copyRange(t, c, rangeOf(30, 99)).Partitions[0].Records; got != 90 {
			t.Errorf("copied %d records, want the 90 from offset 10 on", got)
		}
	})

	t.Run("a transaction that is open cannot overwrite it", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, 9))
		group := mirror.CheckpointGroup("test", "t", 0)
		open := transaction(t, target, group)
		produceIn(t, open, "t", 0, sample.Plain(5, 100, 7))
		if err := open.CommitOffsets(testContext(t), group, "t", map[int32]kafka.Committed{0: {Offset: 77}}); err != nil {
			t.Fatal(err)
		}
		if err := mirror.ResetCheckpoint(testContext(t), target, "test", "t", "t", 0, 50); err != nil {
			t.Fatal(err)
		}
		if err := open.Commit(testContext(t)); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("the open transaction ended with %v, want ErrFenced", err)
		}
		if got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(50, 99)).Partitions[0].Records; got != 50 {
			t.Errorf("copied %d records, want 50", got)
		}
		requireEqual(t,
			mirror.Side{Client: source, Topic: "t", First: 50, End: 100},
			mirror.Side{Client: target, Topic: "t", First: 11, End: offset(t, target, "t", 0, kafka.Latest)}, 50)
	})

	t.Run("a copy that is tried again in the middle of it does not make it fail", func(t *testing.T) {
		t.Parallel()
		s := newSweep(t)
		for _, key := range []kmsg.Key{kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn} {
			job := "reset-" + strings.ToLower(key.Name())
			group := mirror.CheckpointGroup(job, "t", 0)
			fence := func() {
				other, err := s.target.Transactional(testContext(t), group, time.Minute)
				if err != nil || other == nil {
					t.Error(err)
				}
			}
			s.targetWire.arm(accident{key: key, before: fence})
			if err := mirror.ResetCheckpoint(testContext(t), s.target, job, "t", "copy.0", 0, 7); err != nil {
				t.Errorf("fenced before %s: %v", key.Name(), err)
			}
			if !s.targetWire.disarm() {
				t.Errorf("there was no %s to be fenced before", key.Name())
			}
			checkpoints, err := mirror.Checkpoints(testContext(t), s.target, job, "t", "copy.0", 0)
			if err != nil || checkpoints[0].Next != 7 {
				t.Errorf("fenced before %s: checkpoints are %v (%v), want 7", key.Name(), checkpoints, err)
			}
		}
	})
}

func TestCopyRecreatedTopic(t *testing.T) {
	t.Parallel()
	const records = 40

	// recreate makes topic t anew in a cluster, with other records.
	recreate := func(t *testing.T, brokers *localkafka.Cluster, client *kafka.Client, n int) {
		t.Helper()
		if err := brokers.Fake().DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		if err := brokers.Fake().CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			produceWhenReady(t, client, sample.Plain(n, 100, 99))
		}
	}
	wantRecreated := func(t *testing.T, err error, words ...string) {
		t.Helper()
		if !errors.Is(err, mirror.ErrRecreated) {
			t.Fatalf("got %v, want ErrRecreated", err)
		}
		for _, w := range append(words,
			"etl offsets reset --job test --topic t --partition 0 --to earliest --execute",
			"etl offsets reset --job test --topic t --partition 0 --to latest --execute") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}

	for _, version := range []string{"", "2.6"} {
		for _, warm := range []bool{true, false} {
			for _, rng := range []mirror.Range{rangeOf(0, 9), rangeOf(0, 19)} {
				name := fmt.Sprintf("a source topic that was created again is noticed before a record of it is copied, or one counts as copied: version %q, warm %t, range to %d", version, warm, rng.Last)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					source, brokers := cluster(t, localkafka.Config{Version: version})
					target, _ := cluster(t, localkafka.Config{})
					createTopic(t, source, kafka.TopicSpec{Name: "t"})
					produce(t, source, "t", 0, batch.None, 10, sample.Plain(records, 100, 1))
					c := copier(t, mirror.Config{Source: source, Target: target})
					copyRange(t, c, rangeOf(0, records-1))
					end := offset(t, target, "t", 0, kafka.Latest)
					recreate(t, brokers, source, 20)
					if !warm {
						c = copier(t, mirror.Config{Source: source, Target: target})
					}
					evidence := "topic id was"
					if version != "" {
						evidence = "its log ends at offset 20"
					}
					for range 2 { // the platform delivers again
						_, err := c.Copy(testContext(t), []mirror.Range{rng})
						wantRecreated(t, err, "the source topic is not the topic that was copied", evidence, "from offset 40")
					}
					if now := offset(t, target, "t", 0, kafka.Latest); now != end {
						t.Errorf("the target went from offset %d to %d", end, now)
					}
					if err := mirror.ResetCheckpoint(testContext(t), target, "test", "t", "t", 0, 0); err != nil {
						t.Fatal(err)
					}
					copyRange(t, c, rangeOf(0, 19))
					requireEqual(t, side(t, source, "t", 0), mirror.Side{Client: target, Topic: "t", First: end, End: offset(t, target, "t", 0, kafka.Latest)}, 20)
				})
			}
		}
	}

	t.Run("a source topic that was created again beyond the checkpoint is noticed by its id", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(records, 100, 1))
		c := copier(t, mirror.Config{Source: source, Target: target})
		copyRange(t, c, rangeOf(0, records-1))
		recreate(t, brokers, source, 2*records)
		result, err := c.Copy(testContext(t), []mirror.Range{rangeOf(40, 79)})
		wantRecreated(t, err, "the source topic", "topic id was")
		if got := result.Partitions[0]; got.Records != 0 || got.Next != records {
			t.Errorf("got %+v, want nothing copied", got)
		}
	})

	for _, witness := range []bool{true, false} {
		t.Run(fmt.Sprintf("a target topic that was created again is noticed before a record is in it, witness %t", witness), func(t *testing.T) {
			t.Parallel()
			source, _ := cluster(t, localkafka.Config{})
			target, brokers := cluster(t, localkafka.Config{})
			createTopic(t, source, kafka.TopicSpec{Name: "t"})
			if witness {
				createTopic(t, target, kafka.TopicSpec{Name: "__consumer_offsets"})
			}
			produce(t, source, "t", 0, batch.None, 10, sample.Plain(2*records, 100, 1))
			c := copier(t, mirror.Config{Source: source, Target: target})
			copyRange(t, c, rangeOf(0, records-1))
			recreate(t, brokers, target, 0)
			instances := []*mirror.Copier{c, c}
			if witness { // a cold instance knows, too
				instances = append(instances, copier(t, mirror.Config{Source: source, Target: target}))
			}
			for _, instance := range instances {
				_, err := instance.Copy(testContext(t), []mirror.Range{rangeOf(records, 2*records-1)})
				wantRecreated(t, err, "the target topic t is not the topic that was copied", "topic id was")
			}
			requireEqual(t, mirror.Side{Client: source, Topic: "t"}, side(t, target, "t", 0), 0)
			if err := mirror.ResetCheckpoint(testContext(t), target, "test", "t", "t", 0, 0); err != nil {
				t.Fatal(err)
			}
			copyRange(t, c, rangeOf(records, 2*records-1))
			requireCopied(t, source, target, "t", 2*records)
		})
	}

	t.Run("a target topic that is deleted and may be created is created, and then noticed", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t, localkafka.Config{})
		target, brokers := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(2*records, 100, 1))
		c := copier(t, mirror.Config{Source: source, Target: target})
		copyRange(t, c, rangeOf(0, records-1))
		if err := brokers.Fake().DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		_, err := c.Copy(testContext(t), []mirror.Range{rangeOf(records, 2*records-1)})
		wantRecreated(t, err, "the target topic t")
		if err := mirror.ResetCheckpoint(testContext(t), target, "test", "t", "t", 0, 0); err != nil {
			t.Fatal(err)
		}
		copyRange(t, c, rangeOf(0, 2*records-1))
		requireCopied(t, source, target, "t", 2*records)
	})
}

func TestCopyWithoutTheRightToTheWitness(t *testing.T) {
	t.Parallel()
	source, _ := filled(t)
	target, brokers := cluster(t, localkafka.Config{})
	createTopic(t, target, kafka.TopicSpec{Name: "__consumer_offsets"})
	fault := brokers.Fake().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Topic: "__consumer_offsets", Err: kerr.TopicAuthorizationFailed, Count: -1})
	copyRange(t, copier(t, mirror.Config{Source: source, Target: target, ChunkBytes: 500, TransactionBytes: 1}), rangeOf(0, 99))
	requireCopied(t, source, target, "t", 100)
	if fault.Hits() != 1 {
		t.Errorf("asked %d times for what is not allowed, want once", fault.Hits())
	}
}

// produceWhenReady appends to topic t as soon as the client knows that it is
// there again.
func produceWhenReady(t *testing.T, client *kafka.Client, records []batch.Record) {
	t.Helper()
	for {
		_, err := client.ProduceBatches(testContext(t), "t", 0, "", batches(t, batch.None, 10, records))
		if err == nil {
			return
		}
		if !kafka.Retriable(err) {
			t.Fatal(err)
		}
	}
}
