package cos

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// MaxKey is the length of the longest key in bytes (COS, "Object Overview").
const MaxKey = 850

// CheckKey says what is wrong with an object's key, by ErrInvalid: it is UTF-8
// of 1 to MaxKey bytes, and does not end at the bucket itself when its dots are
// resolved, as ".." or "a/.." would.
func CheckKey(key string) error {
	switch {
	case key == "":
		return invalid("the key is empty")
	case len(key) > MaxKey:
		return invalid("the key has %d bytes, more than the %d of the service", len(key), MaxKey)
	case !utf8.ValidString(key):
		return invalid("the key is not UTF-8")
	case path.Clean("/"+key) == "/":
		return invalid("the key names the bucket itself once its dots are resolved")
	}
	return nil
}

// maxMetadata is what all names and values of user metadata may have in bytes
// (COS, "PUT Object").
const maxMetadata = 2 << 10

func checkMetadata(metadata map[string]string) error {
	total := 0
	for name, value := range metadata {
		total += len(name) + len(value)
		if name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
		}) {
			return invalid("metadata name %q: want small letters, digits and '-'", name)
		}
		if name == writeID {
			return invalid("metadata name %q is taken", name)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) || strings.TrimSpace(value) != value {
			return invalid("metadata %s: want printable ASCII without spaces around it; encode the rest", name)
		}
	}
	if total > maxMetadata {
		return invalid("metadata of %d bytes: want at most %d", total, maxMetadata)
	}
	return nil
}

func invalid(format string, arguments ...any) error {
	return errors.Join(ErrInvalid, fmt.Errorf(format, arguments...))
}
