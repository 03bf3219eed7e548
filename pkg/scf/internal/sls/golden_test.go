package sls_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// The folders of testdata/golden are services; testdata/regenerate.sh has `serverless print` 3.40.0 say what each gives.
func TestLoadGivesWhatServerlessPrintGives(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("testdata/golden/*")
	if err != nil || len(folders) < 45 {
		t.Fatalf("%d fixtures, error %v; want at least 45", len(folders), err)
	}
	for _, dir := range folders {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			got, err := sls.Load(serviceFile(dir), options(t, dir))
			want, refused := read(t, dir, "want.json"), read(t, dir, "want.error")
			switch {
			case refused != "" && err == nil:
				t.Fatalf("got %s; the framework refuses it: %s", got.AppendJSON(nil), refused)
			case refused == "" && err != nil:
				t.Fatalf("got error %v; the framework takes it", err)
			case refused != "":
				t.Logf("%v", err)
				return
			}
			if diff := cmp.Diff(decode(t, want), decode(t, string(got.AppendJSON(nil)))); diff != "" {
				t.Errorf("(-serverless print +Load)\n%s", diff)
			}
		})
	}
}

func serviceFile(dir string) string {
	path := filepath.Join(dir, "serverless.json")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return filepath.Join(dir, "serverless.yml")
}

// options reads the files env (KEY=VALUE lines) and args (one word a line) of a fixture.
func options(t *testing.T, dir string) sls.Options {
	t.Helper()
	env, o := map[string]string{}, sls.Options{Opts: map[string]string{}, Params: map[string]string{}}
	for line := range strings.Lines(read(t, dir, "env")) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[key] = value
	}
	words := strings.Fields(read(t, dir, "args"))
	for i := 0; i+1 < len(words); i += 2 {
		if name := strings.TrimPrefix(words[i], "--"); name != "param" {
			o.Opts[name] = words[i+1]
		} else {
			key, value, _ := strings.Cut(words[i+1], "=")
			o.Params[key] = value
		}
	}
	o.LookupEnv = func(key string) (string, bool) { value, ok := env[key]; return value, ok }
	return o
}

// read gives the content of a file of a fixture, empty where there is none.
func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(content)
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
