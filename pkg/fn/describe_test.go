package fn_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestDescribe(t *testing.T) {
	t.Parallel()

	t.Run("lists the settings of a configuration in the order of its fields, with prefixes", func(t *testing.T) {
		t.Parallel()
		const list, duration = "a list, separated by commas", "a duration such as 500ms, 30s or 1h30m"
		var want []fn.Setting
		for _, prefix := range []string{"SOURCE_", "TARGET_"} {
			want = append(want,
				fn.Setting{Key: prefix + "BROKERS", Type: list, Required: true, Doc: "brokers, host:port"},
				fn.Setting{Key: prefix + "USER", Type: "text", Doc: "user name"},
				fn.Setting{Key: prefix + "PASSWORD", Type: "text", Secret: true, Doc: "password of the user"},
				fn.Setting{Key: prefix + "WAIT", Type: duration, Default: "5s", Doc: "how long to wait"},
			)
		}
		want = append(want,
			fn.Setting{Key: "MODE", Default: "fetch", Doc: "how to read"},
			fn.Setting{Key: "SIZE", Type: "a whole number of 32 bits", Default: "10", Doc: "records at once"},
		)
		if diff := cmp.Diff(want, fn.Describe[config]()); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})

	t.Run("knows a secret by its type in lists and behind pointers, and by its tag", func(t *testing.T) {
		t.Parallel()
		type secrets struct {
			List  []secret.String   `env:"LIST"`
			Map   map[string]*picky `env:"MAP"`
			Plain string            `env:"PLAIN" secret:"true"`
			Open  *slog.Level       `env:"OPEN"`
		}
		for i, want := range []bool{true, true, true, false} {
			if got := fn.Describe[secrets]()[i]; got.Secret != want {
				t.Errorf("got %+v, want secret to be %v", got, want)
			}
		}
	})

	t.Run("panics for what is no configuration", func(t *testing.T) {
		t.Parallel()
		defer func() {
			if recover() == nil {
				t.Error("got no panic")
			}
		}()
		fn.Describe[string]()
	})
}

func ExampleTable() {
	type Config struct {
		Brokers  []string      `env:"BROKERS,required" doc:"brokers to read from, host:port"`
		Password secret.String `env:"PASSWORD" doc:"password of the user"`
		Check    bool          `env:"CHECK" envDefault:"true" doc:"check what was written"`
		Mode     string        `env:"MODE" envDefault:"a|b"`
	}
	fmt.Print(fn.Table(fn.Describe[Config]()))
	// Output:
	// | Setting | Default | Meaning |
	// |---|---|---|
	// | `BROKERS` | required | brokers to read from, host:port |
	// | `PASSWORD` |  | password of the user (secret) |
	// | `CHECK` | `true` | check what was written |
	// | `MODE` | `a\|b` |  |
}
