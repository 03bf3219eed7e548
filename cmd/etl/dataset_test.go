package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDatasetRun runs the commands of functions/load/README.md in their order.
func TestDatasetRun(t *testing.T) {
	t.Parallel()
	_, _, environ := backedUp(t)
	text, err := os.ReadFile("../../functions/load/README.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		command, _, _ := strings.Cut(line, "#")
		args := strings.Fields(command)
		if len(args) < 2 || args[0] != "etl" || args[1] == "serve" { // the test has what it would serve
			continue
		}
		for i := range args {
			if strings.HasPrefix(args[i], "functions/") {
				args[i] = filepath.Join("..", "..", args[i])
			}
		}
		code, stdout, stderr := etl(t, environ, args[1:]...)
		if code != exitDone {
			t.Fatalf("%s: exit code %d\n%s%s", strings.TrimSpace(line), code, stdout, stderr)
		}
		out[strings.TrimSpace(command)] = stdout
	}
	for command, wants := range map[string][]string{
		"etl dataset load events --schema functions/load/testdata/schema.yaml": {"5 records in "},
		"etl dataset list": {"date=2026-11-27/hour=09", "date=2026-11-26/hour=23"},
		"etl dataset show": {"_offset", "amount", "int", "timestamp"},
		"etl dataset query --measure count --measure sum:amount --by action": {"buy", "3", "47", "look", "5 rows of"},
	} {
		for _, want := range wants {
			if !strings.Contains(out[command], want) {
				t.Errorf("%s: no %q in\n%s", command, want, out[command])
			}
		}
	}
	var rows []map[string]any
	asked := out["etl dataset query --measure count --every at:1h --where region=south -o json"]
	if err := json.Unmarshal([]byte(asked), &rows); err != nil || len(rows) != 2 || rows[1]["count"] != 2.0 ||
		rows[1]["at"] != "2026-11-27T09:00:00Z" {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestDatasetUsage(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no bucket":                {"dataset", "list"},
		"a measure that is none":   {"dataset", "query", "--folder", ".", "--measure", "quantile:a"},
		"a condition of nothing":   {"dataset", "query", "--folder", ".", "--where", "a"},
		"a bucket of no length":    {"dataset", "query", "--folder", ".", "--every", "1"},
		"a choice that is none":    {"dataset", "load", "events", "--schema-change", "guess"},
		"a load of no topic":       {"dataset", "load"},
		"a zone that nobody is in": {"dataset", "query", "--folder", ".", "--every", "1h", "--zone", "Nowhere"},
	} {
		t.Run(name+" is exit code 2, and says what is wrong", func(t *testing.T) {
			t.Parallel()
			if code, stdout, stderr := etl(t, nil, args...); code != exitUsage || stdout != "" ||
				!strings.HasPrefix(stderr, "etl: ") {
				t.Errorf("etl %v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
			}
		})
	}
	t.Run("a folder without a dataset is said to be none", func(t *testing.T) {
		t.Parallel()
		if code, _, stderr := etl(t, nil, "dataset", "show", "--folder", t.TempDir()); code != exitFailed ||
			!strings.Contains(stderr, "no dataset") {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	})
}
