package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	t.Parallel()
	const rules = `version: 1
rules:
- parse: combined
- filter: path != "/healthz"
- mask: {fields: [client], find: [ip]}
- keep: [client, status]
output: {format: json, topic: clean}
`
	const access = `192.0.2.7 - - [27/Nov/2026:10:00:00 +0800] "GET /a HTTP/1.1" 200 5 "-" "curl"
192.0.2.8 - - [27/Nov/2026:10:00:01 +0800] "GET /healthz HTTP/1.1" 200 2 "-" "probe"
not a line of an access log
192.0.2.9 - - [27/Nov/2026:10:00:02 +0800] "GET /b HTTP/1.1" 404 0 "-" "curl"`
	files := func(t *testing.T) (dir, rulesFile, logFile string) {
		dir = t.TempDir()
		rulesFile, logFile = filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "access.log")
		for name, text := range map[string]string{rulesFile: rules, logFile: access} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir, rulesFile, logFile
	}

	t.Run("what comes out is printed, what failed is named with its line, and all of it is counted", func(t *testing.T) {
		t.Parallel()
		_, rulesFile, logFile := files(t)
		var stdout, stderr strings.Builder
		code := run(t.Context(), []string{"clean", "--rules", rulesFile, logFile}, nil, &stdout, &stderr)
		if code != exitFailed {
			t.Errorf("exit code %d, want %d: a line failed and was not kept", code, exitFailed)
		}
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `"status":200`) || strings.Contains(stdout.String(), "192.0.2.7") {
			t.Errorf("printed:\n%s", stdout.String())
		}
		for _, words := range []string{"line 3: ", "4 lines: 2 passed, 1 filtered, 0 duplicate, 1 failed", "records by topic: clean 2"} {
			if !strings.Contains(stderr.String(), words) {
				t.Errorf("%q is not in:\n%s", words, stderr.String())
			}
		}
	})

	t.Run("lines that failed are kept unchanged where they are to be", func(t *testing.T) {
		t.Parallel()
		dir, rulesFile, logFile := files(t)
		kept := filepath.Join(dir, "failed.log")
		var stdout, stderr strings.Builder
		if code := run(t.Context(), []string{"clean", "--rules", rulesFile, "--deadletter", kept, logFile}, nil, &stdout, &stderr); code != exitDone {
			t.Errorf("exit code %d: %s", code, stderr.String())
		}
		if got, err := os.ReadFile(kept); err != nil || string(got) != "not a line of an access log\n" {
			t.Errorf("kept %q (%v)", got, err)
		}
	})

	t.Run("a mistake in the rules is named by file, line and column, and nothing is done", func(t *testing.T) {
		t.Parallel()
		_, rulesFile, logFile := files(t)
		if err := os.WriteFile(rulesFile, []byte("version: 1\nrules:\n- prase: json\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr strings.Builder
		code := run(t.Context(), []string{"clean", "--rules", rulesFile, logFile}, nil, &stdout, &stderr)
		if code != exitFailed || !strings.Contains(stderr.String(), rulesFile+":3:3: ") || stdout.Len() > 0 {
			t.Errorf("exit code %d, printed %q, said %q", code, stdout.String(), stderr.String())
		}
	})
}
