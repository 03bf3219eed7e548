package doctor

import (
	"os"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	t.Run("are those that functions/dump documents, with the same defaults", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("../../functions/dump/README.md")
		if err != nil {
			t.Fatal(err)
		}
		documented := map[string]string{}
		for line := range strings.Lines(string(text)) {
			if cells := strings.Split(line, "|"); len(cells) > 3 && strings.HasPrefix(cells[1], " `") && strings.ToUpper(cells[1]) == cells[1] {
				documented[strings.Trim(cells[1], " `")] = strings.Trim(cells[2], " `")
			}
		}
		settings := fn.Describe[settings]()
		for _, s := range settings {
			if value, ok := documented[s.Key]; !ok || value != s.Default {
				t.Errorf("%s: default %q, documented %q (%t)", s.Key, s.Default, value, ok)
			}
		}
		if len(settings) != len(documented) {
			t.Errorf("%d settings, %d documented: %v", len(settings), len(documented), documented)
		}
	})
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	t.Run("a principal stays one word of a shell", func(t *testing.T) {
		t.Parallel()
		for word, want := range map[string]string{
			"User:alice": "User:alice", "User:CN=a,O=b c": "'User:CN=a,O=b c'", "User:it's": `'User:it'\''s'`, "User:*": "'User:*'",
		} {
			if got := quoted(word); got != want {
				t.Errorf("quoted(%q) = %s, want %s", word, got, want)
			}
		}
	})
}
