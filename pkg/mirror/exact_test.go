package mirror_test

import (
	"context"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// holes is a source that has nothing between two offsets, as a compacted topic or a backup.
type holes struct {
	*kafka.Client
	first, end int64
}

func (h holes) Fetch(ctx context.Context, q kafka.FetchRequest, buf *kafka.Buffer) (kafka.FetchResponse, error) {
	if q.Offset >= h.first && q.Offset < h.end {
		q.Offset = h.end
	}
	if q.Offset < h.first {
		q.MaxBytes = 1 // one batch
	}
	return h.Client.Fetch(ctx, q, buf)
}

func (h holes) TopicSettings(context.Context, string) (all, own map[string]string, err error) {
	return map[string]string{"cleanup.policy": "compact"}, nil, nil
}

func TestExact(t *testing.T) {
	t.Parallel()
	source, _ := cluster(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
	for i := range 4 {
		if _, err := source.Produce(testContext(t), "t", 0, sample.Plain(25, 100, uint64(i))...); err != nil {
			t.Fatal(err)
		}
	}
	empty := func(t *testing.T) *kafka.Client {
		target, _ := cluster(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		return target
	}

	t.Run("nothing behind the end of an exact range is copied, and the next one goes on there", func(t *testing.T) {
		t.Parallel()
		target := empty(t)
		c := copier(t, mirror.Config{Source: source, Target: target, Exact: true})
		for _, last := range []int64{0, 9, 24, 60, 98} {
			if got := copyRange(t, c, rangeOf(0, last)).Partitions[0]; got.Next != last+1 {
				t.Fatalf("the checkpoint is %d, want %d", got.Next, last+1)
			}
			requirePart(t, source, target, 0, last+1)
		}
	})
	t.Run("an exact range may end in a hole of its source", func(t *testing.T) {
		t.Parallel()
		target := empty(t)
		c := copier(t, mirror.Config{From: holes{source, 50, 75}, Target: target, Exact: true})
		if got := copyRange(t, c, rangeOf(0, 60)).Partitions[0]; got.Next != 61 || got.Records != 50 {
			t.Fatalf("%d records up to %d, want 50 up to 61", got.Records, got.Next)
		}
		requirePart(t, source, target, 0, 50)
		if got := copyRange(t, c, rangeOf(0, 79)).Partitions[0]; got.Next != 80 || got.Records != 5 {
			t.Fatalf("%d records up to %d, want 5 more up to 80", got.Records, got.Next)
		}
	})
}
