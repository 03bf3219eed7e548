package cos

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

const (
	// maxAnswer bounds what an answer other than an object may be: a page of 1000
	// keys of 850 bytes, each byte escaped, is under 5 MB.
	maxAnswer = 16 << 20
	maxError  = 64 << 10
	signedFor = time.Hour
)

// transport signs requests and keeps answers within bounds.
type transport struct {
	base        http.RoundTripper
	credentials *credentials
	now         func() time.Time
}

type headersKey struct{}

// with gives a request headers that the SDK has no field for, or gets wrong.
func with(ctx context.Context, headers http.Header) context.Context {
	return context.WithValue(ctx, headersKey{}, headers)
}

type bodyKey struct{}

// withBody gives a request a body that is sent from where it is: what the SDK puts around
// one is read through small buffers.
func withBody(ctx context.Context, data []byte) context.Context {
	return context.WithValue(ctx, bodyKey{}, data)
}

// RoundTrip sends a request, signed.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	current, err := t.credentials.current(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	if headers, ok := r.Context().Value(headersKey{}).(http.Header); ok {
		for name, values := range headers {
			r.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	now := t.now()
	until := now.Add(signedFor)
	sdk.AddAuthorizationHeader(current.SecretID, current.SecretKey.Reveal(), current.SessionToken.Reveal(), r,
		&sdk.AuthTime{SignStartTime: now, SignEndTime: until, KeyStartTime: now, KeyEndTime: until})
	var body *closing
	if r.Body != nil && r.Body != http.NoBody {
		body = &closing{ReadCloser: r.Body, closed: make(chan struct{})}
		r.Body = body
		if data, ok := r.Context().Value(bodyKey{}).([]byte); ok {
			whole := bytes.NewReader(data)
			body.ReadCloser = io.NopCloser(whole)
			r.Body, r.ContentLength = closingMemory{body, whole}, int64(len(data))
		}
	}
	answer, err := t.base.RoundTrip(r)
	if body != nil {
		<-body.closed
	}
	if err != nil {
		return nil, err
	}
	switch {
	case answer.StatusCode >= 300:
		answer.Body = limited{io.LimitReader(answer.Body, maxError), answer.Body}
	case r.Method == http.MethodGet && r.URL.Path != "/": // an object
	case r.Header.Get("X-Cos-Copy-Source") != "", r.Method == http.MethodPost && r.URL.Query().Has("uploadId"):
		if err := unmask(answer); err != nil {
			return nil, err
		}
	default:
		answer.Body = limited{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, nil
}

// closing says when the connection is done with a body. It may read on after
// the answer has come, and the buffer is used again.
type closing struct {
	io.ReadCloser
	once   sync.Once
	closed chan struct{}
}

func (c *closing) Close() error {
	defer c.once.Do(func() { close(c.closed) })
	return c.ReadCloser.Close()
}

// closingMemory is a body in memory.
type closingMemory struct {
	*closing
	whole *bytes.Reader
}

// Len is how much of it is left.
func (c closingMemory) Len() int { return c.whole.Len() }

// WriteTo writes what is left of it.
func (c closingMemory) WriteTo(w io.Writer) (int64, error) { return c.whole.WriteTo(w) }

type limited struct {
	io.Reader
	io.Closer
}

// unmask gives an answer the status it should have: copying and completing take
// the service time, so it answers 200 and a blank now and then, and what went
// wrong stands in the body (COS, "Error Codes").
func unmask(answer *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxError))
	_ = answer.Body.Close()
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var refused struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
	}
	if xml.Unmarshal(body, &refused) != nil {
		return nil
	}
	switch refused.Code {
	case "FileAlreadyExists":
		answer.StatusCode = http.StatusConflict
	case "NoSuchUpload", "NoSuchKey", "NoSuchBucket":
		answer.StatusCode = http.StatusNotFound
	case "AccessDenied", "SignatureDoesNotMatch":
		answer.StatusCode = http.StatusForbidden
	case "PreconditionFailed":
		answer.StatusCode = http.StatusPreconditionFailed
	case "InternalError", "SlowDown", "ServiceUnavailable":
		answer.StatusCode = http.StatusServiceUnavailable
	default:
		answer.StatusCode = http.StatusBadRequest
	}
	return nil
}

// connections dials the endpoint whatever the host's name, or the service.
func connections(endpoint *url.URL, stall time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: min(stall, 10*time.Second), KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if endpoint != nil {
				address = hostPort(endpoint)
			}
			connection, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &moving{connection, stall}, nil
		},
		TLSHandshakeTimeout: min(stall, 10*time.Second),
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     stall / 2,
		// why: an object that is stored as gzip is given as it is stored
		DisableCompression: true,
	}
}

func hostPort(endpoint *url.URL) string {
	port := endpoint.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[endpoint.Scheme]
	}
	return net.JoinHostPort(endpoint.Hostname(), port)
}

// moving is a connection that fails once no byte has moved for a time. A write
// moves the deadline of the read that waits for the answer too.
type moving struct {
	net.Conn
	stall time.Duration
}

func (c *moving) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// pieceBytes is what one write to a connection has at most: a byte of it is to move within
// the stall.
const pieceBytes = 256 << 10

func (c *moving) Write(p []byte) (written int, err error) {
	for {
		piece := p[written:min(len(p), written+pieceBytes)]
		if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(piece)
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}

// ReadFrom sends a body in large pieces, one in memory without a copy.
func (c *moving) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		whole, ok := l.R.(interface {
			io.WriterTo
			Len() int
		})
		if ok && int64(whole.Len()) <= l.N {
			return whole.WriteTo(c)
		}
	}
	return io.CopyBuffer(struct{ io.Writer }{c}, r, make([]byte, pieceBytes))
}

// escape is the percent-encoding of the service: all but letters, digits and
// "-_.~" (COS, "Request Signature").
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// Transport gives connections as the bucket has them, to its endpoint or the
// service, unsigned: for those who follow a URL of Presign where the name of the
// endpoint is not known to the resolver. It is the caller's.
func (b *Bucket) Transport() *http.Transport { return b.connections.Clone() }
