package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Store holds objects. It is what a backup needs of a bucket: Create must be
// atomic and fail where the key exists, and what was written must be listed at
// once. It is safe for concurrent use.
type Store interface {
	// Create writes an object that is not there: [ErrExists] where it is.
	Create(ctx context.Context, key string, data []byte, note map[string]string) error
	// Write writes an object, whether it is there or not.
	Write(ctx context.Context, key string, data []byte) error
	// Open reads an object; [ErrNotFound] where there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// Stat gives an object's size, its age, and the note that it was created with.
	Stat(ctx context.Context, key string) (Object, error)
	// List gives the objects whose key begins with prefix and is behind after, in
	// order of their keys.
	List(ctx context.Context, prefix, after string) iter.Seq2[Object, error]
	// Delete removes objects; one that is not there is no error.
	Delete(ctx context.Context, keys ...string) error
}

// Object is what a store says of an object.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time
	Note     map[string]string // of Stat alone; its keys are in lower case
}

// Versioned is a store that may keep versions of objects. Where it does, Create does not
// fail where there is an object, and no run could know another one.
type Versioned interface {
	// Versions says that the store keeps versions, or has kept them.
	Versions(ctx context.Context) (bool, error)
}

var (
	// ErrNotFound: there is no such object.
	ErrNotFound = errors.New("no such object")
	// ErrExists: there is an object of that key already.
	ErrExists = errors.New("the object exists already")
)

// maxManifest bounds a manifest or base that is read, in bytes: one with a hundred
// thousand segments is about half of it.
const maxManifest = 64 << 20

// read reads a whole object of at most limit bytes into memory of its own, or into
// buf where that is large enough.
func read(ctx context.Context, s Store, key string, buf []byte, limit int64) ([]byte, error) {
	body, err := s.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	const most = 16 << 20 // is taken on trust
	if limit < maxManifest && int64(cap(buf)) <= limit {
		buf = make([]byte, 0, min(limit, most)+1)
	}
	data, err := readUpTo(body, buf, limit)
	if errors.Is(err, errTooLong) {
		return nil, &DamageError{Key: key, Offset: -1, Reason: err.Error()}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return data, nil
}

var errTooLong = errors.New("it is longer than it should be")

// readUpTo is io.ReadAll into buf with a bound; beside an error comes what was read. Memory
// grows with what comes, never
// with what somebody claims.
func readUpTo(r io.Reader, buf []byte, limit int64) ([]byte, error) {
	data := buf[:0]
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return data[:limit], fmt.Errorf("%w: more than %d bytes", errTooLong, limit)
		}
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
}
