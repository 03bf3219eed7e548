package cos

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// maxPresign keeps a mistake of units from making a URL that works for ever.
const maxPresign = 7 * 24 * time.Hour

// Presign makes a URL by which anybody may GET, HEAD, PUT or DELETE one object
// for ttl, or until temporary credentials expire, without credentials of their
// own. It sends nothing. With an Endpoint on this machine the URL names
// BUCKET.localhost, with another BUCKET.ENDPOINT. ErrInvalid for another method,
// or a ttl that is not between 1 s and 7 days.
func (b *Bucket) Presign(ctx context.Context, method, key string, ttl time.Duration) (string, error) {
	err := CheckKey(key)
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete}
	switch {
	case err != nil:
	case !slices.Contains(methods, method):
		err = invalid("method %q: want one of %v", method, methods)
	case ttl < time.Second || ttl > maxPresign:
		err = invalid("a presigned URL for %s: want 1s to %s", ttl, maxPresign)
	}
	if err != nil {
		return "", b.failure("presign", key, nil, err)
	}
	current, err := b.credentials.current(ctx)
	if err != nil {
		return "", b.failure("presign", key, nil, err)
	}
	now := b.config.Now()
	options := &sdk.PresignedURLOptions{AuthTime: &sdk.AuthTime{
		SignStartTime: now, SignEndTime: now.Add(ttl), KeyStartTime: now, KeyEndTime: now.Add(ttl),
	}}
	if !current.SessionToken.Empty() {
		options.Query = &url.Values{"x-cos-security-token": {current.SessionToken.Reveal()}}
	}
	signed, err := b.public().Object.GetPresignedURL(
		ctx, method, key, current.SecretID, current.SecretKey.Reveal(), ttl, options)
	if err != nil {
		return "", b.failure("presign", key, nil, err)
	}
	return signed.String(), nil
}

// public is a client whose host name others can dial.
func (b *Bucket) public() *sdk.Client {
	if b.config.Endpoint == "" {
		return b.client
	}
	endpoint, err := url.Parse(b.config.Endpoint)
	if err != nil { // Open has parsed it
		return b.client
	}
	host := endpoint.Hostname()
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	host = b.config.Bucket + "." + host
	if port := endpoint.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	at := &url.URL{Scheme: endpoint.Scheme, Host: host}
	return sdk.NewClient(&sdk.BaseURL{BucketURL: at, ServiceURL: at}, nil)
}
