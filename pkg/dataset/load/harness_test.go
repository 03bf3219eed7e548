package load_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// log is a topic with one partition, in memory.
type log struct {
	mu       sync.Mutex
	id       kafka.TopicID
	batches  []batch.Batch
	aborted  []kafka.AbortedTransaction
	start    int64
	end      int64
	settings map[string]string
	fetched  func() // before each fetch
}

var _ mirror.Source = (*log)(nil)

func newLog() *log { return &log{id: kafka.TopicID{1}, settings: map[string]string{}} }

// add appends a batch of records with values; "" is a record without one.
func (l *log) add(t testing.TB, at int64, values ...string) {
	t.Helper()
	var records []batch.Record
	for i, v := range values {
		r := batch.Record{Timestamp: at + int64(i)}
		if v != "" {
			r.Value = []byte(v)
		}
		records = append(records, r)
	}
	l.append(t, records...)
}

// append appends a batch of records.
func (l *log) append(t testing.TB, records ...batch.Record) {
	t.Helper()
	b, err := batch.Build(batch.Options{}, records)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	binary.BigEndian.PutUint64(b, uint64(l.end))
	l.batches = append(l.batches, b)
	l.end += int64(len(records))
}

func (l *log) Fetch(_ context.Context, q kafka.FetchRequest, _ *kafka.Buffer) (kafka.FetchResponse, error) {
	if l.fetched != nil {
		l.fetched()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	answer := kafka.FetchResponse{HighWatermark: l.end, LastStable: l.end, LogStart: l.start, Aborted: l.aborted}
	if q.Offset < l.start || q.Offset > l.end {
		return answer, kafka.ErrOffsetOutOfRange
	}
	for _, b := range l.batches {
		if b.LastOffset() >= q.Offset && len(answer.Batches) < 3000 {
			answer.Batches = append(answer.Batches, b...)
		}
	}
	return answer, nil
}

func (l *log) Topic(_ context.Context, name string) (kafka.Topic, error) {
	return kafka.Topic{Name: name, ID: l.id, Partitions: []kafka.Partition{{}}}, nil
}

func (l *log) Offsets(_ context.Context, _ string, at int64, _ ...int32) (map[int32]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at == kafka.Earliest {
		return map[int32]int64{0: l.start}, nil
	}
	return map[int32]int64{0: l.end}, nil
}

func (l *log) TopicSettings(context.Context, string) (all, own map[string]string, err error) {
	return l.settings, l.settings, nil
}

// memory is a store that can die at a call: from then on every call fails. The one at which it dies has its effect,
// or not.
type memory struct {
	*disk
	calls, dies int // dies: 0 never
	effect      bool
	dead        bool
}

// disk outlives who uses it.
type disk struct {
	mu      sync.Mutex
	objects map[string][]byte
	times   map[string]time.Time
	clock   time.Time
	passed  func(now time.Time) // after the clock was moved
}

func newDisk() *disk {
	return &disk{
		objects: map[string][]byte{},
		times:   map[string]time.Time{},
		clock:   time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC),
	}
}

func (d *disk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clock
}

func (d *disk) pass(by time.Duration) {
	d.mu.Lock()
	d.clock = d.clock.Add(by)
	now := d.clock
	d.mu.Unlock()
	if d.passed != nil {
		d.passed(now)
	}
}

var errDead = errors.New("the process is dead")

// call counts a call; do is its effect.
func (m *memory) call(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	if m.calls++; m.calls == m.dies {
		if m.dead = true; m.effect {
			_ = do()
		}
		return errDead
	}
	return do()
}

func (m *memory) Put(_ context.Context, key string, body io.Reader, o cos.PutOptions) (cos.Object, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return cos.Object{}, err
	}
	err = m.call(func() error {
		if _, there := m.objects[key]; there && o.IfAbsent {
			return cos.ErrExists
		}
		m.objects[key], m.times[key] = data, m.clock
		return nil
	})
	return cos.Object{Key: key, Size: int64(len(data))}, err
}

func (m *memory) GetRange(
	_ context.Context,
	key string,
	offset, length int64,
) (body io.ReadCloser, o cos.Object, err error) {
	err = m.call(func() error {
		data, there := m.objects[key]
		if !there {
			return fmt.Errorf("%s: %w", key, cos.ErrNotFound)
		}
		o = cos.Object{Key: key, Size: int64(len(data)), Modified: m.times[key]}
		end := int64(len(data))
		if length >= 0 {
			end = min(end, offset+length)
		}
		body = io.NopCloser(bytes.NewReader(data[min(offset, end):end]))
		return nil
	})
	return body, o, err
}

func (m *memory) List(_ context.Context, o cos.ListOptions) iter.Seq2[cos.Object, error] {
	var all []cos.Object
	err := m.call(func() error {
		seen := map[string]bool{}
		for key, data := range m.objects {
			if !strings.HasPrefix(key, o.Prefix) {
				continue
			}
			object := cos.Object{Key: key, Size: int64(len(data)), Modified: m.times[key]}
			if i := strings.Index(key[len(o.Prefix):], o.Delimiter); o.Delimiter != "" && i >= 0 {
				object = cos.Object{Key: key[:len(o.Prefix)+i+1], Prefix: true}
			}
			if object.Key > o.After && !seen[object.Key] {
				seen[object.Key] = true
				all = append(all, object)
			}
		}
		slices.SortFunc(all, func(a, b cos.Object) int { return strings.Compare(a.Key, b.Key) })
		return nil
	})
	return func(yield func(cos.Object, error) bool) {
		if err != nil {
			yield(cos.Object{}, err)
			return
		}
		for _, object := range all {
			if !yield(object, nil) {
				return
			}
		}
	}
}

func (m *memory) Delete(_ context.Context, keys ...string) error {
	var faults []error
	for _, key := range keys { // each for itself, so that it dies between two
		faults = append(faults, m.call(func() error { delete(m.objects, key); return nil }))
	}
	return errors.Join(faults...)
}

// rows reads every *.parquet, as an engine would that knows nothing of how it came about: offset to the values.
func (d *disk) rows(t testing.TB) map[int64]string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := map[int64]string{}
	for key, data := range d.objects {
		if !strings.HasSuffix(key, ".parquet") || strings.Contains(key, "/_") {
			continue
		}
		file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		names := file.Schema().Columns()
		for _, group := range file.RowGroups() {
			reader := group.Rows()
			buffer := make([]parquet.Row, 100)
			for {
				n, err := reader.ReadRows(buffer)
				for _, row := range buffer[:n] {
					offset, text := int64(-1), ""
					for i, v := range row {
						if name := names[i][0]; name == load.OffsetColumn {
							offset = v.Int64()
						} else if !v.IsNull() {
							text += fmt.Sprintf("%s=%v ", name, v)
						}
					}
					if before, twice := rows[offset]; twice {
						t.Fatalf("offset %d is there twice: %q and in %s", offset, before, key)
					}
					rows[offset] = text
				}
				if err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			_ = reader.Close()
		}
	}
	return rows
}

// loader is a new instance on a disk.
func loader(t testing.TB, l *log, store *memory, change func(*load.Config)) *load.Loader {
	t.Helper()
	config := load.Config{
		Source:       l,
		Dataset:      dataset.New(store, "data/events"),
		FromEarliest: true,
		Now:          store.now,
		RetryFor:     time.Second,
	}
	if change != nil {
		change(&config)
	}
	loader, err := load.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return loader
}
