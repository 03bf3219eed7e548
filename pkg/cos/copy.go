package cos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// copyPart is the size of a part of a copy: few requests, and each answered
// within a minute.
const copyPart = 512 << 20

// Copy copies an object within the bucket, with its metadata, replacing what is
// there; the content does not come here. The copy is of one version, and its
// checksum is the original's; ErrChanged where the original was replaced
// meanwhile, ErrNotFound where there is none.
func (b *Bucket) Copy(ctx context.Context, from, to string) (Object, error) {
	if err := errors.Join(CheckKey(from), CheckKey(to)); err != nil {
		return Object{}, b.failure("copy", from, nil, err)
	}
	source, err := b.head(ctx, "copy", from)
	if err != nil {
		return Object{}, err
	}
	headers := http.Header{
		// why not by the SDK: it takes a '?' of the key for the begin of a version
		"X-Cos-Copy-Source":          {b.client.BaseURL.BucketURL.Host + "/" + escape(from)},
		"X-Cos-Copy-Source-If-Match": {`"` + source.ETag + `"`},
	}
	copied := source
	copied.Key = to
	if source.Size > b.config.CopyLimit {
		return b.copyParts(ctx, source, copied, headers)
	}
	_, err = b.call(ctx, "copy", from, func(ctx context.Context) (*sdk.Response, error) {
		result, answer, err := b.client.Object.Copy(with(ctx, headers), to, "source/of-headers", nil)
		if err != nil {
			return answer, err
		}
		copied.ETag = unquote(result.ETag)
		if result.CRC64 != "" && source.HasCRC64 && result.CRC64 != strconv.FormatUint(source.CRC64, 10) {
			return answer, &passingError{fmt.Errorf("%w: copy and original differ", ErrCorrupt)}
		}
		return answer, nil
	})
	if err != nil {
		return Object{}, err
	}
	return copied, nil
}

// copyParts copies what is too large for one request.
func (b *Bucket) copyParts(ctx context.Context, source, copied Object, headers http.Header) (Object, error) {
	creation := http.Header{"Content-Type": {source.ContentType}}
	for name, value := range source.Metadata {
		creation.Set(metaPrefix+name, value)
	}
	u, err := b.initiate(ctx, "copy", copied.Key, creation)
	if err != nil {
		return Object{}, err
	}
	size := min(b.config.CopyLimit, copyPart)
	for size*MaxParts < source.Size {
		size *= 2
	}
	for number, at := 1, int64(0); at < source.Size && err == nil; number, at = number+1, at+size {
		last := min(at+size, source.Size) - 1
		h := headers.Clone()
		h.Set("X-Cos-Copy-Source-Range", fmt.Sprintf("bytes=%d-%d", at, last))
		_, err = b.call(ctx, "copy", source.Key, func(ctx context.Context) (*sdk.Response, error) {
			result, answer, err := b.client.Object.CopyPart(with(ctx, h), u.key, u.id, number, "source/of-headers", nil)
			if err != nil {
				return answer, err
			}
			u.add(number, part{etag: result.ETag, size: last + 1 - at})
			return answer, nil
		})
	}
	if err == nil {
		_, err = u.complete(ctx, http.Header{}, &copied)
	}
	if err != nil {
		u.giveUp(ctx)
		return Object{}, err
	}
	return copied, nil
}
