package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// bucket keeps objects in memory. The first failures calls of Put fail.
type bucket struct {
	mu       sync.Mutex
	objects  map[string][]byte
	failures int
}

var errAway = errors.New("the bucket is away")

func (b *bucket) Put(_ context.Context, key string, content []byte) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures > 0 {
		b.failures--
		return "", errAway
	}
	if b.objects == nil {
		b.objects = map[string][]byte{}
	}
	b.objects[key] = bytes.Clone(content)
	return key, nil
}

func (b *bucket) Get(_ context.Context, url string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.objects[url], nil
}

// refuseAll refuses every record.
func refuseAll(context.Context, mirror.Record, func(mirror.Output)) error {
	return errors.New("not wanted")
}

func TestDeadLettersInObjects(t *testing.T) {
	t.Parallel()
	records := numbered(5)
	records[2].Value = bytes.Repeat([]byte("0123456789abcdef"), 4<<10)

	// refuse makes a job refuse the records, one of which is larger than the topic of letters takes.
	refuse := func(t *testing.T, letters mirror.DeadLetters) (*kafka.Client, error) {
		t.Helper()
		source, target, all := filledWith(t, len(records), records)
		createTopic(t, target, kafka.TopicSpec{Name: letters.Topic, Settings: map[string]string{"max.message.bytes": "20000"}})
		c := job(t, source, target, refuseAll, func(c *mirror.Config) { c.DeadLetters, c.RetryFor = letters, time.Second })
		_, err := c.Copy(testContext(t), []mirror.Range{all})
		return target, err
	}
	// inObjects wants a letter of each record, and those in objects at these offsets.
	inObjects := func(t *testing.T, target *kafka.Client, b *bucket, want ...int64) {
		t.Helper()
		got := letters(t, target)
		if len(got) != len(records) || len(b.objects) != len(want) {
			t.Fatalf("%d letters and %d objects", len(got), len(b.objects))
		}
		for i, l := range got {
			if l.Object != "" && (len(want) == 0 || want[0] != l.Record.Offset) {
				t.Errorf("the record of offset %d is in an object", l.Record.Offset)
			} else if l.Object != "" {
				want = want[1:]
			}
			whole, err := l.Whole(t.Context(), b)
			if err != nil || !bytes.Equal(whole.Record.Value, records[i].Value) || len(whole.Record.Headers) != 1 || whole.Record.Timestamp != records[i].Timestamp {
				t.Errorf("letter %d: %v", i, err)
			}
		}
	}

	t.Run("a record that no letter can hold is whole in an object, the others are in their letters", func(t *testing.T) {
		t.Parallel()
		b := &bucket{}
		target, err := refuse(t, mirror.DeadLetters{Topic: "deadletter", Objects: b})
		if err != nil {
			t.Fatal(err)
		}
		inObjects(t, target, b, 2)
	})

	t.Run("every record is in an object where that is wanted", func(t *testing.T) {
		t.Parallel()
		b := &bucket{}
		target, err := refuse(t, mirror.DeadLetters{Topic: "deadletter", Objects: b, AllInObjects: true})
		if err != nil {
			t.Fatal(err)
		}
		inObjects(t, target, b, 0, 1, 2, 3, 4)
	})

	t.Run("a bucket that fails for a moment is tried again", func(t *testing.T) {
		t.Parallel()
		b := &bucket{failures: 2}
		target, err := refuse(t, mirror.DeadLetters{Topic: "deadletter", Objects: b})
		if err != nil {
			t.Fatal(err)
		}
		inObjects(t, target, b, 2)
	})

	t.Run("while a bucket is away no record that needs it is done, and what came before it is", func(t *testing.T) {
		t.Parallel()
		b := &bucket{failures: 1 << 30}
		target, err := refuse(t, mirror.DeadLetters{Topic: "deadletter", Objects: b})
		if !errors.Is(err, errAway) || !deadletter.IsTransient(err) {
			t.Fatalf("got %v", err)
		}
		if got := letters(t, target); len(got) != 2 || got[1].Record.Offset != 1 {
			t.Errorf("%d letters", len(got))
		}
	})
}
