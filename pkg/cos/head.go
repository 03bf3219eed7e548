package cos

import (
	"context"
	"errors"
	"net/http"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// Head asks for an object without its content. The error is ErrNotFound where
// there is none, and ErrNoBucket where there is no bucket either.
func (b *Bucket) Head(ctx context.Context, key string) (Object, error) {
	return b.head(ctx, "head", key)
}

func (b *Bucket) head(ctx context.Context, op, key string) (o Object, err error) {
	if err := CheckKey(key); err != nil {
		return Object{}, b.failure(op, key, nil, err)
	}
	_, err = b.call(ctx, op, key, func(ctx context.Context) (answer *sdk.Response, err error) {
		if answer, err = b.client.Object.Head(ctx, key, nil); err != nil {
			return answer, err
		}
		if o, err = object(key, answer.Response); err == nil && o.Size < 0 {
			err = ErrAnswer
		}
		return answer, err
	})
	if err != nil {
		return Object{}, b.whichIsMissing(ctx, err)
	}
	return o, nil
}

// whichIsMissing asks for the bucket, because the answer to a HEAD has no code
// and says no more than 404.
func (b *Bucket) whichIsMissing(ctx context.Context, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Status != http.StatusNotFound || e.Code != "" {
		return err
	}
	_, missing := b.call(ctx, e.Op, "", b.headBucket)
	if errors.Is(missing, ErrNotFound) {
		e.Kind = ErrNoBucket
	}
	return e
}

// Exists tells whether the bucket is there and may be asked. The error is
// ErrNoBucket or ErrAccess.
func (b *Bucket) Exists(ctx context.Context) error {
	_, err := b.call(ctx, "head", "", b.headBucket)
	if e := (*Error)(nil); errors.As(err, &e) && e.Kind == ErrNotFound {
		e.Kind = ErrNoBucket
	}
	return err
}

func (b *Bucket) headBucket(ctx context.Context) (*sdk.Response, error) {
	return b.client.Bucket.Head(ctx)
}
