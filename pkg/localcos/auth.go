package localcos

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far a client's clock may be ahead (COS, "Error Codes",
// RequestTimeTooSkewed).
const maxSkew = 15 * time.Minute

// authorize checks the signature of a request, in the header or the query, as
// COS has it ("Request Signature"): the secret key signs a time window, and what
// that gives signs method, path, and the parameters and headers that are named.
func (s *Server) authorize(r *http.Request, query url.Values) error {
	if s.config.Unsigned {
		return nil
	}
	sign, err := signatureOf(r, query)
	if err != nil {
		return err
	}
	s.mu.RLock()
	key, known := s.keys[sign["q-ak"]]
	s.mu.RUnlock()
	if !known {
		return refuse(http.StatusForbidden, "InvalidAccessKeyId",
			"The access key Id you provided does not exist in our records.")
	}
	now := s.config.Now()
	for _, window := range []string{sign["q-sign-time"], sign["q-key-time"]} {
		if err := within(window, now); err != nil {
			return err
		}
	}
	given, err := hex.DecodeString(sign["q-signature"])
	if err != nil || !hmac.Equal(given, signature(r, query, sign, key.Secret.Reveal())) {
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch",
			"The Signature you specified is invalid.")
	}
	token := r.Header.Get("X-Cos-Security-Token")
	if token == "" {
		token = query.Get("x-cos-security-token")
	}
	if !hmac.Equal([]byte(token), []byte(key.Token.Reveal())) {
		return refuse(http.StatusForbidden, "InvalidAccessKeyId",
			"The security token does not belong to the access key Id.")
	}
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return refuse(http.StatusBadRequest, "ExpiredToken", "The security token is expired.")
	}
	return nil
}

var signFields = []string{
	"q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature",
}

// signatureOf takes the fields of a signature from where they stand, and out of
// the query.
func signatureOf(r *http.Request, query url.Values) (map[string]string, error) {
	sign := map[string]string{}
	text := r.Header.Get("Authorization")
	if text == "" && query.Has("sign") { // all of it in one parameter
		text = query.Get("sign")
		query.Del("sign")
	}
	if text != "" {
		for pair := range strings.SplitSeq(text, "&") {
			name, value, _ := strings.Cut(pair, "=")
			sign[name] = value
		}
	} else {
		for _, name := range signFields {
			if values := query[name]; len(values) > 0 {
				sign[name] = values[0]
			}
			query.Del(name)
		}
	}
	if len(sign) == 0 {
		return nil, errAccessDenied
	}
	for _, name := range signFields {
		if _, ok := sign[name]; !ok {
			return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch",
				"The Signature you specified is invalid: %s is missing.", name)
		}
	}
	if sign["q-sign-algorithm"] != "sha1" {
		return nil, refuse(http.StatusBadRequest, "InvalidArgument", "q-sign-algorithm must be sha1.")
	}
	return sign, nil
}

// within checks a window "BEGIN;END" of Unix seconds.
func within(window string, now time.Time) error {
	begin, end, ok := strings.Cut(window, ";")
	from, err := strconv.ParseInt(begin, 10, 64)
	to, err2 := strconv.ParseInt(end, 10, 64)
	switch {
	case !ok || err != nil || err2 != nil || to < from:
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The Signature you specified is invalid: bad time.")
	case now.Unix()+int64(maxSkew/time.Second) < from:
		return refuse(http.StatusForbidden, "RequestTimeTooSkewed",
			"The difference between the request time and the server's time is too large.")
	case now.Unix() > to:
		return refuse(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	return nil
}

// signature is what the request has to be signed with.
func signature(r *http.Request, query url.Values, sign map[string]string, secretKey string) []byte {
	parameters := map[string][]string{}
	for name, values := range query {
		name = strings.ToLower(escape(name))
		parameters[name] = append(parameters[name], values...)
	}
	canonical := fmt.Sprintf("%s\n%s\n%s\n%s\n", strings.ToLower(r.Method), r.URL.Path,
		signedValues(sign["q-url-param-list"], func(name string) []string { return parameters[name] }),
		signedValues(sign["q-header-list"], func(name string) []string { return header(r, name) }))
	digest := sha1.Sum([]byte(canonical))
	signKey := hex.EncodeToString(mac(secretKey, sign["q-key-time"]))
	return mac(signKey, fmt.Sprintf("sha1\n%s\n%x\n", sign["q-key-time"], digest))
}

func mac(key, text string) []byte {
	h := hmac.New(sha1.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signedValues writes the named parameters or headers in the order that is
// signed. A name that is listed twice has two values.
func signedValues(list string, values func(string) []string) string {
	if list == "" {
		return ""
	}
	names := strings.Split(strings.ToLower(list), ";")
	slices.Sort(names)
	var pairs []string
	for _, name := range slices.Compact(names) {
		for _, value := range slices.Sorted(slices.Values(values(name))) {
			pairs = append(pairs, name+"="+escape(value))
		}
	}
	return strings.Join(pairs, "&")
}

// header gives the values of a header; some net/http keeps elsewhere.
func header(r *http.Request, name string) []string {
	name, err := url.PathUnescape(name)
	if err != nil {
		return nil
	}
	switch name {
	case "host":
		return []string{r.Host}
	case "content-length":
		return []string{strconv.FormatInt(max(r.ContentLength, 0), 10)}
	case "transfer-encoding":
		return r.TransferEncoding
	}
	return r.Header.Values(name)
}

// escape is the percent-encoding of the service: all but letters, digits and
// "-_.~".
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
