package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExtractReadme runs the commands of functions/extract/README.md in their order.
func TestExtractReadme(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function, left out by -short")
	}
	environ, _, _ := twoClusters(t)
	source := httptest.NewServer(http.FileServer(http.Dir("../../functions/extract/testdata")))
	t.Cleanup(source.Close)
	environ = append(environ, "SOURCE_URL="+source.URL+"/events.ndjson")
	text, err := os.ReadFile("../../functions/extract/README.md")
	if err != nil {
		t.Fatal(err)
	}
	wants := map[string][]string{
		"extract check":   {"extract.yaml is right", "topic events"},
		"extract preview": {`events  2026-11-27T09:00:01.000Z  "a-2"  [source=extract]  {"id":"a-2"`},
		"invoke extract":  {`"done":true`, `"total":5`},
		"consume events":  {"a-1", "a-2", "b-1", "b-2"},
		"deadletter list": {"rejected", "field id"},
	}
	ran := 0
	for line := range strings.Lines(string(text)) {
		args := strings.Fields(line)
		if len(args) < 3 || args[0] != "etl" || args[1] == "serve" { // the test has what it would serve
			continue
		}
		for i := range args { // from the root of the repository there
			if strings.HasPrefix(args[i], "functions/") {
				args[i] = filepath.Join("..", "..", args[i])
			}
		}
		code, stdout, stderr := etl(t, environ, args[1:]...)
		if code != exitDone {
			t.Fatalf("%s: exit code %d\n%s%s", strings.TrimSpace(line), code, stdout, stderr)
		}
		for _, want := range wants[args[1]+" "+args[2]] {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s\n%swant %s", strings.TrimSpace(line), stdout, want)
			}
		}
		ran++
	}
	if ran != 6 {
		t.Errorf("%d commands were run", ran)
	}
}

func TestExtractPreview(t *testing.T) {
	t.Parallel()
	source := httptest.NewServer(http.FileServer(http.Dir("../../functions/extract/testdata")))
	t.Cleanup(source.Close)
	environ := []string{"SOURCE_URL=" + source.URL + "/events.ndjson"}
	const file = "../../functions/extract/extract.yaml"
	t.Run("a record for the dead letter is shown with the reason, and is exit code 1", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, environ, "extract", "preview", file)
		if code != exitFailed || !strings.Contains(stdout, "record 4: dead letter: ") || strings.Count(stdout, "\nevents ")+1 < 4 {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("as JSON has each record of the source and what it became", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, environ, "extract", "preview", file, "--records", "1", "-o", "json")
		if code != exitDone || !strings.Contains(stdout, `"key":"a-1"`) && !strings.Contains(stdout, `"key": "a-1"`) {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("of a file with mistakes says where they are", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, nil, "extract", "check", file)
		if code != exitFailed || !strings.Contains(stderr, "extract.yaml:7:16: SOURCE_URL is not set") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
}
