package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Store holds objects, as a [cos.Bucket] does: what each call promises is said there. A [Folder] is one on a disk.
type Store interface {
	Put(ctx context.Context, key string, body io.Reader, o cos.PutOptions) (cos.Object, error)
	GetRange(ctx context.Context, key string, offset, length int64) (io.ReadCloser, cos.Object, error)
	List(ctx context.Context, o cos.ListOptions) iter.Seq2[cos.Object, error]
	Delete(ctx context.Context, keys ...string) error
}

var (
	_ Store = (*cos.Bucket)(nil)
	_ Store = (*Folder)(nil)
)

// maxNote bounds a note that is read, in bytes.
const maxNote = 4 << 20

// ReadNote reads a small object whole; [cos.ErrNotFound] where there is none.
func ReadNote(ctx context.Context, s Store, key string) ([]byte, error) {
	// why a range: the one call of a store that reads. An empty object has none.
	body, object, err := s.GetRange(ctx, key, 0, -1)
	if errors.Is(err, cos.ErrRange) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if object.Size > maxNote {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d of a note", key, object.Size, maxNote)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxNote+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return data, nil
}

// CreateNote writes a small object that is not there; [cos.ErrExists] where it is.
func CreateNote(ctx context.Context, s Store, key string, data []byte) error {
	_, err := s.Put(
		ctx,
		key,
		bytes.NewReader(data),
		cos.PutOptions{IfAbsent: true, Size: int64(len(data)), ContentType: "application/json"},
	)
	return err
}

// WriteNote writes a small object, whether it is there or not.
func WriteNote(ctx context.Context, s Store, key string, data []byte) error {
	_, err := s.Put(
		ctx,
		key,
		bytes.NewReader(data),
		cos.PutOptions{Size: int64(len(data)), ContentType: "application/json"},
	)
	return err
}
