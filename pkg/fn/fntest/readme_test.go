package fntest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

type oneSetting struct {
	Greeting string `env:"GREETING" envDefault:"hello" doc:"what to say"`
}

// TestReadme works in folders of its own, so it is not parallel.
func TestReadme(t *testing.T) {
	const before, after = "# greet\n\n<!-- settings: from the code -->\n", "<!-- end of settings -->\n\nThe rest.\n"
	at := func(t *testing.T, text string) string {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "greet")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		return filepath.Join(dir, "README.md")
	}

	t.Run("writes the table with -update, and nothing else of the page; then it is up to date", func(t *testing.T) {
		path := at(t, before+after)
		fntest.Readme[oneSetting](t, true)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text); !strings.HasPrefix(got, before+"\n| Setting") || !strings.HasSuffix(got, "`GREETING` | `hello` | what to say |\n\n"+after) {
			t.Errorf("got\n%s", got)
		}
		fntest.Readme[oneSetting](t, false)
	})

	t.Run("an old table is a failure that says how to write it anew", func(t *testing.T) {
		at(t, before+"\n| old |\n\n"+after)
		r := &recorded{TB: t}
		fntest.Readme[oneSetting](r, false)
		if !strings.Contains(r.text, "go test ./functions/greet -update") {
			t.Errorf("got %q", r.text)
		}
	})
}

// recorded is a test whose failure is kept.
type recorded struct {
	testing.TB
	text string
}

func (r *recorded) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }
