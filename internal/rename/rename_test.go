package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/internal/treetest"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	const old, module = "example.com/a/b", "corp.example/etl"
	for before, want := range map[string]string{
		"module example.com/a/b\n":                          "module corp.example/etl\n",
		"example.com/a/b":                                   "corp.example/etl",
		`import "example.com/a/b/pkg/fn"`:                   `import "corp.example/etl/pkg/fn"`,
		"see https://example.com/a/b.":                      "see https://corp.example/etl.",
		"example.com/a/b example.com/a/b example.com/a/b\n": "corp.example/etl corp.example/etl corp.example/etl\n",
		"example.com/a/b-tools example.com/a/b.git":         "example.com/a/b-tools example.com/a/b.git",
		"www.example.com/a/b my-example.com/a/b":            "www.example.com/a/b my-example.com/a/b",
		"example.com/a/bc exampleXcom/a/b":                  "example.com/a/bc exampleXcom/a/b",
	} {
		if got := string(replace([]byte(before), old, module)); got != want {
			t.Errorf("%q becomes %q, want %q", before, got, want)
		}
	}
	t.Run("a path below the old one is put there once", func(t *testing.T) {
		t.Parallel()
		if got := string(replace([]byte("example.com/a/b example.com/a/b/pkg"), old, old+"/v2")); got != "example.com/a/b/v2 example.com/a/b/v2/pkg" {
			t.Errorf("got %q", got)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, module := range []string{"fmt", "etl", "team/etl", "example.com/a b", "example.com/", "example.com//etl", "-x.y/z", "example.com/$x", "https://example.com/etl", "example.com/a/b"} {
		t.Run("refuses "+module, func(t *testing.T) {
			t.Parallel()
			if err := check(t.Context(), "example.com/a/b", module); err == nil || !strings.Contains(err.Error(), module) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, module := range []string{"example.com/team/etl", "git.corp.example/etl", "example.com/a/b/v2"} {
		t.Run("takes "+module, func(t *testing.T) {
			t.Parallel()
			if err := check(t.Context(), "example.com/a/b", module); err != nil {
				t.Error(err)
			}
		})
	}
}

// small is a repository with a file that names the module, one that does not, and one
// that is no text.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/a/b\n", "main.go": "package main\n\nimport (\n\t\"dep.example/x\"\n\t\"example.com/a/b/pkg\"\n)\n",
		"README.md": "no path\n", "data.bin": "\x00example.com/a/b", "LICENSE": "of example.com/a/b\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	treetest.Commit(t, dir)
	return dir
}

func TestRename(t *testing.T) {
	t.Parallel()

	t.Run("changes the files that mean the module, sorts their imports, and no other", func(t *testing.T) {
		t.Parallel()
		dir := small(t)
		changed, err := rename(t.Context(), dir, "corp.example/etl", false)
		if err != nil || strings.Join(changed, " ") != "go.mod main.go" {
			t.Fatalf("changed %v (%v)", changed, err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "main.go"))
		if err != nil || !strings.Contains(string(text), "(\n\t\"corp.example/etl/pkg\"\n\t\"dep.example/x\"\n)") {
			t.Errorf("main.go is %s (%v)", text, err)
		}
	})
	t.Run("refuses what is not committed, and works with force", func(t *testing.T) {
		t.Parallel()
		dir := small(t)
		if err := os.WriteFile(filepath.Join(dir, "new.go"), []byte("package main // example.com/a/b\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := rename(t.Context(), dir, "corp.example/etl", false); !errors.Is(err, errDirty) {
			t.Errorf("got %v, want errDirty", err)
		}
		if changed, err := rename(t.Context(), dir, "corp.example/etl", true); err != nil || len(changed) != 3 {
			t.Errorf("changed %v (%v), want the new file too", changed, err)
		}
	})
	t.Run("refuses a bad path and changes nothing", func(t *testing.T) {
		t.Parallel()
		dir := small(t)
		if _, err := rename(t.Context(), dir, "not a path", false); err == nil {
			t.Error("it is taken")
		}
		if out := treetest.Run(t, dir, "git", "status", "--porcelain"); out != "" {
			t.Errorf("changed is %s", out)
		}
	})
}

// TestRenameThisRepository renames a copy of this repository and builds it.
func TestRenameThisRepository(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a copy of this repository, left out by -short")
	}
	dir := treetest.Copy(t)
	treetest.Commit(t, dir)
	old, err := currentModule(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	treetest.Run(t, dir, "make", "rename", "MODULE=example.com/team/etl")
	for line := range strings.Lines(treetest.Run(t, dir, "git", "grep", "--files-with-matches", "--fixed-strings", "-e", old, "--or", "-e", "example.com/team/etl")) {
		name := strings.TrimSpace(line)
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, stays := kept()[name]; !stays && strings.Contains(string(text), old) {
			t.Errorf("%s still names %s", name, old)
		}
	}
	if out := treetest.Run(t, dir, "gofmt", "-l", "."); out != "" {
		t.Errorf("not formatted: %s", out)
	}
	treetest.Run(t, dir, "go", "build", "./...")
	treetest.Run(t, dir, "go", "vet", "./...")
	t.Log(treetest.Run(t, dir, "go", "test", "-short", "./internal/convention", "./pkg/event", "./pkg/fn/fntest", "./pkg/job/...", "./pkg/scaffold", "./pkg/scf/..."))
}
