package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator/api/tc3"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const (
	// service is what the scope of a signature names.
	service = "scf"
	// maxSkew is how far the time of a request may be from the present (the page
	// on signatures: AuthFailure.SignatureExpire).
	maxSkew = 5 * time.Minute
	// nobody stands for the key of an unknown id, so that one is told from a wrong
	// signature by the answer alone.
	nobody = "-"
)

// authenticate lets pass what a known key has signed.
func (s *Server) authenticate(r *http.Request, body []byte) error {
	if r.Method != http.MethodPost {
		return refuse("UnsupportedProtocol", "The method %s is not supported; it is POST.", r.Method)
	}
	if r.URL.Path != "/" && r.URL.Path != "" {
		return refuse("InvalidRequest", "The path of a request is /.")
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return missing("Authorization")
	}
	a, err := tc3.Parse(header)
	if err != nil {
		return refuse("AuthFailure.InvalidAuthorization",
			"The Authorization header of the request does not follow %s: %v.", tc3.Algorithm, err)
	}
	at, err := s.timestamp(r)
	if err != nil {
		return err
	}
	switch {
	case !serves(a.Service, r.Host) || a.Date != at.UTC().Format(time.DateOnly):
		return refuse("AuthFailure.SignatureFailure",
			"The scope of the credential must name the date of X-TC-Timestamp in UTC and the service %s.", service)
	case !slices.Contains(a.SignedHeaders, "content-type") || !slices.Contains(a.SignedHeaders, "host"):
		return refuse("AuthFailure.InvalidAuthorization", "The signed headers must hold content-type and host.")
	}
	key, known := s.config.Keys[a.SecretID]
	if !known {
		key = secret.New(nobody)
	}
	signed := isSigned(r, body, a, at, key)
	switch {
	case !known:
		return refuse("AuthFailure.SecretIdNotFound",
			"The SecretId is not found. Check that it is the one that the API was started with.")
	case !signed:
		return refuse("AuthFailure.SignatureFailure",
			"The provided credentials could not be validated. Check that the signature is correct.")
	case s.config.Token.Reveal() != "" && !same(s.config.Token.Reveal(), r.Header.Get("X-TC-Token")):
		return refuse("AuthFailure.TokenFailure", "The token is not valid, or has expired.")
	}
	return nil
}

// serves reports whether a scope is for this service. The SDK for Node.js names
// it after the first part of the host, which is scf in the cloud and not here.
func serves(scope, host string) bool {
	first, _, _ := strings.Cut(host, ".")
	return scope == service || scope == first
}

// isSigned checks the signature of a request. The SDK for Node.js signs the host
// without its port, which in the cloud is the same.
func isSigned(r *http.Request, body []byte, a tc3.Authorization, at time.Time, key secret.String) bool {
	bare := r.Clone(r.Context())
	if name, _, err := net.SplitHostPort(r.Host); err == nil {
		bare.Host = name
	}
	return same(tc3.Signature(r, body, a, at.Unix(), key),
		a.Signature) || same(tc3.Signature(bare, body, a, at.Unix(), key), a.Signature)
}

// timestamp is when a request was signed, which must be about now.
func (s *Server) timestamp(r *http.Request) (time.Time, error) {
	text := r.Header.Get("X-TC-Timestamp")
	if text == "" {
		return time.Time{}, missing("Timestamp")
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != text {
		return time.Time{}, refuse("InvalidParameter", "The value of X-TC-Timestamp is no time in seconds.")
	}
	at := time.Unix(seconds, 0)
	if now := s.config.Now(); at.Before(now.Add(-maxSkew)) || at.After(now.Add(maxSkew)) {
		return time.Time{}, refuse("AuthFailure.SignatureExpire",
			"The signature is expired: its time %d must be within %v of the server's, %d. Check the clock.", seconds, maxSkew, now.Unix())
	}
	return at, nil
}

// same compares in a time that says nothing of how much is the same.
func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
