package page_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "README.md")
	before := "# Before\n\n" + page.Copiers + "\nold\n" + page.End + "\n## Behind\n\n" + page.Transforms + "\nother\n" + page.End
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("results that are longer than the last ones leave what is around them as it is", func(t *testing.T) {
		for _, results := range []string{strings.Repeat("longer\n", 40), "short\n"} {
			if err := page.Write(path, page.Copiers, results); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(before, "old\n", results, 1); string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		}
	})
	t.Run("a README without a place for results stays as it is, and that is said", func(t *testing.T) {
		if err := page.Write(path, page.Backups, "x"); err == nil {
			t.Error("it was written")
		}
	})
}
