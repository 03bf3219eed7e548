package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

func TestTakeFunction(t *testing.T) {
	t.Parallel()
	f := scf.Function{Key: "dump", Handler: "main", Binary: "bin/dump"}

	t.Run("the package is the binary that serverless.yml names, executable, under the handler's name", func(t *testing.T) {
		t.Parallel()
		service := t.TempDir()
		if err := os.Mkdir(filepath.Join(service, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(service, "bin", "dump"), []byte("built"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, err := takeFunction(t.Context(), service, f, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(code, "main"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(code, "main"))
		if err != nil || string(text) != "built" || info.Mode().Perm()&0o100 == 0 {
			t.Errorf("%v %q (%v)", info.Mode(), text, err)
		}
	})
	t.Run("up --prebuilt without the binary is exit code 1, and says how to get it", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "serverless.yml")
		text := "service: etl\nprovider: {name: tencent}\nfunctions: {dump: {handler: main, binary: bin/dump}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := etl(t, nil, "up", "--prebuilt", "--config", file)
		if code != exitFailed || !strings.Contains(stderr, "bin/dump") || !strings.Contains(stderr, "make build") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
}
