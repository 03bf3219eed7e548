package fn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestCredentials(t *testing.T) {
	t.Parallel()

	t.Run("are those of the invocation, and never those of the one before", func(t *testing.T) {
		t.Parallel()
		f := fntest.Deploy(t, newWorker(quiet), complete())
		for _, token := range []string{"first-session-token", "second-session-token"} {
			result, err := f.Invoke(do("credentials"), fntest.WithCredentials("the-secret-id", "the-secret-key", token))
			if err != nil || result.Token != token {
				t.Errorf("got %q, %v, want %q", result.Token, err, token)
			}
		}
		if _, err := f.Invoke(do("credentials")); !errors.Is(err, fn.ErrNoCredentials) {
			t.Errorf("got %v, want ErrNoCredentials", err)
		}
		lacks(t, f.Log(), "the-secret-id", "the-secret-key", "session-token")
	})

	t.Run("are not shown by fmt and encoding/json", func(t *testing.T) {
		t.Parallel()
		credentials := fn.Credentials{SecretID: secret.New("the-secret-id"), SecretKey: secret.New("the-secret-key"), SessionToken: secret.New("the-session-token")}
		encoded, err := json.Marshal(credentials)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{string(encoded), fmt.Sprintf("%v %+v %#v %s %q", credentials, credentials, credentials, credentials, credentials)} {
			lacks(t, shown, "the-secret-id", "the-secret-key", "the-session-token")
		}
	})

	t.Run("are missing in a context of no invocation", func(t *testing.T) {
		t.Parallel()
		if _, err := fn.CredentialsFrom(t.Context()); !errors.Is(err, fn.ErrNoCredentials) {
			t.Errorf("got %v, want ErrNoCredentials", err)
		}
	})

	t.Run("that the process was started with serve an invocation that brings none", func(t *testing.T) {
		t.Parallel()
		started := complete()
		maps.Copy(started, map[string]string{"TENCENTCLOUD_SECRETID": "own-id", "TENCENTCLOUD_SECRETKEY": "own-key", "TENCENTCLOUD_SESSIONTOKEN": "own-token"})
		instance, err := fn.NewInstance("dump", newWorker(quiet), started, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		answer, err := instance.Invoke(fn.NewContext(ctx, fn.Invocation{}, nil), do("credentials"))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, string(answer), `"token":"own-token"`)
		// why: a temporary key with another set's token would be refused
		answer, err = instance.Invoke(fn.NewContext(ctx, fn.Invocation{}, map[string]string{"TENCENTCLOUD_SECRETID": "id", "TENCENTCLOUD_SECRETKEY": "key"}), do("credentials"))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, string(answer), `"token":""`)
	})
}
