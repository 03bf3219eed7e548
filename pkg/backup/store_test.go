package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
)

// memory is a store in memory, whose calls a test may let fail.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	notes   map[string]map[string]string
	created int // objects that were created or written
	opened  int
	listed  int // objects that were listed
	fault   func(call, key string) error

	modified func() time.Time // of objects that are created; nil: none is known
	times    map[string]time.Time
}

var _ backup.Store = (*memory)(nil)

func newMemory() *memory {
	return &memory{objects: map[string][]byte{}, notes: map[string]map[string]string{}, times: map[string]time.Time{}}
}

func (m *memory) call(name, key string) error {
	if m.fault != nil {
		return m.fault(name, key)
	}
	return nil
}

func (m *memory) Create(ctx context.Context, key string, data []byte, note map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call("create", key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, ok := m.objects[key]; ok {
		return fmt.Errorf("create %s: %w", key, backup.ErrExists)
	}
	m.objects[key], m.notes[key] = bytes.Clone(data), maps.Clone(note)
	if m.modified != nil {
		m.times[key] = m.modified()
	}
	m.created++
	return nil
}

func (m *memory) Write(ctx context.Context, key string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call("write", key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.objects[key] = bytes.Clone(data)
	m.created++
	return nil
}

func (m *memory) Open(_ context.Context, key string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call("open", key); err != nil {
		return nil, err
	}
	data, ok := m.objects[key]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", key, backup.ErrNotFound)
	}
	m.opened++
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m *memory) Stat(_ context.Context, key string) (backup.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[key]
	if !ok {
		return backup.Object{}, fmt.Errorf("stat %s: %w", key, backup.ErrNotFound)
	}
	return backup.Object{Key: key, Size: int64(len(data)), Note: m.notes[key], Modified: m.times[key]}, nil
}

func (m *memory) List(_ context.Context, prefix, after string) iter.Seq2[backup.Object, error] {
	return func(yield func(backup.Object, error) bool) {
		for _, key := range m.keys(prefix) {
			if key <= after {
				continue
			}
			m.mu.Lock()
			data, modified := m.objects[key], m.times[key]
			m.listed++
			m.mu.Unlock()
			if !yield(backup.Object{Key: key, Size: int64(len(data)), Modified: modified}, nil) {
				return
			}
		}
	}
}

func (m *memory) Delete(_ context.Context, keys ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if err := m.call("delete", key); err != nil {
			return err
		}
		delete(m.objects, key)
	}
	return nil
}

// keys lists the objects under a prefix.
func (m *memory) keys(prefix string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.DeleteFunc(
		slices.Collect(maps.Keys(m.objects)),
		func(key string) bool { return !strings.HasPrefix(key, prefix) },
	)
	slices.Sort(all)
	return all
}

// copy gives a store with the same objects.
func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{objects: maps.Clone(m.objects), notes: maps.Clone(m.notes), times: maps.Clone(m.times)}
}
