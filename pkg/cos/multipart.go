package cos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// An upload id stands in URLs as it is.
var uploadID = regexp.MustCompile(`^[A-Za-z0-9_.~-]+$`)

const maxUploadID = 1024

// giveUpWithin bounds the request that removes the parts of an upload that
// failed. What it leaves, the bucket's rule for unfinished uploads removes.
const giveUpWithin = 15 * time.Second

// upload is a multipart upload.
type upload struct {
	b       *Bucket
	op, key string
	id      string

	mu    sync.Mutex
	parts map[int]part
}

type part struct {
	etag string
	crc  uint64
	size int64
}

// inParts puts first and the rest of the body.
func (p *put) inParts(ctx context.Context, first []byte) (Object, error) {
	// The end of the body may be right behind the first part.
	second := p.buffer()
	n, err := io.ReadFull(p.body, second)
	if n == 0 && ended(err) {
		p.free(second)
		return p.whole(ctx, first)
	} else if err != nil && !ended(err) {
		p.free(second)
		return Object{}, p.bodyError(err)
	}
	u, err := p.b.initiate(ctx, "put", p.key, p.headers(true))
	if err != nil {
		p.free(second)
		return Object{}, err
	}
	if err := p.sendAll(ctx, u, first, second, n); err != nil {
		u.giveUp(ctx)
		return Object{}, err
	}
	total, crc, err := u.sums()
	if err != nil {
		u.giveUp(ctx)
		return Object{}, err
	}
	o, err := p.complete(ctx, u, p.object(total, crc))
	if err != nil {
		u.giveUp(ctx)
	}
	return o, err
}

// sendAll sends first, then n bytes of second, then the rest of the body, in
// as many buffers as parts may be under way.
func (p *put) sendAll(ctx context.Context, u *upload, first, second []byte, n int) error {
	sending, ctx := errgroup.WithContext(ctx)
	sending.SetLimit(p.b.config.Concurrency)
	sending.Go(func() error { return u.send(ctx, 1, first) }) // freed by Put
	for number := 2; ; number++ {
		buffer, data := second, second[:n]
		if n > 0 {
			// why: Go waits where all are busy, so the next buffer is not taken before
			// one is free
			sending.Go(func() error {
				defer p.free(buffer)
				return u.send(ctx, number, data)
			})
		} else {
			p.free(buffer)
		}
		if n < len(buffer) || ctx.Err() != nil {
			return sending.Wait()
		}
		second = p.buffer()
		var err error
		n, err = io.ReadFull(p.body, second)
		switch {
		case err != nil && !ended(err):
			err = p.bodyError(err)
		case n > 0 && number == MaxParts:
			err = p.b.failure("put", p.key, nil, invalid("the content has more than %d parts of %d bytes: say its Size",
				MaxParts, p.partSize))
		default:
			err = nil
		}
		if err != nil {
			p.free(second)
			sending.Go(func() error { return err }) // ends the others
			return sending.Wait()
		}
	}
}

// complete makes the object of the parts.
func (p *put) complete(ctx context.Context, u *upload, o Object) (Object, error) {
	headers := http.Header{}
	if p.options.IfAbsent {
		headers.Set("X-Cos-Forbid-Overwrite", "true")
	}
	made, err := u.complete(ctx, headers, &o)
	// After a repeat the upload may be gone, or the object there, because the
	// request before was heard.
	if made > 1 && isOneOf(err, ErrExists, ErrNotFound) {
		return p.ours(ctx, o, err)
	}
	if errors.Is(err, ErrCorrupt) {
		err = p.undo(ctx, err)
	}
	if err != nil {
		return Object{}, err
	}
	return o, nil
}

// initiate begins an upload.
func (b *Bucket) initiate(ctx context.Context, op, key string, headers http.Header) (*upload, error) {
	u := &upload{b: b, op: op, key: key, parts: map[int]part{}}
	_, err := b.call(ctx, op, key, func(ctx context.Context) (*sdk.Response, error) {
		result, answer, err := b.client.Object.InitiateMultipartUpload(with(ctx, headers), key, nil)
		if err != nil {
			return answer, err
		}
		if !uploadID.MatchString(result.UploadID) || len(result.UploadID) > maxUploadID {
			return answer, fmt.Errorf("%w: upload id %.40q", ErrAnswer, result.UploadID)
		}
		u.id = result.UploadID
		return answer, nil
	})
	return u, err
}

// send uploads one part, from its buffer as often as it takes.
func (u *upload) send(ctx context.Context, number int, data []byte) error {
	sum := CRC64(0, data)
	_, err := u.b.call(ctx, u.op, u.key, func(ctx context.Context) (*sdk.Response, error) {
		answer, err := u.b.client.Object.UploadPart(withBody(ctx, data), u.key, u.id, number, bytes.NewReader(data), nil)
		if err != nil {
			return answer, err
		}
		u.add(number, part{answer.Header.Get("Etag"), sum, int64(len(data))})
		return answer, sameCRC(answer, sum)
	})
	if err != nil {
		return fmt.Errorf("part %d: %w", number, err)
	}
	return nil
}

func (u *upload) add(number int, p part) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts[number] = p
}

// sums are the length and the checksum of all parts.
func (u *upload) sums() (size int64, crc uint64, err error) {
	for number := 1; number <= len(u.parts); number++ {
		p, ok := u.parts[number]
		if !ok || p.etag == "" {
			return 0, 0, u.b.failure(u.op, u.key, nil, fmt.Errorf("%w: part %d has no ETag", ErrAnswer, number))
		}
		size, crc = size+p.size, CombineCRC64(crc, p.crc, p.size)
	}
	return size, crc, nil
}

// complete asks for the object and compares its checksum. It counts the
// requests made.
func (u *upload) complete(ctx context.Context, headers http.Header, o *Object) (int, error) {
	list := &sdk.CompleteMultipartUploadOptions{}
	for number := 1; number <= len(u.parts); number++ {
		list.Parts = append(list.Parts, sdk.Object{PartNumber: number, ETag: u.parts[number].etag})
	}
	missing := false
	made, err := u.b.call(ctx, u.op, u.key, func(ctx context.Context) (*sdk.Response, error) {
		result, answer, err := u.b.client.Object.CompleteMultipartUpload(with(ctx, headers), u.key, u.id, list)
		if err != nil {
			return answer, err
		}
		o.ETag = unquote(result.ETag)
		if missing = answer.Header.Get(crcHeader) == ""; missing {
			return answer, nil
		}
		if err := sameCRC(answer, o.CRC64); err != nil {
			return answer, fmt.Errorf("%w: the whole is not the sum of its parts", ErrCorrupt)
		}
		return answer, nil
	})
	if err == nil && missing { // the answer began before the whole was known
		there, err := u.b.head(ctx, u.op, u.key)
		if err != nil {
			return made, err
		}
		if there.ETag == o.ETag && (there.Size != o.Size || there.CRC64 != o.CRC64) {
			return made, u.b.failure(u.op, u.key, nil, ErrCorrupt)
		}
	}
	return made, err
}

// giveUp removes the parts, also where ctx has ended.
func (u *upload) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpWithin)
	defer cancel()
	// why unread: the error that led here is the one to tell
	_, _ = u.b.call(ctx, u.op, u.key, func(ctx context.Context) (*sdk.Response, error) {
		return u.b.client.Object.AbortMultipartUpload(ctx, u.key, u.id)
	})
}
