package extract

import (
	"bytes"
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// shortestSecret is what a value of the environment in a header has at least to count as
// a secret: without shorter ones nobody could read an error.
const shortestSecret = 4

// secrets are texts that are in no error, the longest first, since one may be a part of
// another one.
type secrets []secret.String

// credentials are the texts of what proves who asks: with the prefix, without it, and
// without the scheme (RFC 9110, 11.4) that the value may begin with; as they are, and as
// addresses, JSON and errors would have them.
func credentials(prefix, value string) secrets {
	texts := []string{prefix + value, value}
	if _, bare, ok := strings.Cut(value, " "); ok && len(bare) >= shortestSecret {
		texts = append(texts, bare)
	}
	var all secrets
	for _, text := range texts {
		quoted, inJSON := strconv.Quote(text), string(appendText(nil, text))
		for _, form := range []string{
			text, url.QueryEscape(text), url.PathEscape(text), quoted[1 : len(quoted)-1], inJSON[1 : len(inJSON)-1],
		} {
			if strings.TrimSpace(form) != "" {
				all = append(all, secret.New(form))
			}
		}
	}
	return all
}

// with adds others.
func (s secrets) with(others secrets) secrets {
	s = append(slices.Clone(s), others...)
	slices.SortFunc(s, func(a, b secret.String) int {
		return cmp.Or(len(b.Reveal())-len(a.Reveal()), strings.Compare(a.Reveal(), b.Reveal()))
	})
	return slices.CompactFunc(s, secret.String.Equal)
}

const covering = "[redacted]"

// body is one without secrets, for errors that show a part of it: there are sources that
// repeat what they were asked with.
func (s secrets) body(body []byte) []byte {
	for _, text := range s {
		if of := []byte(text.Reveal()); bytes.Contains(body, of) {
			body = bytes.ReplaceAll(body, of, []byte(covering))
		}
	}
	return body
}

// error is an error whose text has none.
func (s secrets) error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	covered := string(s.body([]byte(text)))
	if covered == text {
		return err
	}
	return &coveredError{err, covered}
}

// coveredError is another one in all but its text.
type coveredError struct {
	error
	text string
}

func (e *coveredError) Error() string { return e.text }

func (e *coveredError) Unwrap() error { return e.error }
