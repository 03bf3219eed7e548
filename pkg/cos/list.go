package cos

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// pageSize is the most keys that one answer has (COS, "GET Bucket").
const pageSize = 1000

// ListOptions say which objects are listed. The zero value lists all.
type ListOptions struct {
	// Prefix is what the keys begin with.
	Prefix string
	// Delimiter makes one Object, with Prefix set, of all keys that are the same
	// from Prefix up to the next delimiter, as "/" does of a folder.
	Delimiter string
	// After is where the listing begins: behind this key.
	After string
}

// List gives the objects in the order of their keys, by bytes. It asks for the
// next page of 1000 when the one before is used up, so a listing that is left
// early costs no more than its pages. An error is the last pair.
func (b *Bucket) List(ctx context.Context, o ListOptions) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for after, more := o.After, true; more; {
			var page []Object
			var err error
			page, after, more, err = b.page(ctx, o, after)
			if err != nil {
				yield(Object{}, err)
				return
			}
			for _, object := range page {
				if !yield(object, nil) {
					return
				}
			}
		}
	}
}

// page gets one page behind after, and where the next begins.
func (b *Bucket) page(
	ctx context.Context, o ListOptions, after string,
) (page []Object, next string, more bool, err error) {
	options := &sdk.BucketGetOptions{
		Prefix: o.Prefix, Delimiter: o.Delimiter, Marker: after, MaxKeys: pageSize,
		EncodingType: "url", // why: a key may have characters that XML has not
	}
	_, err = b.call(ctx, "list", o.Prefix, func(ctx context.Context) (*sdk.Response, error) {
		result, answer, err := b.client.Bucket.Get(ctx, options)
		if err != nil {
			return answer, err
		}
		if result.XMLName.Local == "" {
			return answer, fmt.Errorf("%w: it is empty", ErrAnswer)
		}
		page, err = entries(result, o, after)
		if err != nil {
			return answer, err
		}
		if more = result.IsTruncated; !more {
			return answer, nil
		}
		if next, err = sdk.DecodeURIComponent(result.NextMarker); err != nil || next <= after {
			return answer, fmt.Errorf("%w: the page behind %.100q is followed by one behind %.100q", ErrAnswer, after, next)
		}
		return answer, nil
	})
	return page, next, more, err
}

// entries merges the objects and the common prefixes of a page, and checks that
// each was asked for, once and in order.
func entries(result *sdk.BucketGetResult, o ListOptions, after string) ([]Object, error) {
	page := make([]Object, 0, len(result.Contents)+len(result.CommonPrefixes))
	prefixes := result.CommonPrefixes
	takePrefix := func() error {
		prefix, err := decode(prefixes[0])
		page, prefixes = append(page, Object{Key: prefix, Prefix: true}), prefixes[1:]
		return err
	}
	for _, c := range result.Contents {
		key, err := decode(c.Key)
		if err != nil {
			return nil, err
		}
		for len(prefixes) > 0 {
			if prefix, err := decode(prefixes[0]); err == nil && prefix > key {
				break
			}
			if err := takePrefix(); err != nil {
				return nil, err
			}
		}
		entry := Object{Key: key, ETag: unquote(c.ETag), Size: c.Size}
		if entry.Modified, err = time.Parse(time.RFC3339, c.LastModified); err != nil || c.Size < 0 {
			return nil, fmt.Errorf("%w: size or time of %.100q", ErrAnswer, key)
		}
		page = append(page, entry)
	}
	for len(prefixes) > 0 {
		if err := takePrefix(); err != nil {
			return nil, err
		}
	}
	for _, entry := range page {
		if entry.Key <= after || !strings.HasPrefix(entry.Key, o.Prefix) {
			return nil, fmt.Errorf(
				"%w: %.100q is no key of prefix %.100q behind %.100q", ErrAnswer, entry.Key, o.Prefix, after)
		}
		after = entry.Key
	}
	return page, nil
}

func decode(text string) (string, error) {
	key, err := sdk.DecodeURIComponent(text)
	if err != nil {
		return "", fmt.Errorf("%w: key %.100q is not escaped as it should be", ErrAnswer, text)
	}
	return key, nil
}
