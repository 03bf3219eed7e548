package localcos_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const (
	bucket    = "data-1250000000"
	secretID  = "AKIDexample"
	secretKey = "key-of-a-test"
)

// server is a COS server and a client by hand, that knows no SDK.
type server struct {
	*testing.T
	*localcos.Server
	unsigned bool
}

func newServer(t *testing.T, change func(*localcos.Config)) *server {
	t.Helper()
	config := localcos.Config{
		Dir: t.TempDir(), Unsigned: true, Buckets: []string{bucket},
		Keys: map[string]localcos.Key{secretID: {Secret: secret.New(secretKey)}},
	}
	if change != nil {
		change(&config)
	}
	s, err := localcos.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &server{t, s, config.Unsigned}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// code is the code of an error.
func (a answer) code() string {
	var e struct{ Code string }
	_ = xml.Unmarshal([]byte(a.body), &e)
	return e.Code
}

// do sends a request to the bucket; headers are names and values in turn.
func (s *server) do(method, target string, body any, headers ...string) answer {
	s.Helper()
	return s.send(newRequest(s.Context(), method, "http://"+bucket+".cos.ap-guangzhou.myqcloud.com"+target, body, headers...))
}

func newRequest(ctx context.Context, method, target string, body any, headers ...string) *http.Request {
	var content []byte
	switch body := body.(type) {
	case string:
		content = []byte(body)
	case []byte:
		content = body
	}
	r := httptest.NewRequestWithContext(ctx, method, target, bytes.NewReader(content))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func (s *server) send(r *http.Request) answer {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	header := http.Header{}
	for name, values := range w.Header() {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return answer{w.Code, header, w.Body.String()}
}

// want sends a request that has to succeed.
func (s *server) want(status int, method, target string, body any, headers ...string) answer {
	s.Helper()
	a := s.do(method, target, body, headers...)
	if a.status != status {
		s.Fatalf("%s %s: got %d %s, want %d", method, target, a.status, a.body, status)
	}
	return a
}

// refused sends a request that has to fail with a status and a code.
func (s *server) refused(status int, code, method, target string, body any, headers ...string) answer {
	s.Helper()
	a := s.do(method, target, body, headers...)
	if a.status != status || a.code() != code && method != http.MethodHead {
		s.Errorf("%s %s: got %d %s, want %d %s", method, target, a.status, a.body, status, code)
	}
	return a
}

// sign signs a request as the documents say, in the header.
func sign(r *http.Request, id, key string, from, to time.Time) {
	r.Header.Set("Authorization", signature(r, id, key, from, to, []string{"host"}))
}

func signature(r *http.Request, id, key string, from, to time.Time, headers []string) string {
	window := fmt.Sprintf("%d;%d", from.Unix(), to.Unix())
	var names, parameters, values []string
	for name := range r.URL.Query() {
		names = append(names, strings.ToLower(url.QueryEscape(name)))
	}
	slices.Sort(names)
	for _, name := range names {
		parameters = append(parameters, name+"="+strings.ReplaceAll(url.QueryEscape(r.URL.Query().Get(name)), "+", "%20"))
	}
	for _, name := range headers {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		values = append(values, name+"="+strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
	}
	text := strings.ToLower(r.Method) + "\n" + r.URL.Path + "\n" + strings.Join(parameters, "&") + "\n" + strings.Join(values, "&") + "\n"
	digest := sha1.Sum([]byte(text))
	signKey := hmacOf(key, window)
	return "q-sign-algorithm=sha1&q-ak=" + id + "&q-sign-time=" + window + "&q-key-time=" + window + "&q-header-list=" +
		strings.Join(headers, ";") + "&q-url-param-list=" + strings.Join(names, ";") + "&q-signature=" +
		hmacOf(signKey, "sha1\n"+window+"\n"+hex.EncodeToString(digest[:])+"\n")
}

func hmacOf(key, text string) string {
	h := hmac.New(sha1.New, []byte(key))
	_, _ = io.WriteString(h, text)
	return hex.EncodeToString(h.Sum(nil))
}

func parse[T any](t *testing.T, a answer) T {
	t.Helper()
	var document T
	if err := xml.Unmarshal([]byte(a.body), &document); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return document
}
