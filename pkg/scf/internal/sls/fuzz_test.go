package sls_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// FuzzLoad: whatever a file and the environment hold, Load ends with a configuration that is JSON, or with an error.
func FuzzLoad(f *testing.F) {
	folders, err := filepath.Glob("testdata/golden/*/serverless.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range folders {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content), "${env:A}", "key: ${self:service}")
	}
	f.Fuzz(func(t *testing.T, content, env, beside string) {
		path := write(t, content)
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "config.yml"), []byte(beside), 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := sls.Load(path, sls.Options{
			LookupEnv: func(key string) (string, bool) { return env, len(key)%2 == 0 },
			Opts:      map[string]string{"stage": env}, Params: map[string]string{"a": env},
		})
		if err != nil {
			if !utf8.ValidString(content) && v != nil {
				t.Fatal("a value and an error")
			}
			return
		}
		if out := v.AppendJSON(nil); !json.Valid(out) {
			t.Fatalf("no JSON: %s", out)
		}
	})
}

// FuzzVariable: a text as the value of one property never ends the process or the clock.
func FuzzVariable(f *testing.F) {
	for _, s := range []string{
		"${env:A}", "${env:A, 'd'}", "${self:custom.a.b}", "${file(./a.yml):x.y, null}", "${opt:stage, self:provider.stage, \"dev\"}",
		`\${env:A}`, `\\${env:A}`, "${AWS::Region}", "${self:custom.${opt:stage}.x}", "${strToBool(${env:B}, 1)}", "$${env:A}", "${Foo ${env:A}}",
	} {
		f.Add(s, "${env:B}")
	}
	f.Fuzz(func(t *testing.T, text, env string) {
		quoted, err := json.Marshal(map[string]any{"a": text, "b": map[string]string{"c": "${self:a}"}})
		if err != nil {
			t.Skip()
		}
		path := filepath.Join(t.TempDir(), "serverless.json")
		if err := os.WriteFile(path, quoted, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := sls.Load(path, sls.Options{LookupEnv: func(string) (string, bool) { return env, true }})
		if err == nil && !json.Valid(v.AppendJSON(nil)) {
			t.Fatalf("no JSON: %s", v.AppendJSON(nil))
		}
	})
}
