package deadletter_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// bucket keeps objects in memory.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	fault   error
}

func (b *bucket) Put(_ context.Context, key string, content []byte) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != nil {
		return "", b.fault
	}
	if b.objects == nil {
		b.objects = map[string][]byte{}
	}
	url := "cos://letters-1250000000/" + key
	b.objects[url] = bytes.Clone(content)
	return url, nil
}

func (b *bucket) Get(_ context.Context, url string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	content, ok := b.objects[url]
	if !ok {
		return nil, deadletter.ErrNoObject
	}
	return content, b.fault
}

// outside puts the record of a letter into a bucket.
func outside(t testing.TB, b *bucket, l deadletter.Letter, most int) deadletter.Letter {
	t.Helper()
	l, err := l.InObject(t.Context(), b, most)
	must(t, err)
	return l
}

func TestObject(t *testing.T) {
	t.Parallel()

	t.Run("every record comes back from its object, byte for byte, and its letter is small", func(t *testing.T) {
		t.Parallel()
		records := slices.AppendSeq(sample.Special(), maps.Values(large()))
		for i, r := range records {
			r.Offset = int64(i)
			want, b := letter(r), &bucket{}
			letters := outside(t, b, want, 8<<10).Records(8 << 10)
			if len(letters) != 1 || batchSize(t, letters[0]) > 8<<10 {
				t.Fatalf("record %d: %d letters, the first of %d bytes", i, len(letters), batchSize(t, letters[0]))
			}
			got, err := decoded(t, letters)[0].Whole(t.Context(), b)
			must(t, err)
			if !reflect.DeepEqual(want, got) {
				t.Errorf("record %d (-want +got):\n%.2000s", i, cmp.Diff(want, got))
			}
		}
	})

	t.Run("a record that is handled again has the same object, another content another one", func(t *testing.T) {
		t.Parallel()
		b := &bucket{}
		first := outside(t, b, letter(batch.Record{Offset: 7, Value: []byte("a")}), 0)
		again := outside(t, b, letter(batch.Record{Offset: 7, Value: []byte("a")}), 0)
		other := outside(t, b, letter(batch.Record{Offset: 7, Value: []byte("b")}), 0)
		if first.Object != again.Object || first.Object == other.Object || len(b.objects) != 2 {
			t.Errorf("objects %v", slices.Sorted(maps.Keys(b.objects)))
		}
		if !strings.HasPrefix(first.Object, "cos://letters-1250000000/access/3/00000000000000000007-") {
			t.Errorf("object %s", first.Object)
		}
	})

	t.Run("an object that is gone, changed, cut or of another record is refused", func(t *testing.T) {
		t.Parallel()
		b := &bucket{}
		l := outside(t, b, letter(batch.Record{Offset: 7, Key: []byte("k"), Value: []byte("value")}), 0)
		other := outside(t, b, letter(batch.Record{Offset: 8, Key: []byte("k"), Value: []byte("other")}), 0)
		whole := b.objects[l.Object]
		for i := range whole {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1
			b.objects[l.Object] = damaged
			if _, err := l.Whole(t.Context(), b); !errors.Is(err, deadletter.ErrNotWhole) {
				t.Fatalf("with byte %d changed: %v", i, err)
			}
			b.objects[l.Object] = whole[:i]
			if _, err := l.Whole(t.Context(), b); !errors.Is(err, deadletter.ErrNotWhole) {
				t.Fatalf("cut to %d bytes: %v", i, err)
			}
		}
		b.objects[l.Object] = b.objects[other.Object]
		if _, err := l.Whole(t.Context(), b); !errors.Is(err, deadletter.ErrNotWhole) {
			t.Errorf("with the object of another record: %v", err)
		}
		delete(b.objects, l.Object)
		if _, err := l.Whole(t.Context(), b); !errors.Is(err, deadletter.ErrNoObject) {
			t.Errorf("without an object: %v", err)
		}
		if _, err := l.Whole(t.Context(), nil); !errors.Is(err, deadletter.ErrElsewhere) {
			t.Errorf("without a bucket: %v", err)
		}
	})

	t.Run("an object that cannot be put leaves no letter", func(t *testing.T) {
		t.Parallel()
		b := &bucket{fault: errors.New("the bucket is away")}
		if _, err := letter(batch.Record{}).InObject(t.Context(), b, 0); !errors.Is(err, b.fault) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRedriveOfObjects(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, open func(*testing.T) yard) {
		t.Run("records in objects are sent as those in letters are", func(t *testing.T) {
			t.Parallel()
			y, b := open(t), &bucket{}
			var letters []deadletter.Letter
			for i, r := range sample.Special() {
				l := failed(2, int64(i), r)
				l.Record.Timestamp = r.Timestamp
				letters = append(letters, l)
				if i%2 == 0 {
					l = outside(t, b, l, 0)
				}
				y.bury(t, 100_000, l)
			}
			r := y.redriver()
			r.Letters.Objects = b
			plan := run(t, r)
			if plan.Sent != int64(len(letters)) {
				t.Errorf("plan %+v", plan)
			}
			wantRecords(t, stored(t, y.source, "orders", 2), letters...)
		})

		t.Run("one whose object is gone, or cannot be reached, stays, and the others are sent", func(t *testing.T) {
			t.Parallel()
			y, b := open(t), &bucket{}
			gone := outside(t, b, failed(0, 1, batch.Record{Value: []byte("gone")}), 0)
			there := outside(t, b, failed(0, 2, batch.Record{Value: []byte("there")}), 0)
			y.bury(t, 0, gone, there, failed(0, 3, batch.Record{Value: []byte("inside")}))
			delete(b.objects, gone.Object)
			r := y.redriver()
			plan, err := r.Plan(deadline(t))
			must(t, err)
			if plan.Chosen != 1 || len(plan.Skipped) != 1 || !strings.Contains(plan.Skipped[0].Reason, "TENCENTCLOUD_SECRET_ID") {
				t.Errorf("without a bucket: %+v", plan)
			}
			r.Letters.Objects = b
			plan = run(t, r)
			if plan.Sent != 2 || len(plan.Skipped) != 1 || !strings.Contains(plan.Skipped[0].Reason, deadletter.ErrNoObject.Error()) {
				t.Errorf("with a bucket: %+v", plan)
			}
		})
	})
}
