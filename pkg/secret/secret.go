// Package secret keeps passwords and keys out of logs, errors and JSON: a
// value of type String prints as "[redacted]" wherever it is formatted, and
// gives its content only to a call of Reveal.
package secret

import "log/slog"

const redacted = "[redacted]"

// String is a text that must not be seen: a password, a private key, a token.
// The zero value is the empty secret, which prints as nothing.
type String string

// Reveal gives the content, for the one call that needs it.
func (s String) Reveal() string { return string(s) }

// String is what fmt prints: never the content.
func (s String) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString is what %#v prints: never the content.
func (s String) GoString() string { return `secret.String("` + s.String() + `")` }

// LogValue is what slog prints: never the content.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is what encoders of JSON and YAML write: never the content.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
