package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const reportFile = `version: 1
name: requests
title: Requests
time: {column: at, range: yesterday}
queries:
  total: {measures: [{name: requests, op: count}]}
  paths: {measures: [{name: requests, op: count}], group_by: [path]}
show:
- number: {title: Requests, query: total, value: requests}
- bar: {title: Paths, query: paths, x: path, y: requests}
`

// requests is a folder with a dataset of two days.
func requests(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	folder, err := dataset.OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	rows := dataset.NewRows([]dataset.Column{{Name: "at", Type: dataset.Timestamp}, {Name: "path", Type: dataset.String}})
	for i := range 30 {
		if err := rows.Append(time.Date(2026, 11, 24+min(i/10, 1), 12, i, 0, 0, time.UTC), fmt.Sprintf("/%d", i%3)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dataset.New(folder, "").Write(t.Context(), "", "rows", rows); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReport(t *testing.T) {
	t.Parallel()
	data := requests(t)
	// make runs etl report on a file with a text.
	report := func(t *testing.T, text string, args ...string) (code int, out, errs, folder string) {
		t.Helper()
		folder = filepath.Join(t.TempDir(), "new", "out")
		file := filepath.Join(t.TempDir(), "report.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		args = append([]string{"report", file, "--out", folder, "--at", "2026-11-26T01:00:00Z"}, args...)
		code = run(t.Context(), args, nil, &stdout, &stderr)
		return code, stdout.String(), stderr.String(), folder
	}

	t.Run("it writes the page and its data, and says the numbers", func(t *testing.T) {
		t.Parallel()
		code, out, errs, folder := report(t, reportFile, "--data", data)
		if code != exitDone || !strings.Contains(out, "Requests, 2026-11-25") || !strings.Contains(out, "20 (▲ 100 %)") ||
			!strings.Contains(out, filepath.Join(folder, "report.html")) {
			t.Fatalf("%d: %s%s", code, out, errs)
		}
		page, err := os.ReadFile(filepath.Join(folder, "report.html"))
		if err != nil || !bytes.Contains(page, []byte(`<p class="value">20</p>`)) {
			t.Errorf("%v: %.200s", err, page)
		}
		text, err := os.ReadFile(filepath.Join(folder, "report.json"))
		if err != nil || !json.Valid(text) {
			t.Errorf("%v: %.200s", err, text)
		}
	})
	t.Run("-o json says the same for scripts", func(t *testing.T) {
		t.Parallel()
		code, out, errs, folder := report(t, reportFile, "--data", data, "-o", "json")
		var done struct {
			HTML    string
			Period  struct{ Label string }
			Numbers []struct{ Value, Before float64 }
		}
		if err := json.Unmarshal([]byte(out), &done); code != exitDone || err != nil || done.HTML != filepath.Join(folder, "report.html") ||
			done.Period.Label != "2026-11-25" || done.Numbers[0].Value != 20 || done.Numbers[0].Before != 10 {
			t.Errorf("%d, %v: %s%s", code, err, out, errs)
		}
	})
	for _, c := range []struct {
		name, old, with string
		args            []string
		code            int
		want            string
	}{
		{"a mistake in the file", "name: requests", "nmae: x", []string{"--data", data}, exitFailed, `report.yaml:2:1: the file has no setting "nmae": did you mean "name"?`},
		{"a column that the dataset does not have", "[path]", "[{name: path, column: paths}]", []string{"--data", data}, exitFailed,
			`report.yaml:7:84: the dataset has no column "paths": did you mean "path"?`},
		{"no dataset named", "", "", nil, exitUsage, "--data DIR, or with --bucket"},
		{"two datasets", "", "", []string{"--data", data, "--bucket", "a-1250000000/b"}, exitUsage, "--data DIR, or with --bucket"},
		{"an empty folder", "", "", []string{"--data", t.TempDir()}, exitFailed, "there is no dataset"},
		{"a folder that is not there", "", "", []string{"--data", "nowhere"}, exitFailed, "open folder nowhere"},
		{"a moment that is none", "", "", []string{"--data", data, "--at", "noon"}, exitUsage, "--at"},
	} {
		t.Run("refused, and nothing is written: "+c.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs, folder := report(t, strings.Replace(reportFile, c.old, c.with, 1), c.args...)
			if code != c.code || !strings.Contains(errs, c.want) {
				t.Errorf("%d: %s, want %d with %q", code, errs, c.code, c.want)
			}
			if _, err := os.Stat(folder); err == nil {
				t.Error("the folder is there")
			}
		})
	}
}

// TestReportReadme runs the commands of functions/report/README.md in their order, from the root of the repository.
func TestReportReadme(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function, left out by -short")
	}
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{"backup-1250000000"}, Keys: map[string]localcos.Key{localKey: {Secret: secret.New(localKey)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	environ := append(os.Environ(), "COS_ENDPOINT="+server.URL(), "COS_SECRET_ID="+localKey, "COS_SECRET_KEY="+localKey)
	text, err := os.ReadFile("../../functions/report/README.md")
	if err != nil {
		t.Fatal(err)
	}
	wants := map[string][]string{
		"report": {"Requests, 2026-01-02", "Failed"},
		"invoke": {`"page":"reports/requests/2026-01-02/report.html"`, "q-signature"},
		"cos":    {"reports/requests/2026-01-02/report.html", "reports/requests/2026-01-02/report.json"},
	}
	ran := 0
	for line := range strings.Lines(string(text)) {
		command, _, _ := strings.Cut(line, " #")
		args := strings.Fields(command)
		if len(args) < 3 || args[0] != "etl" || args[1] == "serve" { // the test has what it would serve
			continue
		}
		for i := range args {
			switch {
			case strings.HasPrefix(args[i], "functions/"):
				args[i] = filepath.Join("..", "..", args[i])
			case args[i] == "page":
				args[i] = t.TempDir()
			}
		}
		code, stdout, stderr := etl(t, environ, args[1:]...)
		if code != exitDone {
			t.Fatalf("%s: exit code %d\n%s%s", strings.TrimSpace(line), code, stdout, stderr)
		}
		for _, want := range wants[args[1]] {
			if args[1] == "cos" && args[2] != "list" {
				continue
			}
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
