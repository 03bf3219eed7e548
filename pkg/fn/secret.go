package fn

import (
	"log/slog"
	"reflect"
)

// Redacted stands wherever a secret would have been shown.
const Redacted = "[redacted]"

// Secret is a setting that is never shown: not by fmt (in an unexported field either), slog, encoding/json or a
// configuration fault. Reveal is the one way to its value. The zero value is the empty secret.
type Secret struct {
	// why a pointer: fmt prints an unexported field without asking its methods, and of a pointer the address
	value *string
}

// NewSecret hides value.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal gives the value itself, to hand it to whoever needs it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty says whether there is nothing to hide.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal compares the values.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String is Redacted, or nothing for the empty secret.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return Redacted
}

// GoString is String, so that %#v shows no value.
func (s Secret) GoString() string { return s.String() }

// LogValue is String, so that slog shows no value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, so that encoding/json and every other encoder of text shows no value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the value as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// secretsIn gives the values of the secret settings.
func secretsIn(target reflect.Value, fields []field) []string {
	var secrets []string
	for _, f := range fields {
		if f.Secret {
			secrets = appendSecrets(secrets, place(target, f.index))
		}
	}
	return secrets
}

func appendSecrets(secrets []string, v reflect.Value) []string {
	if secret, ok := v.Interface().(revealer); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		return append(secrets, secret.Reveal())
	}
	switch v.Kind() {
	case reflect.String:
		secrets = append(secrets, v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			secrets = appendSecrets(secrets, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			secrets = appendSecrets(secrets, v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			secrets = appendSecrets(secrets, v.MapIndex(key))
		}
	}
	return secrets
}
