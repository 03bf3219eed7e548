package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// An envelope is a document with its digest, and is JSON as a whole:
//
//	{"sha256":"<64 hexadecimal digits>","document":<the document>}<newline>
//
// These bytes and no others: whitespace or another order of members is damage, so
// that no byte is without a digest.
const (
	envelopeHead = `{"sha256":"`
	envelopeBody = `","document":`
	envelopeTail = "}\n"
)

// seal puts a document into an envelope, and gives its digest.
func seal(document any) (data []byte, digest string, err error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return nil, "", err
	}
	text := bytes.TrimSuffix(body.Bytes(), []byte("\n"))
	digest = digestOf(text)
	data = make([]byte, 0, len(text)+len(envelopeHead)+len(digest)+len(envelopeBody)+len(envelopeTail))
	data = append(data, envelopeHead...)
	data = append(data, digest...)
	data = append(data, envelopeBody...)
	data = append(data, text...)
	return append(data, envelopeTail...), digest, nil
}

var errEnvelope = errors.New("it is no document of a backup: cut short, or not written by one")

// unseal reads a document from its envelope. The error is what is wrong with the
// bytes.
func unseal(data []byte, document any) (digest string, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(envelopeHead))
	if !ok || len(rest) < 2*sha256.Size {
		return "", errEnvelope
	}
	digest, rest = string(rest[:2*sha256.Size]), rest[2*sha256.Size:]
	text, ok := bytes.CutPrefix(rest, []byte(envelopeBody))
	if !ok {
		return "", errEnvelope
	}
	if text, ok = bytes.CutSuffix(text, []byte(envelopeTail)); !ok {
		return "", errEnvelope
	}
	if got := digestOf(text); got != digest {
		return "", fmt.Errorf("its digest is %s, and it says %q", got, digest)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields() // another version says so in its number, first
	if err := decoder.Decode(document); err != nil {
		return "", fmt.Errorf("it is no document of version %d: %w", formatVersion, err)
	}
	return digest, nil
}

func digestOf(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}
