package fntest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

// The lines around the table of settings in a function's README.md.
const (
	settingsBegin = "<!-- settings: "
	settingsEnd   = "<!-- end of settings -->"
)

// Readme fails a test of a function where the table of settings in its README.md is not
// that of its configuration C. With update it writes the table instead: the test's flag
// -update.
//
// README.md is in the test's folder, and the table between a line that begins with
// "<!-- settings: " and the line "<!-- end of settings -->".
func Readme[C any](t testing.TB, update bool) {
	t.Helper()
	const file = "README.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, ok := withSettings(string(text), fn.Table(fn.Describe[C]()))
	switch {
	case !ok:
		t.Fatalf("%s has no place for the settings: a line %s... --> and a line %s", file, settingsBegin, settingsEnd)
	case string(text) == want:
	case update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is out of date: run go test ./functions/%s -update", file, folder(t))
	}
}

// withSettings puts a table into its place in a text.
func withSettings(text, table string) (string, bool) {
	before, rest, found := strings.Cut(text, settingsBegin)
	line, rest, ended := strings.Cut(rest, "\n")
	_, after, closed := strings.Cut(rest, settingsEnd)
	return before + settingsBegin + line + "\n\n" + table + "\n" + settingsEnd + after, found && ended && closed
}

// folder names the folder that a test runs in.
func folder(t testing.TB) string {
	t.Helper()
	path, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(path)
}
