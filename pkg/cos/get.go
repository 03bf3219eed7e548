package cos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// Get reads an object. The reader gives all of it and then io.EOF, or an error:
// ErrCorrupt in place of io.EOF where the checksum of what was read is not the
// object's. A connection that is cut is replaced by another that goes on at the
// same byte of the same version; ErrChanged where that is no longer there.
// Close it.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	return b.open(ctx, key, 0, -1)
}

// GetUnchecked is Get for who has a digest of the object: its checksum is not compared.
func (b *Bucket) GetUnchecked(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	body, o, err := b.open(ctx, key, 0, -1)
	if r, ok := body.(*reader); ok {
		r.checked = false
	}
	return body, o, err
}

// GetRange reads length bytes from offset on, or all of the rest where length
// is negative or more than there is. ErrRange where offset is not in the
// object. The service has no checksum of a range: it is checked only where it
// is all of the object. Otherwise it is as Get.
func (b *Bucket) GetRange(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Object, error) {
	if offset < 0 {
		return nil, Object{}, b.failure("get", key, nil, invalid("offset %d: want 0 or more", offset))
	}
	if length == 0 {
		o, err := b.head(ctx, "get", key)
		return http.NoBody, o, err
	}
	return b.open(ctx, key, offset, length)
}

func (b *Bucket) open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Object, error) {
	if err := CheckKey(key); err != nil {
		return nil, Object{}, b.failure("get", key, nil, err)
	}
	r := &reader{b: b, key: key, next: offset, end: -1, ranged: offset > 0 || length >= 0}
	if length >= 0 {
		r.end = offset + length
		if r.end < 0 {
			r.end = -1
		}
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	if err := r.connect(); err != nil {
		r.cancel()
		return nil, Object{}, err
	}
	r.checked = r.object.HasCRC64 && r.next == 0 && r.end == r.object.Size
	return r, r.object, nil
}

// reader reads one version of an object over as many connections as it takes.
type reader struct {
	b      *Bucket
	ctx    context.Context
	cancel context.CancelFunc
	key    string
	object Object

	ranged    bool
	next, end int64 // of the bytes to read; end is -1 until it is known
	body      io.ReadCloser
	idle      int // connections since the last byte
	checked   bool
	crc       uint64
	err       error // the last, for good
}

// connect opens a connection that goes on at next.
func (r *reader) connect() error {
	headers := http.Header{}
	if r.ranged || r.next > 0 {
		to := ""
		if r.end >= 0 {
			to = strconv.FormatInt(r.end-1, 10)
		}
		headers.Set("Range", fmt.Sprintf("bytes=%d-%s", r.next, to))
	}
	again := r.object.ETag != ""
	if again {
		headers.Set("If-Match", `"`+r.object.ETag+`"`)
	}
	_, err := r.b.call(r.ctx, "get", r.key, func(ctx context.Context) (*sdk.Response, error) {
		answer, err := r.b.client.Object.Get(with(ctx, headers), r.key, nil)
		if err != nil {
			return answer, err
		}
		if err := r.accept(answer.Response, again); err != nil {
			_ = answer.Body.Close()
			return answer, err
		}
		r.body = answer.Body
		return answer, nil
	})
	return err
}

// accept takes the headers of an answer: of the same version, and of the bytes
// that were asked for.
func (r *reader) accept(answer *http.Response, again bool) error {
	o, err := object(r.key, answer)
	if err != nil {
		return err
	}
	from, to := int64(0), o.Size
	if answer.StatusCode == http.StatusPartialContent {
		if from, to, o.Size, err = contentRange(answer.Header.Get("Content-Range")); err != nil {
			return err
		}
	}
	want := o.Size
	if r.end >= 0 {
		want = min(r.end, o.Size)
	}
	switch {
	case o.Size < 0:
		return fmt.Errorf("%w: it has no length", ErrAnswer)
	case again && (o.ETag != r.object.ETag || o.Size != r.object.Size):
		return ErrChanged
	case from != r.next || to != want || answer.ContentLength >= 0 && answer.ContentLength != to-from:
		return fmt.Errorf(
			"%w: bytes %d to %d were asked for, %d to %d of %d came", ErrAnswer, r.next, want, from, to, o.Size)
	}
	if !again {
		r.object, r.end = o, want
	}
	return nil
}

// contentRange takes "bytes FIRST-LAST/SIZE" apart; to is the first byte behind.
func contentRange(text string) (from, to, size int64, err error) {
	span, total, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	first, last, ok2 := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	size, err3 := strconv.ParseInt(total, 10, 64)
	if !ok || !ok2 || errors.Join(err1, err2, err3) != nil || from < 0 || to < from || size <= to {
		return 0, 0, 0, fmt.Errorf("%w: Content-Range %.60q", ErrAnswer, text)
	}
	return from, to + 1, size, nil
}

// Read gives the next bytes.
func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	for {
		if left := r.end - r.next; left == 0 {
			r.err = r.finish()
			return 0, r.err
		} else if int64(len(p)) > left {
			p = p[:left] // why: what is behind is none of it
		}
		n, err := r.body.Read(p)
		if n > 0 {
			r.next += int64(n)
			r.idle = 0
			if r.checked {
				r.crc = CRC64(r.crc, p[:n])
			}
			return n, nil // an error comes again
		}
		if err == nil {
			continue
		}
		if r.err = r.reconnect(err); r.err != nil {
			return 0, r.err
		}
	}
}

// finish compares the checksum.
func (r *reader) finish() error {
	if r.checked && r.crc != r.object.CRC64 {
		return r.b.failure("get", r.key, nil, fmt.Errorf(
			"%w: it has %d, what was read %d", ErrCorrupt, r.object.CRC64, r.crc))
	}
	return io.EOF
}

// reconnect goes on after a connection was cut.
func (r *reader) reconnect(cut error) error {
	_ = r.body.Close()
	failed := r.b.failure("get", r.key, nil, fmt.Errorf("cut at byte %d of %d: %w", r.next, r.end, cut))
	if r.ctx.Err() != nil {
		failed.Cause = context.Cause(r.ctx)
		return failed
	}
	if r.idle++; r.idle > r.b.config.Retries || r.object.ETag == "" {
		return failed
	}
	if r.idle > 1 { // why: the first goes at once, a cut of a long download is no sign of a busy service
		if err := r.b.pauses().wait(r.ctx); err != nil {
			failed.Cause = err
			return failed
		}
	}
	return r.connect()
}

// Close ends the connection. It is safe to call twice.
func (r *reader) Close() error {
	if r.err == nil {
		r.err = errors.New("cos: read of a closed object")
	}
	r.cancel()
	return r.body.Close()
}
