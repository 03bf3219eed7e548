package fn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

func TestASecret(t *testing.T) {
	t.Parallel()
	secret := fn.NewSecret(password)
	type exported struct{ Secret fn.Secret }
	type hidden struct{ secret fn.Secret }

	t.Run("is not shown by any verb of fmt, in a struct or a pointer or an unexported field", func(t *testing.T) {
		t.Parallel()
		values := []any{secret, &secret, exported{secret}, &exported{secret}, hidden{secret}, &hidden{secret}, []fn.Secret{secret}, map[string]fn.Secret{"k": secret},
			fn.Credentials{SecretKey: secret}, &fn.Credentials{SecretKey: secret}, struct{ c fn.Credentials }{fn.Credentials{SecretKey: secret}}}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			for _, value := range values {
				lacks(t, fmt.Sprintf(verb, value), password, fmt.Sprintf("%x", password))
			}
		}
	})

	t.Run("is not shown by encoding/json and slog", func(t *testing.T) {
		t.Parallel()
		encoded, err := json.Marshal([]any{secret, exported{secret}, fn.Credentials{SecretKey: secret}})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(handler).Info("line", "secret", secret, "struct", exported{secret}, "hidden", hidden{secret}, "credentials", fn.Credentials{SecretKey: secret})
		}
		lacks(t, string(encoded)+log.String(), password)
		contains(t, log.String(), fn.Redacted)
	})

	t.Run("is shown by Reveal, compared by Equal, and seen to be empty", func(t *testing.T) {
		t.Parallel()
		if got := secret.Reveal(); got != password {
			t.Errorf("got %q, want %q", got, password)
		}
		if !secret.Equal(fn.NewSecret(password)) || secret.Equal(fn.NewSecret("other")) {
			t.Error("Equal does not compare values")
		}
		var zero fn.Secret
		if !zero.Empty() || !zero.Equal(fn.NewSecret("")) || zero.String() != "" || zero.Reveal() != "" || secret.Empty() {
			t.Error("the zero value is not the empty secret")
		}
	})
}
