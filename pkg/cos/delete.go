package cos

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// maxDelete is the most keys of one request (COS, "DELETE Multiple Objects").
const maxDelete = 1000

// Delete removes objects. One that does not exist is no error. What cannot be
// removed does not keep the others from it: every key that is left is named by
// an *Error of its own, joined.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	var failed []error
	for _, key := range keys { // why: nothing happens where one of them is no key
		if err := CheckKey(key); err != nil {
			failed = append(failed, b.failure("delete", key, nil, err))
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	// What XML cannot write would be another key.
	var together, alone []string
	for _, key := range keys {
		if writable(key) {
			together = append(together, key)
		} else {
			alone = append(alone, key)
		}
	}
	for chunk := range slices.Chunk(together, maxDelete) {
		if len(chunk) == 1 {
			alone = append(alone, chunk[0])
			continue
		}
		left, errs := b.deleteMany(ctx, chunk)
		alone, failed = append(alone, left...), append(failed, errs...)
	}
	for _, key := range alone {
		if err := b.deleteOne(ctx, key); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func writable(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0xfffd || r == 0xfffe || r == 0xffff })
}

func (b *Bucket) deleteOne(ctx context.Context, key string) error {
	_, err := b.call(ctx, "delete", key, func(ctx context.Context) (*sdk.Response, error) {
		return b.client.Object.Delete(ctx, key)
	})
	// why: a repeat finds nothing where the request before was heard
	if e := (*Error)(nil); errors.As(err, &e) && e.Code == "NoSuchKey" {
		return nil
	}
	return err
}

// deleteMany removes keys with one request. Left are those worth another try.
func (b *Bucket) deleteMany(ctx context.Context, keys []string) (left []string, failed []error) {
	request := &sdk.ObjectDeleteMultiOptions{Quiet: true}
	for _, key := range keys {
		request.Objects = append(request.Objects, sdk.Object{Key: key})
	}
	var result *sdk.ObjectDeleteMultiResult
	_, err := b.call(ctx, "delete", keys[0], func(ctx context.Context) (answer *sdk.Response, err error) {
		result, answer, err = b.client.Object.DeleteMulti(ctx, request)
		return answer, err
	})
	if err != nil {
		e := b.failure("delete", keys[0], nil, err)
		for _, key := range keys {
			one := *e
			one.Key = key
			failed = append(failed, &one)
		}
		return nil, failed
	}
	for _, refused := range result.Errors {
		e := &Error{Op: "delete", Bucket: b.config.Bucket, Key: refused.Key, Code: refused.Code, Message: refused.Message}
		e.Kind = kindOf(statusOf(refused.Code), refused.Code, refused.Message)
		switch {
		case refused.Code == "NoSuchKey":
		case e.again() && slices.Contains(keys, refused.Key):
			left = append(left, refused.Key)
		default:
			failed = append(failed, e)
		}
	}
	return left, failed
}

// statusOf is what the code of one key would have as an answer of its own.
func statusOf(code string) int {
	switch code {
	case "InternalError", "SlowDown", "ServiceUnavailable":
		return http.StatusServiceUnavailable
	case "AccessDenied":
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}
