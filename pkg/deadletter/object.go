package deadletter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Objects keep records outside of their letters, in a bucket of COS.
type Objects interface {
	// Put keeps an object, and returns once it is durable, with the URL that Get
	// finds it by. After an accident it is called again with the same key, and then
	// with the same content.
	Put(ctx context.Context, key string, content []byte) (url string, err error)
	// Get gives the content of an object, [ErrNoObject] where there is none (any more).
	Get(ctx context.Context, url string) ([]byte, error)
}

// ErrNoObject says that the object with the record of a letter is not there.
var ErrNoObject = errors.New("the object with the record is gone")

// ErrElsewhere says that the record of a letter is in an object, and that nothing
// was given to get it from there.
var ErrElsewhere = errors.New("the record is in an object of COS")

// mostKeyShare is the part of a letter that the key of a record in an object may have;
// of a longer one there is the beginning.
const mostKeyShare = 4

// InObject puts the record of a letter into an object, and gives the letter that
// refers to it: it has the record's key, but neither its value nor its headers. most
// bounds the letter, as for [Letter.Records].
//
// The object is the record as a record batch (v2), uncompressed. Its key is
// TOPIC/PARTITION/OFFSET-SHA256.batch: that of a record that is handled again is the
// same, and one that has another content does not replace it.
func (l Letter) InObject(ctx context.Context, objects Objects, most int) (Letter, error) {
	content, err := batch.Build(batch.Options{}, []batch.Record{l.Record})
	if err != nil {
		return Letter{}, err
	}
	if l.Object, err = objects.Put(ctx, l.objectKey(content), content); err != nil {
		return Letter{}, err
	}
	if most > 0 && len(l.Record.Key) > most/mostKeyShare {
		l.Record.Key = l.Record.Key[:mostKey]
	}
	l.Record.Value, l.Record.Headers = nil, nil
	return l, nil
}

func (l Letter) objectKey(content []byte) string {
	return fmt.Sprintf("%s/%d/%020d-%s.batch", l.Topic, l.Partition, l.Record.Offset, digest(content))
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Whole gives a letter with its record, which is read from its object where it is in
// one. It is [ErrElsewhere] where objects is nil then, [ErrNoObject] where the object
// is gone, and [ErrNotWhole] where its content is not what was put there.
func (l Letter) Whole(ctx context.Context, objects Objects) (Letter, error) {
	if l.Object == "" {
		return l, nil
	}
	if objects == nil {
		return Letter{}, fmt.Errorf("%w: %s", ErrElsewhere, l.Object)
	}
	content, err := objects.Get(ctx, l.Object)
	if err != nil {
		return Letter{}, fmt.Errorf("record of %s/%d offset %d: %w", l.Topic, l.Partition, l.Record.Offset, err)
	}
	if !strings.HasSuffix(path.Base(l.Object), "-"+digest(content)+".batch") {
		err = errors.New("its content is not the one that its name says")
	} else {
		from := l.Record
		from.Value = content
		l.Record, err = unpack(from)
	}
	if err != nil {
		return Letter{}, fmt.Errorf("%w: record of %s/%d offset %d in %s: %w", ErrNotWhole, l.Topic, l.Partition, l.Record.Offset, l.Object, err)
	}
	l.Object = ""
	return l, nil
}

// whole gives a letter of the topic with its record.
func (t Topic) whole(ctx context.Context, f Found) (Found, error) {
	var err error
	if f.Letter, err = f.Letter.Whole(ctx, t.Objects); err != nil {
		return f, fmt.Errorf("letter at %s: %w", f.Position, err)
	}
	return f, nil
}
