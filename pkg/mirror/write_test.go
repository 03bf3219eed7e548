package mirror_test

import (
	"errors"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// given are records with the offsets from first on.
func given(first int64, records []batch.Record) mirror.Given {
	g := mirror.Given{Topic: "t"}
	for i, r := range records {
		r.Offset = first + int64(i)
		g.Records = append(g.Records, r)
	}
	return g
}

func TestWrite(t *testing.T) {
	t.Parallel()

	writer := func(t *testing.T, target *kafka.Client) *mirror.Copier {
		t.Helper()
		c, err := mirror.New(mirror.Config{Job: "test", Target: target})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	write := func(t *testing.T, c *mirror.Copier, all ...mirror.Given) mirror.Result {
		t.Helper()
		result, err := c.Write(testContext(t), all)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	requireRecords := func(t *testing.T, target *kafka.Client, want []batch.Record) {
		t.Helper()
		got := recordsOf(t, side(t, target, "t", 0))
		if len(got) != len(want) {
			t.Fatalf("the target has %d records, want %d", len(got), len(want))
		}
		for i := range want {
			a, b := batch.Digest{}, batch.Digest{}
			a.Add(got[i])
			b.Add(want[i])
			if a.Sum() != b.Sum() {
				t.Errorf("record %d is %+v, want %+v", i, got[i], want[i])
			}
		}
	}

	t.Run("given records are written once, however often and overlapping they are given", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, target, kafka.TopicSpec{Name: "t"})
		records := sample.Plain(30, 100, 1)
		c := writer(t, target)
		write(t, c, given(100, records[:10]))
		write(t, c, given(100, records[:10]))
		write(t, c, given(105, records[5:20]))
		got := write(t, writer(t, target), given(120, records[20:]), given(110, records[10:20])) // a cold one, out of order
		if p := got.Partitions[0]; p.Next != 130 || p.Records != 10 {
			t.Errorf("got %+v, want 10 records up to 130", p)
		}
		requireRecords(t, target, records)
	})

	t.Run("records after a hole are written: what was between them cannot be known", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, target, kafka.TopicSpec{Name: "t"})
		records := sample.Plain(20, 100, 1)
		c := writer(t, target)
		write(t, c, given(0, records[:10]))
		write(t, c, given(500, records[10:]))
		requireRecords(t, target, records)
	})

	t.Run("special records arrive as they are given", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, target, kafka.TopicSpec{Name: "t", Settings: sample.TopicSettings()})
		write(t, writer(t, target), given(0, sample.Special()))
		requireRecords(t, target, sample.Special())
	})

	t.Run("a copy goes on where writing has ended, and the other way round", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		records := recordsOf(t, side(t, source, "t", 0))
		c := copier(t, mirror.Config{Source: source, Target: target})
		copyRange(t, c, rangeOf(0, 39))
		write(t, c, given(30, records[30:65])) // 30 to 39 are copied
		copyRange(t, c, rangeOf(60, 99))
		requireCopied(t, source, target, "t", 100)
	})

	t.Run("a record that is too large stops after those before it", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, target, kafka.TopicSpec{Name: "t", Settings: map[string]string{"max.message.bytes": "5000"}})
		records := noisy(10, 1000)
		records[7].Value = noisy(1, 9000)[0].Value
		later := given(10, sample.Plain(5, 100, 1)) // must not be written: it would leave a gap
		result, err := writer(t, target).Write(testContext(t), []mirror.Given{given(0, records), later})
		var tooLarge *mirror.TooLargeError
		if !errors.As(err, &tooLarge) || tooLarge.Offset != 7 || tooLarge.Limit != 5000 {
			t.Errorf("got %v, want a TooLargeError at offset 7", err)
		}
		if got := result.Partitions[0]; got.Next != 7 || got.Records != 7 {
			t.Errorf("got %+v, want the 7 records before it", got)
		}
		if got := result.Partitions[1]; got.Next != -1 || got.First != 10 || got.Records != 0 {
			t.Errorf("got %+v for what comes after, want nothing done", got)
		}
		requireRecords(t, target, records[:7])
	})

	t.Run("a partition that the target does not have is placed by key", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, target, kafka.TopicSpec{Name: "t", Partitions: 2})
		records := sample.Plain(30, 100, 1)
		g := given(0, records)
		g.Partition = 5
		write(t, writer(t, target), g)
		for p := range int32(2) {
			for _, r := range recordsOf(t, side(t, target, "t", p)) {
				if want := batch.Partition(r.Key, 2); p != want {
					t.Errorf("key %q is in partition %d, want %d", r.Key, p, want)
				}
			}
		}
	})

	t.Run("no records, and offsets that do not go up, are refused", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{})
		records := sample.Plain(3, 100, 1)
		twice := given(0, records)
		twice.Records[2].Offset = 1
		for _, wrong := range []mirror.Given{{Topic: "t"}, twice} {
			if _, err := writer(t, target).Write(testContext(t), []mirror.Given{wrong}); err == nil {
				t.Errorf("%+v was taken", wrong)
			}
		}
	})

	t.Run("a copy without a source is refused", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{})
		if _, err := writer(t, target).Copy(testContext(t), []mirror.Range{rangeOf(0, 9)}); err == nil {
			t.Error("no error")
		}
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	target, _ := cluster(t, localkafka.Config{})
	for _, wrong := range []mirror.Config{{}, {Job: "a.b", Target: target}, {Job: "a b", Target: target}, {Job: "a"}} {
		if _, err := mirror.New(wrong); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}
