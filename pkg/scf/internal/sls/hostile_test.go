package sls_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// patience is far more than any of these files takes, also on a slow machine and under the race detector.
const patience = 30 * time.Second

func TestAHostileFileIsRefusedSoon(t *testing.T) {
	t.Parallel()
	lines := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i, i+1)
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		file string
		want string // in the error; empty where the file is no harm
	}{
		"aliases that double what they hold": {
			"a0: &a0 [x, x]\n" + lines(30, "a%[2]d: &a%[2]d [*a%[1]d, *a%[1]d]\n"), "grows past",
		},
		"variables that double what they hold": {
			"a0: xxxxxxxxxxxxxxxx\n" + lines(30, "a%[2]d: ${self:a%[1]d}${self:a%[1]d}\n"), "grows past",
		},
		"maps that double what they hold": {
			"a0: { x: 1 }\n" + lines(30, "a%[2]d: { l: '${self:a%[1]d}', r: '${self:a%[1]d}' }\n"), "grows past",
		},
		"a chain of 5000 variables": {lines(5000, "a%d: ${self:a%d}\n") + "a5000: x\n", "chain of more than"},
		"a map nested by variables": {
			lines(300, "a%d: { x: { y: { z: '${self:a%d}' } } }\n") + "a300: x\n", "nested deeper than",
		},
		"10,000 open brackets":                     {"a: " + strings.Repeat("[", 10_000), "nested deeper than"},
		"100,000 open brackets":                    {"a: " + strings.Repeat("[", 100_000), "more than 20000 YAML tokens"},
		"3,000 open braces":                        {strings.Repeat("{a: ", 3_000), "nested deeper than"},
		"3,000 dashes in a line":                   {strings.Repeat("- ", 3_000) + "a", "nested deeper than"},
		"3,000 anchors in a line":                  {"a: " + strings.Repeat("&a ", 3_000) + "a", "nested deeper than"},
		"3,000 tags in a line":                     {"a: " + strings.Repeat("!!str ", 3_000) + "a", "nested deeper than"},
		"500 levels of indentation":                {indented(500), "nested deeper than"},
		"200,000 keys":                             {lines(200_000, "a%d: %d\n"), "larger than"},
		"8,000 keys":                               {lines(8_000, "a%[1]d:\n"), ""},
		"15,000 keys and values":                   {lines(15_000, "a%[1]d: 1\n"), "more than 20000 YAML tokens"},
		"more than 256 KB":                         {"a: " + strings.Repeat("x", 300<<10), "larger than"},
		"a variable nested 10,000 deep":            {"a: '" + strings.Repeat("${self:", 10_000) + "'", "nested deeper than"},
		"foreign variables nested 10,000":          {"a: " + strings.Repeat("${A", 10_000), "nested deeper than"},
		"10,000 backslashes before each one":       {"a: " + strings.Repeat(`\`, 10_000) + "${env:A, 1}", ""},
		"10,000 variables in a text":               {"a: " + strings.Repeat("${env:A, 'x'}", 10_000), ""},
		"10,000 sources in a variable":             {"a: ${" + strings.Repeat("env:A, ", 10_000) + "'x'}", ""},
		"an address of 100,000 dots":               {"a: ${self:" + strings.Repeat(".", 100_000) + ", 'x'}", ""},
		"a file that reads itself":                 {"a: ${file(serverless.yml):a}", "times over"},
		"a file that reads itself in a whole":      {"a: ${file(serverless.yml)}\nb: ${file(serverless.yml)}", "times over"},
		"200 files":                                {lines(200, "a%d: ${file(nowhere%d.yml), 'x'}\n"), "more than 100 files"},
		"control characters":                       {"a: \x00", "control character"},
		"100,000 blank lines at the end of a text": {"a: |\n  x\n" + strings.Repeat("\n", 100_000), "blank lines"},
		"100,000 carriage returns":                 {"a: |\n  x\n" + strings.Repeat("\r", 100_000), "blank lines"},
		"no UTF-8":                                 {"a: \xff\xfe", "not UTF-8"},
		"nothing":                                  {"", "is empty"},
		"a list":                                   {"- a", "map of settings"},
		"a number too large":                       {"a: " + strings.Repeat("9", 400), ""},
		"infinity":                                 {"a: .inf", "not finite"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := loadSoon(t, write(t, c.file), sls.Options{})
			switch {
			case c.want == "" && err == nil:
			case err == nil:
				t.Fatal("is taken")
			case c.want == "" || !strings.Contains(err.Error(), c.want):
				t.Fatalf("got %.300s, want %q in it", err, c.want)
			}
			if err != nil && len(err.Error()) > 1<<20 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestAVariableThatNamesItselfInTheEnvironmentEnds(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"alone":          "${env:A}",
		"twice":          "${env:A}${env:A}",
		"as its default": "${env:B, '${env:A}'}",
		"in an address":  "${env:${env:A}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := sls.Options{LookupEnv: func(key string) (string, bool) { return value, key == "A" }}
			if err := loadSoon(t, write(t, "a: ${env:A}"), o); err == nil {
				t.Error("is taken")
			}
		})
	}
}

// indented gives a map in a map in a map, n levels of them.
func indented(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// loadSoon loads a file and fails the test where that takes long.
func loadSoon(t *testing.T, path string, o sls.Options) error {
	t.Helper()
	begun := time.Now()
	_, err := sls.Load(path, o)
	if took := time.Since(begun); took > patience {
		t.Errorf("took %v", took)
	}
	return err
}

// write puts a serverless.yml into a folder of its own.
func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serverless.yml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
