// Package secret keeps passwords and keys out of logs, errors and JSON: a
// value of type String prints as "[redacted]" wherever it is formatted, and
// gives its content only to a call of Reveal.
package secret

import "log/slog"

const redacted = "[redacted]"

// String is a text that must not be seen: a password, a private key, a token.
// The zero value is the empty secret, which prints as nothing.
type String struct {
	// why a pointer: fmt prints an unexported field without asking its methods,
	// and of a pointer the address
	value *string
}

// New hides value.
func New(value string) String { return String{value: &value} }

// Reveal gives the content, for the one call that needs it.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty says whether there is nothing to hide.
func (s String) Empty() bool { return s.Reveal() == "" }

// Equal compares the contents.
func (s String) Equal(other String) bool { return s.Reveal() == other.Reveal() }

// String is what fmt prints: never the content.
func (s String) String() string {
	if s.Empty() {
		return ""
	}
	return redacted
}

// GoString is what %#v prints: never the content.
func (s String) GoString() string { return `secret.New("` + s.String() + `")` }

// LogValue is what slog prints: never the content.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is what encoders of JSON and YAML write: never the content.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the content as it is, from the environment or a file.
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}
