package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Bucket is a store in a bucket of COS, which must never have had versions: without
// them it knows how to create an object only where none is. A run looks at that.
func Bucket(b *cos.Bucket) Store { return bucket{b} }

type bucket struct{ *cos.Bucket }

// Versions says that the bucket keeps versions, or has kept them.
func (b bucket) Versions(ctx context.Context) (bool, error) { return b.Bucket.Versions(ctx) }

// translated gives an error of the bucket the meaning that it has for a store.
func translated(err error) error {
	switch {
	case errors.Is(err, cos.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, cos.ErrExists):
		return fmt.Errorf("%w: %w", ErrExists, err)
	}
	return err
}

// Create writes an object that is not there.
func (b bucket) Create(ctx context.Context, key string, data []byte, note map[string]string) error {
	_, err := b.PutBytes(ctx, key, data, cos.PutOptions{
		IfAbsent: true, Metadata: note,
		// why: a segment, which is looked at before it is taken where it is there already
		WithoutMD5: len(note) > 0,
	})
	return translated(err)
}

// Write writes an object.
func (b bucket) Write(ctx context.Context, key string, data []byte) error {
	_, err := b.PutBytes(ctx, key, data, cos.PutOptions{})
	return translated(err)
}

// Open reads an object. Who reads has a digest of its own, so the service's checksum is not
// compared, too.
func (b bucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	body, _, err := b.GetUnchecked(ctx, key)
	if err != nil {
		return nil, translated(err)
	}
	return body, nil
}

// Stat gives an object's size and note.
func (b bucket) Stat(ctx context.Context, key string) (Object, error) {
	o, err := b.Head(ctx, key)
	return Object{Key: o.Key, Size: o.Size, Modified: o.Modified, Note: o.Metadata}, translated(err)
}

// List gives objects in order of their keys.
func (b bucket) List(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range b.Bucket.List(ctx, cos.ListOptions{Prefix: prefix, After: after}) {
			if !yield(Object{Key: o.Key, Size: o.Size, Modified: o.Modified}, translated(err)) {
				return
			}
		}
	}
}
