package cos

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// PutOptions say how an object is created. The zero value replaces what is
// there.
type PutOptions struct {
	// IfAbsent creates the object only where none is: one of two writers wins,
	// the other gets ErrExists. A writer whose answer was lost knows its own object
	// by an id in the metadata, so it does not take itself for another. It needs a
	// bucket that never had versions (COS, "PUT Object", x-cos-forbid-overwrite).
	IfAbsent bool
	// Metadata is user metadata, at most 2 KB: names of small letters, digits and
	// '-', values of printable ASCII.
	Metadata map[string]string
	// ContentType is the media type, application/octet-stream by default.
	ContentType string
	// Size is how long the body is, where that is known. A body that is not as
	// long is no error; without a size no more than MaxParts parts of PartSize can
	// be put, and with a larger one the parts are as large as it takes.
	Size int64
	// WithoutMD5 leaves out the digest by which the service refuses wrong content before
	// it is to be seen, which takes more time than all the rest. The checksum is compared
	// afterwards as always, and what is wrong is removed again; but a writer that is
	// killed in between leaves it. It is for objects that are checked before they are
	// used, and concerns bodies that are sent at once.
	WithoutMD5 bool
}

// Put creates an object from all of body. Nothing is to be seen of it before it
// is whole: on an error there is no object, or still the one before.
//
// A body of at most PartSize is sent at once, a longer one in parts, each
// repeated from its buffer; the upload is given up on an error. Checksums are
// compared of every part and of the whole. The errors are ErrExists,
// ErrNoBucket, ErrAccess, ErrExpired, ErrCorrupt, ErrUnavailable, ErrInvalid,
// and what reading body gave.
func (b *Bucket) Put(ctx context.Context, key string, body io.Reader, o PutOptions) (Object, error) {
	if err := errors.Join(CheckKey(key), checkMetadata(o.Metadata)); err != nil {
		return Object{}, b.failure("put", key, nil, err)
	}
	if sized, ok := body.(interface{ Len() int }); ok && o.Size == 0 {
		o.Size = int64(sized.Len())
	}
	p := &put{b: b, key: key, options: o, body: body, partSize: b.config.PartSize}
	for p.partSize*MaxParts < o.Size {
		p.partSize *= 2
	}
	p.write = b.config.WriteID()
	first, more, err := p.first()
	defer p.free(first)
	if err != nil {
		return Object{}, p.bodyError(err)
	}
	if more {
		return p.inParts(ctx, first)
	}
	return p.whole(ctx, first)
}

// PutBytes is Put of a body in memory, which is not copied where it is no longer than
// PartSize. Nobody may change it before the call returns; then nobody reads it any more.
func (b *Bucket) PutBytes(ctx context.Context, key string, body []byte, o PutOptions) (Object, error) {
	if int64(len(body)) > b.config.PartSize {
		o.Size = int64(len(body))
		return b.Put(ctx, key, bytes.NewReader(body), o)
	}
	if err := errors.Join(CheckKey(key), checkMetadata(o.Metadata)); err != nil {
		return Object{}, b.failure("put", key, nil, err)
	}
	p := &put{b: b, key: key, options: o, write: b.config.WriteID()}
	return p.whole(ctx, body)
}

// put is one call of Put.
type put struct {
	b        *Bucket
	key      string
	options  PutOptions
	body     io.Reader
	partSize int64
	write    string
}

func (p *put) bodyError(err error) error {
	return fmt.Errorf("cos put %s/%s: read the content: %w", p.b.config.Bucket, p.key, err)
}

