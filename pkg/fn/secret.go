package fn

import "reflect"

// redacted stands wherever a secret would have been shown, as in package secret.
const redacted = "[redacted]"

// revealer marks a type whose values are secret, as secret.String is.
type revealer interface{ Reveal() string }

// isSecret says whether a setting of type t holds secrets.
func isSecret(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return isSecret(t.Elem())
	default:
		return t.Implements(reflect.TypeFor[revealer]())
	}
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
