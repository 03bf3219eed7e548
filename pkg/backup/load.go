package backup

import (
	"context"
	"errors"
	"fmt"

	"filippo.io/age"
)

// loader reads segments. Its memory is used again from one to the next.
type loader struct {
	chain      *Chain
	identities []age.Identity
	object     []byte
	log        []byte
}

// load gives a segment's log, its digests checked. It is valid until the next call. What
// is not as it was written is a [DamageError]; one that cannot be decrypted is [ErrKey].
func (l *loader) load(ctx context.Context, at place, s Segment) ([]byte, error) {
	key := l.chain.layout.segment(at, s)
	damage := func(reason string) error {
		return &DamageError{Key: key, Topic: at.topic, Number: at.number, Offset: s.First, Reason: reason}
	}
	l.object = l.object[:0] // nothing, where it cannot be read
	object, err := read(ctx, l.chain.store, key, l.object, s.Object.Bytes)
	var long *DamageError
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, damage(missing)
	case errors.As(err, &long):
		return nil, damage(long.Reason)
	case errors.Is(err, ErrDamaged):
		return nil, damage(err.Error())
	case err != nil:
		return nil, err
	}
	l.object = object
	if reason := differs("the object", s.Object, object); reason != "" {
		return nil, damage(reason)
	}
	if s.Encoding == Plain {
		if s.Log != s.Object {
			return nil, damage("the manifest has two digests of the same bytes")
		}
		return object, nil
	}
	log, err := s.Encoding.decode(object, s.Log.Bytes, l.identities, l.log)
	if errors.Is(err, ErrKey) {
		return nil, fmt.Errorf("%s/%d from offset %d on (%s): %w", at.topic, at.number, s.First, key, err)
	}
	if err != nil {
		return nil, damage(err.Error())
	}
	l.log = log
	if reason := differs("the log", s.Log, log); reason != "" {
		return nil, damage(reason)
	}
	return log, nil
}

// differs says how bytes are not those of a sum; "" where they are.
func differs(what string, want Sum, data []byte) string {
	if int64(len(data)) != want.Bytes {
		return fmt.Sprintf("%s has %d bytes, and should have %d", what, len(data), want.Bytes)
	}
	if got := sumOf(data); got != want {
		return fmt.Sprintf("%s has the digest %s, and should have %s", what, got.SHA256, want.SHA256)
	}
	return ""
}
