package localcos_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestSignature(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newServer(t, func(c *localcos.Config) {
		c.Unsigned = false
		c.Now = func() time.Time { return now }
	})
	s.SetKey("temporary", localcos.Key{Secret: secret.New("k"), Token: secret.New("token"), Expires: now.Add(time.Minute)})
	s.SetKey("past", localcos.Key{Secret: secret.New("k"), Token: secret.New("token"), Expires: now})
	const target = "http://data-1250000000.localhost:9436/?prefix=a%20b&max-keys=10"
	hour := now.Add(time.Hour)
	for name, c := range map[string]struct {
		sign   func(*http.Request)
		status int
		code   string
	}{
		"takes a right one":    {func(r *http.Request) { sign(r, secretID, secretKey, now, hour) }, 200, ""},
		"takes one in the URL": {func(r *http.Request) { inQuery(r, now, hour) }, 200, ""},
		"takes one in a single parameter of the URL": {func(r *http.Request) {
			inOne(r, now, hour)
		}, 200, ""},
		"takes one of a clock that is a little ahead": {func(r *http.Request) {
			sign(r, secretID, secretKey, now.Add(10*time.Minute), hour)
		}, 200, ""},
		"takes temporary credentials": {func(r *http.Request) {
			sign(r, "temporary", "k", now, hour)
			r.Header.Set("X-Cos-Security-Token", "token")
		}, 200, ""},
		"refuses none":                {func(*http.Request) {}, 403, "AccessDenied"},
		"refuses an unknown SecretId": {func(r *http.Request) { sign(r, "other", secretKey, now, hour) }, 403, "InvalidAccessKeyId"},
		"refuses a wrong SecretKey":   {func(r *http.Request) { sign(r, secretID, "other", now, hour) }, 403, "SignatureDoesNotMatch"},
		"refuses one that has expired": {func(r *http.Request) {
			sign(r, secretID, secretKey, now.Add(-time.Hour), now.Add(-time.Second))
		}, 403, "AccessDenied"},
		"refuses one of a clock that is far ahead": {func(r *http.Request) {
			sign(r, secretID, secretKey, now.Add(16*time.Minute), hour)
		}, 403, "RequestTimeTooSkewed"},
		"refuses a token that is another's": {func(r *http.Request) {
			sign(r, "temporary", "k", now, hour)
			r.Header.Set("X-Cos-Security-Token", "stolen")
		}, 403, "InvalidAccessKeyId"},
		"refuses temporary credentials that have expired": {func(r *http.Request) {
			sign(r, "past", "k", now, hour)
			r.Header.Set("X-Cos-Security-Token", "token")
		}, 400, "ExpiredToken"},
		"refuses another method": {func(r *http.Request) {
			sign(r, secretID, secretKey, now, hour)
			r.Method = http.MethodDelete
		}, 403, "SignatureDoesNotMatch"},
		"refuses another path": {func(r *http.Request) {
			sign(r, secretID, secretKey, now, hour)
			r.URL.Path = "/other"
		}, 403, "SignatureDoesNotMatch"},
		"refuses another host": {func(r *http.Request) {
			sign(r, secretID, secretKey, now, hour)
			r.Host = "other-1250000000.localhost:9436"
		}, 403, "SignatureDoesNotMatch"},
		"refuses another parameter": {func(r *http.Request) {
			sign(r, secretID, secretKey, now, hour)
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "10", "11", 1)
		}, 403, "SignatureDoesNotMatch"},
		"refuses a signed header that was changed": {func(r *http.Request) {
			r.Header.Set("X-Cos-Acl", "private")
			r.Header.Set("Authorization", signature(r, secretID, secretKey, now, hour, []string{"host", "x-cos-acl"}))
			r.Header.Set("X-Cos-Acl", "public-read")
		}, 403, "SignatureDoesNotMatch"},
		"refuses a longer window than was signed": {func(r *http.Request) {
			sign(r, secretID, secretKey, now.Add(-time.Hour), now.Add(-time.Minute))
			text := r.Header.Get("Authorization")
			r.Header.Set("Authorization", strings.ReplaceAll(text, ";1772366340", ";1872366340"))
		}, 403, "SignatureDoesNotMatch"},
		"refuses half of one": {func(r *http.Request) { r.Header.Set("Authorization", "q-ak="+secretID) }, 403, "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(t.Context(), http.MethodGet, target, nil)
			c.sign(r)
			if a := s.send(r); a.status != c.status || a.code() != c.code {
				t.Errorf("got %d %s, want %d %s", a.status, a.body, c.status, c.code)
			}
		})
	}
}

func inQuery(r *http.Request, from, to time.Time) {
	r.URL.RawQuery += "&" + strings.ReplaceAll(signature(r, secretID, secretKey, from, to, []string{"host"}), ";", "%3B")
}

func inOne(r *http.Request, from, to time.Time) {
	text := signature(r, secretID, secretKey, from, to, []string{"host"})
	r.URL.RawQuery += "&sign=" + strings.NewReplacer("&", "%26", "=", "%3D", ";", "%3B").Replace(text)
}
