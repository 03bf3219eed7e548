package emulator

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// log is a partition in memory; reads give a few records each, and no offset
// that is not there.
type log struct {
	records []batch.Record
	atOnce  int
	appear  map[int64]time.Time // when a record comes, where not from the beginning
	fail    func() error
}

func (l *log) read(ctx context.Context, offset int64, patience time.Duration) (fetched, error) {
	if l.fail != nil {
		if err := l.fail(); err != nil {
			return fetched{}, err
		}
	}
	i, _ := slices.BinarySearchFunc(l.records, offset, func(r batch.Record, o int64) int { return int(r.Offset - o) })
	part := l.records[i:min(i+l.atOnce, len(l.records))]
	if n := slices.IndexFunc(part, func(r batch.Record) bool { return l.appear[r.Offset].After(time.Now()) }); n >= 0 {
		part = part[:n]
	}
	if len(part) == 0 {
		return fetched{next: offset}, wait(ctx, systemClock{}, patience)
	}
	return fetched{records: slices.Clone(part), next: part[len(part)-1].Offset + 1}, nil
}

func newBatcher(l *log, c cutting) *batcher {
	c.encoder = KafkaConfig{}.encoder
	return &batcher{
		topic: "t", partition: 3, cut: c, clock: systemClock{}, read: l.read,
		failed: func(_ context.Context, offset int64, _ error) int64 { return offset },
		seen:   func(int64, int64) {},
		pause:  backOff{min: time.Second, max: time.Minute},
	}
}

func values(n int, size int) []batch.Record {
	records := make([]batch.Record, n)
	for i := range records {
		records[i] = batch.Record{Offset: int64(i), Value: []byte(strings.Repeat("v", size))}
	}
	return records
}

func TestBatcher(t *testing.T) {
	t.Parallel()
	t.Run("batches hold all records once, in order, within the limits", func(t *testing.T) {
		t.Parallel()
		for seed := range uint64(100) {
			synctest.Test(t, func(t *testing.T) { checkBatches(t, rand.New(rand.NewPCG(seed, 7))) })
		}
	})
	t.Run("a batch that does not fill is cut when its window closes, counted from its first record", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			l := &log{records: values(3, 10), atOnce: 10, appear: map[int64]time.Time{
				0: began.Add(10 * time.Second), 1: began.Add(11 * time.Second), 2: began.Add(12 * time.Second),
			}}
			b := newBatcher(l, cutting{records: 5, window: 3 * time.Second, bytes: 1000})
			got, err := b.fill(t.Context())
			if took := time.Since(began); err != nil || got.count != 3 || took < 13*time.Second || took > 13500*time.Millisecond {
				t.Errorf("got %d records after %v, %v", got.count, took, err)
			}
		})
	})
	t.Run("a full batch does not wait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := newBatcher(&log{records: values(4, 10), atOnce: 2}, cutting{records: 4, window: time.Minute, bytes: 1000})
			began := time.Now()
			if got, err := b.fill(t.Context()); err != nil || got.count != 4 || time.Since(began) > 0 {
				t.Errorf("got %d records after %v, %v", got.count, time.Since(began), err)
			}
		})
	})
	t.Run("a read that fails is waited out, but not beyond the window", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			reads := 0
			l := &log{records: values(1, 10), atOnce: 1, fail: func() error {
				if reads++; reads == 2 { // only this one gives the record
					return nil
				}
				return errors.New("no leader")
			}}
			b := newBatcher(l, cutting{records: 2, window: time.Second, bytes: 1000})
			b.pause.min = 10 * time.Second
			began := time.Now()
			got, err := b.fill(t.Context())
			if took := time.Since(began); err != nil || got.count != 1 || took < 11*time.Second || took > 12*time.Second {
				t.Errorf("got %d records after %v, %v", got.count, took, err)
			}
		})
	})
	t.Run("the event of a batch stays while the next one is being filled", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := newBatcher(&log{records: values(3, 10), atOnce: 3}, cutting{records: 1, window: time.Second, bytes: 1000})
			first, _ := b.fill(t.Context())
			kept := string(first.payload)
			if _, err := b.fill(t.Context()); err != nil || string(first.payload) != kept {
				t.Errorf("was %s, is %s, %v", kept, first.payload, err)
			}
		})
	})
	t.Run("the end of the context ends the wait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := newBatcher(&log{atOnce: 1}, cutting{records: 1, window: time.Minute}).fill(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	})
}

// checkBatches cuts a random partition with gaps, and compares.
func checkBatches(t *testing.T, random *rand.Rand) {
	l := &log{atOnce: 1 + random.IntN(20)}
	offset := int64(random.IntN(5))
	for range 1 + random.IntN(80) {
		value := []byte(strings.Repeat(string(rune('a'+random.IntN(3))), random.IntN(300)))
		l.records = append(l.records, batch.Record{Offset: offset, Value: value})
		offset += 1 + int64(random.IntN(2)*random.IntN(10))
	}
	c := cutting{records: 1 + random.IntN(12), window: time.Second, bytes: 250 + random.IntN(600)}
	b := newBatcher(l, c)
	var got []batch.Record
	for len(got) < len(l.records) {
		k, err := b.fill(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if k.tooLarge > 0 {
			if k.tooLarge <= c.bytes || k.count != 1 || k.payload != nil {
				t.Fatalf("too large: %+v", k)
			}
			got = append(got, l.records[len(got)])
			continue
		}
		var e event.Kafka
		if err := e.UnmarshalJSON(k.payload); err != nil {
			t.Fatal(err)
		}
		if n := len(e.Records); n != k.count || n > c.records || len(k.payload) > c.bytes && n > 1 {
			t.Fatalf("%d records in %d bytes, limits %+v", n, len(k.payload), c)
		}
		for _, r := range e.Records {
			got = append(got, batch.Record{Offset: r.Offset, Value: slices.Clone(r.Body)})
		}
		if last := got[len(got)-1].Offset; k.last != last || k.next <= last || len(got) < len(l.records) && k.next > l.records[len(got)].Offset {
			t.Fatalf("batch %+v ends at %d", k, last)
		}
	}
	for i, r := range l.records {
		if got[i].Offset != r.Offset || string(got[i].Value) != string(r.Value) {
			t.Fatalf("record %d: got offset %d, %q, want %d, %q", i, got[i].Offset, got[i].Value, r.Offset, r.Value)
		}
	}
}
