package extract

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/secret"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

// httpFile is source: http, checked.
type httpFile struct {
	url       *url.URL
	headers   http.Header
	auth      authFile
	secrets   secrets // values of headers
	format    formatFile
	paging    pagingFile
	restart   bool // read from the first page again, where there is a change
	redirects string
	rate      int
	timeout   time.Duration
	maxBytes  int
	transport http.RoundTripper
}

// authFile is the header with what proves who asks. It is sent to the host of the
// file's url alone.
type authFile struct {
	header string
	value  secret.String
}

// Values of redirects.
const (
	redirectsSameHost = "same-host"
	redirectsNone     = "none"
	redirectsAny      = "any"
)

// Bounds of an HTTP source.
const (
	defaultTimeout  = 30 * time.Second
	defaultMaxBytes = 32 << 20
	mostMaxBytes    = 256 << 20
	mostRate        = 10_000
)

func (l *loader) http(s transform.Section) {
	t := s.Table("http", "url", "headers", "auth", "format", "records", "separator", "columns", "paging", "then",
		"redirects", "rate", "timeout", "max_bytes", "tls_ca_file")
	f := httpFile{
		redirects: t.Choice("redirects", redirectsSameHost, redirectsNone, redirectsAny),
		rate:      t.Number("rate", 0, 1, mostRate),
		timeout:   t.Duration("timeout", defaultTimeout),
		maxBytes:  t.Number("max_bytes", defaultMaxBytes, 1, mostMaxBytes),
		headers:   http.Header{},
	}
	f.url = l.url(t.Need("url"))
	l.headers(t.Get("headers"), &f)
	f.auth = l.auth(t.Get("auth"), &f)
	f.format = l.format(t)
	f.paging = l.paging(t.Get("paging"), f.format)
	otherwise := []string{thenResume, thenRestart}
	if f.paging.kind == pagingNone {
		slices.Reverse(otherwise)
	}
	f.restart = t.Choice("then", otherwise...) == thenRestart
	f.transport = l.transport(t.Get("tls_ca_file"))
	l.file.open = func() (source, error) { return newHTTPSource(f), nil }
}

// What comes after the end of a source.
const (
	thenResume  = "resume"
	thenRestart = "restart"
)

func (l *loader) url(s transform.Section) *url.URL {
	if !s.Present() {
		return nil
	}
	text := l.value(s, "url")
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		s.Fault("write https://host/path", "url is no address")
		return nil
	case u.Scheme != "http" && u.Scheme != "https":
		s.Fault("write https:// or http://", "url begins with %q", u.Scheme+":")
	case u.Host == "" || u.Opaque != "":
		s.Fault("write https://host/path", "url has no host")
	case u.User != nil:
		s.Fault("write auth: {header: Authorization, env: NAME}", "url has a user or a password in it")
	}
	u.Fragment, u.RawFragment = "", ""
	return u
}

func (l *loader) headers(s transform.Section, f *httpFile) {
	for name, value := range s.Pairs("headers") {
		header, text := name.Text("a header"), l.value(value, "a header")
		if !checkHeader(name, header) {
			continue
		}
		if !validHeaderValue(text) {
			value.Fault("", "the value of the header %s has characters that a header cannot have", header)
			continue
		}
		f.headers.Add(header, text)
		if !value.IsText() && len(text) >= shortestSecret {
			f.secrets = f.secrets.with(credentials("", text))
		}
	}
}

// checkHeader refuses names that are none, and those that requests set themselves.
func checkHeader(at transform.Section, name string) bool {
	ours := []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range"}
	switch {
	case !validHeaderName(name):
		at.Fault("", "%q is no name of a header", name)
	case slices.Contains(ours, http.CanonicalHeaderKey(name)):
		at.Fault("leave it out", "the header %s is set by the request itself", name)
	default:
		return true
	}
	return false
}

// validHeaderName says whether a name is a token of RFC 9110, 5.6.2.
func validHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
}

// validHeaderValue says whether a value has no line break or other control character.
func validHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func (l *loader) auth(s transform.Section, f *httpFile) authFile {
	if !s.Present() {
		return authFile{}
	}
	t := s.Table("auth", "header", "env", "prefix")
	header := t.Text("header", "Authorization")
	if h := t.Get("header"); h.Present() {
		checkHeader(h, header)
	}
	name := t.Need("env")
	if !name.Present() {
		return authFile{}
	}
	value := strings.TrimSpace(l.env(name))
	if value != "" && !validHeaderValue(t.Text("prefix", "")+value) {
		name.Fault("", "the value of %s has characters that a header cannot have", name.Text("env"))
	}
	prefix := t.Text("prefix", "")
	f.secrets = f.secrets.with(credentials(prefix, value))
	return authFile{header, secret.New(prefix + value)}
}

// transport verifies TLS, bounds what a source can make it read of headers, and passes
// the proxy of the environment by: what is in the file is where requests go.
func (l *loader) transport(ca transform.Section) http.RoundTripper {
	if l.options.Transport != nil {
		return l.options.Transport
	}
	pool := authorities(ca)
	return &http.Transport{
		TLSClientConfig:        &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        time.Minute,
		ForceAttemptHTTP2:      true,
	}
}

// authorities reads the certificates to trust; nil: those of the system.
func authorities(s transform.Section) *x509.CertPool {
	if !s.Present() {
		return nil
	}
	pem, err := os.ReadFile(s.Text("tls_ca_file"))
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(pem) {
		err = errors.New("there is no certificate (PEM) in it")
	}
	if err != nil {
		s.Fault("", "tls_ca_file: %v", err)
	}
	return pool
}
