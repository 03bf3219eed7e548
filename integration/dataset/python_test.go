package dataset

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
	"time"
)

// python gives an interpreter with what testdata/requirements.txt names, in the user's cache. Where there is none the
// test is skipped, and with ETL_REQUIRE_DOCKER=1, where nothing is skipped, it fails.
func python(t *testing.T) string {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "python3", "-c", "import venv, ensurepip").CombinedOutput(); err != nil {
		missing(t, fmt.Errorf("reads Parquet with DuckDB and pyarrow, and there is no Python 3 with venv: install Debian's "+
			"python3 and python3-venv (%w) %s", err, out))
	}
	const lock = "testdata/requirements.txt"
	content, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	sum := sha256.Sum256(content)
	folder := filepath.Join(cache, "scf-etl", "dataset", hex.EncodeToString(sum[:8]))
	interpreter, done := filepath.Join(folder, "bin", "python"), filepath.Join(folder, "done")
	if _, err := os.Stat(done); err == nil {
		return interpreter
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for _, cmd := range []*exec.Cmd{
		exec.CommandContext(ctx, "python3", "-m", "venv", folder),
		exec.CommandContext(ctx, interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps", "-r", lock),
	} {
		if out, err := cmd.CombinedOutput(); err != nil {
			missing(
				t,
				fmt.Errorf("what %s names cannot be installed, is the package registry reachable? %w\n%s", lock, err, out),
			)
		}
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return interpreter
}

func missing(t *testing.T, why error) {
	t.Helper()
	if os.Getenv("ETL_REQUIRE_DOCKER") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
