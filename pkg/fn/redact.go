package fn

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync/atomic"
)

// minredacted is the length in bytes from which a secret is searched for in what leaves the process. A shorter one
// would be found in ordinary words and tear them apart.
const minredacted = 8

// redactor is the second line of defence behind the types of secrets: it removes the values of known secrets from log
// lines and error messages, into which a library may have put them (an address with a password, say). It is safe for
// concurrent use.
type redactor struct {
	replacer atomic.Pointer[strings.Replacer]
}

// know replaces the set of secrets to remove.
func (r *redactor) know(secrets []string) {
	r.replacer.Store(newReplacer(secrets))
}

func newReplacer(secrets []string) *strings.Replacer {
	// why longest first: of two secrets that begin alike the shorter one would leave the other's end standing
	secrets = slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, secret := range secrets {
		if len(secret) < minredacted {
			continue
		}
		pairs = append(pairs, secret, redacted)
		if quoted := inJSON(secret); quoted != secret {
			pairs = append(pairs, quoted, redacted)
		}
	}
	return strings.NewReplacer(pairs...)
}

// inJSON is text as it stands between the quotes of a log line.
func inJSON(text string) string {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // why: slog does not escape it either
	if err := encoder.Encode(text); err != nil {
		return text
	}
	return strings.TrimSuffix(strings.TrimPrefix(line.String(), `"`), "\"\n")
}

func (r *redactor) text(text string) string {
	if replacer := r.replacer.Load(); replacer != nil {
		return replacer.Replace(text)
	}
	return text
}

// clean gives err with a message that shows no secret; its chain stays.
func (r *redactor) clean(err error) error {
	if text := r.text(err.Error()); text != err.Error() {
		return redactedError{text: text, err: err}
	}
	return err
}

type redactedError struct {
	text string
	err  error
}

func (e redactedError) Error() string { return e.text }
func (e redactedError) Unwrap() error { return e.err }

// writer removes secrets from what is written to out. Each Write must be a whole line, as slog's are.
func (r *redactor) writer(out io.Writer) io.Writer { return redactingWriter{redactor: r, out: out} }

type redactingWriter struct {
	redactor *redactor
	out      io.Writer
}

func (w redactingWriter) Write(line []byte) (int, error) {
	if _, err := io.WriteString(w.out, w.redactor.text(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
