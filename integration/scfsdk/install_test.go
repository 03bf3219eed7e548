package scfsdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// python gives the command that runs the story in a virtual environment.
func python(t *testing.T) *exec.Cmd {
	t.Helper()
	need(t, "Python 3 with venv", "install Debian's python3 and python3-venv", "python3", "-c",
		"import venv, ensurepip")
	folder := installed(t, "testdata/python/requirements.txt",
		func(ctx context.Context, folder, lock string) []*exec.Cmd {
			return []*exec.Cmd{
				exec.CommandContext(ctx, "python3", "-m", "venv", folder),
				exec.CommandContext(ctx, filepath.Join(folder, "bin", "python"), "-m", "pip", "install", "--quiet",
					"--disable-pip-version-check", "--no-deps", "-r", lock),
			}
		})
	return exec.CommandContext(t.Context(), filepath.Join(folder, "bin", "python"), "testdata/python/story.py")
}

// node gives the command that runs the story with the SDK beside it.
func node(t *testing.T) *exec.Cmd {
	t.Helper()
	const fix = "install Debian's nodejs and npm"
	need(t, "Node.js", fix, "node", "--version")
	need(t, "npm", fix, "npm", "--version")
	folder := installed(t, "testdata/node/package-lock.json", func(ctx context.Context, folder, _ string) []*exec.Cmd {
		for _, name := range []string{"package.json", "package-lock.json"} {
			if err := copyFile(filepath.Join("testdata/node", name), filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
		}
		return []*exec.Cmd{exec.CommandContext(ctx, "npm", "ci", "--prefix", folder, "--ignore-scripts",
			"--no-audit", "--no-fund", "--silent")}
	})
	// why copied at each run: it is what is tested, and the lock file says nothing of it.
	if err := copyFile("testdata/node/story.js", filepath.Join(folder, "story.js")); err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), "node", filepath.Join(folder, "story.js"))
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

// need skips the test where a program is missing, and says what to do; with
// ETL_REQUIRE_DOCKER=1, where nothing is skipped, it fails.
func need(t *testing.T, what, fix string, command ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
		missing(t, fmt.Errorf("runs the SDK of Tencent Cloud and there is no %s: %s (%w) %s", what, fix, err, out))
	}
}

func missing(t *testing.T, why error) {
	t.Helper()
	if os.Getenv("ETL_REQUIRE_DOCKER") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// installed gives a folder in the user's cache that holds what a lock file
// names. It is made once for each content of the file; one that was not made to
// its end is made anew.
func installed(t *testing.T, lock string, make func(ctx context.Context, folder, lock string) []*exec.Cmd) string {
	t.Helper()
	content, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	sum := sha256.Sum256(content)
	folder := filepath.Join(cache, "scf-etl", "scfsdk", hex.EncodeToString(sum[:8]))
	done := filepath.Join(folder, "done")
	if _, err := os.Stat(done); err == nil {
		return folder
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, cmd := range make(ctx, folder, lock) {
		if out, err := cmd.CombinedOutput(); err != nil {
			missing(t, fmt.Errorf("the SDK of %s cannot be installed, is the package registry reachable? %w\n%s",
				lock, err, out))
		}
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}
