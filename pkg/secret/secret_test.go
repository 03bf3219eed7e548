package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestString(t *testing.T) {
	t.Parallel()
	const content = "hunter2"
	type config struct{ Password secret.String }
	value := config{Password: secret.New(content)}
	type holder struct{ config config }
	held := holder{config: value}

	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configured", "password", value.Password, "config", value)
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	for name, printed := range map[string]string{
		"with %v":                fmt.Sprintf("%v %v", value, value.Password),
		"with %+v":               fmt.Sprintf("%+v", value),
		"with %#v":               fmt.Sprintf("%#v", value),
		"with %s":                fmt.Sprintf("password %s", value.Password),
		"with %q":                fmt.Sprintf("%q", value.Password),
		"in an unexported field": fmt.Sprintf("%+v %v", held, &held),
		"with a wrong verb":      fmt.Sprintf("%d %x", value.Password, value.Password), // what a mistake prints
		"by slog":                log.String(),
		"by json":                string(asJSON),
		"in errors":              fmt.Errorf("connect with %v", value).Error(),
	} {
		t.Run("is not printed "+name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(printed, content) {
				t.Errorf("the secret is in %q", printed)
			}
		})
	}
	t.Run("is given to the one who reveals it", func(t *testing.T) {
		t.Parallel()
		if got := value.Password.Reveal(); got != content {
			t.Errorf("got %q, want %q", got, content)
		}
	})
}
