// Package tc3 signs requests to Tencent Cloud's APIs, and says what a signature
// must be: TC3-HMAC-SHA256, as the page "Signature v3" of each product's API has
// it (583/18622 for SCF).
package tc3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Algorithm begins the Authorization header.
const Algorithm = "TC3-HMAC-SHA256"

// terminator ends the scope of each credential.
const terminator = "tc3_request"

// Authorization is what the header of that name says.
type Authorization struct {
	SecretID      string
	Date          string // of the scope, 2006-01-02 in UTC
	Service       string
	SignedHeaders []string
	Signature     string // hexadecimal
}

// Parse reads an Authorization header. The error says what is wrong with it; it
// does not repeat the header.
func Parse(header string) (Authorization, error) {
	rest, ok := strings.CutPrefix(header, Algorithm)
	if !ok || !strings.HasPrefix(rest, " ") {
		return Authorization{}, fmt.Errorf("it does not begin with %s", Algorithm)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return Authorization{}, errors.New("a part of it is not KEY=VALUE")
		}
		fields[key] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	a := Authorization{Signature: fields["Signature"], SignedHeaders: strings.Split(fields["SignedHeaders"], ";")}
	switch {
	case len(scope) != 4 || scope[0] == "" || scope[3] != terminator:
		return Authorization{}, fmt.Errorf("its Credential is not SECRETID/DATE/SERVICE/%s", terminator)
	case fields["SignedHeaders"] == "":
		return Authorization{}, errors.New("it has no SignedHeaders")
	case a.Signature == "":
		return Authorization{}, errors.New("it has no Signature")
	}
	a.SecretID, a.Date, a.Service = scope[0], scope[1], scope[2]
	return a, nil
}

// String is the header.
func (a Authorization) String() string {
	return fmt.Sprintf("%s Credential=%s/%s/%s/%s, SignedHeaders=%s, Signature=%s",
		Algorithm, a.SecretID, a.Date, a.Service, terminator, strings.Join(a.SignedHeaders, ";"), a.Signature)
}

// Signature is the one that a request has to have, in hexadecimal. body is the
// request's, which is not read; of its headers those that are signed count.
func Signature(r *http.Request, body []byte, a Authorization, timestamp int64, key secret.String) string {
	scope := a.Date + "/" + a.Service + "/" + terminator
	text := strings.Join([]string{Algorithm, strconv.FormatInt(timestamp, 10), scope,
		hash([]byte(canonical(r, body, a.SignedHeaders)))}, "\n")
	signing := []byte("TC3" + key.Reveal())
	for _, part := range []string{a.Date, a.Service, terminator} {
		signing = mac(signing, part)
	}
	return hex.EncodeToString(mac(signing, text))
}

// Sign gives a request the headers of its signature. Its other headers and its
// host must be set.
func Sign(r *http.Request, body []byte, service, secretID string, key secret.String, now time.Time) {
	r.Header.Set("X-TC-Timestamp", strconv.FormatInt(now.Unix(), 10))
	a := Authorization{
		SecretID: secretID, Date: now.UTC().Format(time.DateOnly), Service: service,
		SignedHeaders: []string{"content-type", "host"},
	}
	a.Signature = Signature(r, body, a, now.Unix(), key)
	r.Header.Set("Authorization", a.String())
}

// canonical is the request in the one form that is signed.
func canonical(r *http.Request, body []byte, signed []string) string {
	var headers strings.Builder
	for _, name := range slices.Sorted(slices.Values(signed)) {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	query := ""
	if r.Method == http.MethodGet {
		query = r.URL.RawQuery
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return strings.Join([]string{r.Method, path, query, headers.String(), strings.Join(signed, ";"), hash(body)}, "\n")
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