// first reads the begin of the body: all of it, or one part and there may be
// more.
func (p *put) first() (buffer []byte, more bool, err error) {
	if size := p.options.Size; size > 0 && size < p.partSize/2 {
		// why one more: the byte that the size does not know of, or the end
		buffer = make([]byte, size+1)
		n, err := io.ReadFull(p.body, buffer)
		if ended(err) {
			return buffer[:n], false, nil
		} else if err != nil {
			return nil, false, err
		}
		p.body = io.MultiReader(bytes.NewReader(buffer), p.body)
	}
	buffer = p.buffer()
	n, err := io.ReadFull(p.body, buffer)
	if ended(err) {
		return buffer[:n], false, nil
	}
	return buffer, true, err
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func (p *put) buffer() []byte {
	if p.partSize == p.b.config.PartSize {
		return *p.b.buffers.Get().(*[]byte)
	}
	return make([]byte, p.partSize)
}

func (p *put) free(buffer []byte) {
	if buffer = buffer[:cap(buffer)]; int64(len(buffer)) == p.b.config.PartSize {
		p.b.buffers.Put(&buffer)
	}
}

// headers are those of creating an object. The id of the writer is left out
// where nothing would ask for it.
func (p *put) headers(withID bool) http.Header {
	h := http.Header{"Content-Type": {"application/octet-stream"}}
	if p.options.ContentType != "" {
		h.Set("Content-Type", p.options.ContentType)
	}
	for name, value := range p.options.Metadata {
		h.Set(metaPrefix+name, value)
	}
	if withID {
		h.Set(metaPrefix+writeID, p.write)
	}
	return h
}

// whole puts data with one request.
func (p *put) whole(ctx context.Context, data []byte) (Object, error) {
	headers := p.headers(p.options.IfAbsent || p.options.WithoutMD5)
	if p.options.IfAbsent {
		headers.Set("X-Cos-Forbid-Overwrite", "true")
	}
	if !p.options.WithoutMD5 {
		// why beside the CRC: by this the service refuses wrong content before it
		// replaces the object
		sum := md5.Sum(data)
		headers.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	o := p.object(int64(len(data)), CRC64(0, data))
	made, err := p.b.call(ctx, "put", p.key, func(ctx context.Context) (*sdk.Response, error) {
		answer, err := p.b.client.Object.Put(withBody(with(ctx, headers), data), p.key, bytes.NewReader(data), nil)
		if err == nil {
			o.ETag = unquote(answer.Header.Get("Etag"))
			err = sameCRC(answer, o.CRC64)
		}
		return answer, err
	})
	if errors.Is(err, ErrExists) && made > 1 {
		o, err = p.ours(ctx, o, err)
	}
	if p.options.WithoutMD5 && errors.Is(err, ErrCorrupt) {
		err = p.undo(ctx, err)
	}
	if err != nil {
		return Object{}, err
	}
	return o, nil
}

// undo removes an object that is to be seen and is not what was sent, if it is ours.
func (p *put) undo(ctx context.Context, corrupt error) error {
	if there, gone := p.b.head(ctx, "put", p.key); gone == nil && there.write == p.write {
		return errors.Join(corrupt, p.b.Delete(ctx, p.key))
	}
	return corrupt
}

func (p *put) object(size int64, crc uint64) Object {
	return Object{
		Key: p.key, Size: size, CRC64: crc, HasCRC64: true, ContentType: p.headers(false).Get("Content-Type"),
		Metadata: maps.Clone(p.options.Metadata), write: p.write,
	}
}

// ours finds out whether the object that is there is the one that this call
// wrote, with a request whose answer was lost. Otherwise failed it is.
func (p *put) ours(ctx context.Context, want Object, failed error) (Object, error) {
	there, err := p.b.head(ctx, "put", p.key)
	if errors.Is(err, ErrNotFound) || err == nil && there.write != p.write {
		return Object{}, failed
	} else if err != nil {
		return Object{}, err
	}
	if there.Size != want.Size || there.HasCRC64 && there.CRC64 != want.CRC64 {
		return Object{}, p.b.failure("put", p.key, nil, ErrCorrupt)
	}
	want.ETag, want.Modified = there.ETag, there.Modified
	return want, nil
}

// sameCRC compares the service's checksum with ours. Another may be wrong for
// once, so it is worth a repeat.
func sameCRC(answer *sdk.Response, want uint64) error {
	text := answer.Header.Get(crcHeader)
	if got, err := strconv.ParseUint(text, 10, 64); err != nil || got != want {
		return &passingError{fmt.Errorf("%w: the service has %.40q, sent was %d", ErrCorrupt, text, want)}
	}
	return nil
}
