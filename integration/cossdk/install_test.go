package cossdk_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// tool is what a test needs on the machine, and what to do where it is missing.
type tool struct {
	command []string
	fix     string
}

// require skips the test where a tool is missing, or in a -short run; with
// ETL_REQUIRE_DOCKER=1 it fails instead.
func require(t *testing.T, tools ...tool) {
	t.Helper()
	required := os.Getenv("ETL_REQUIRE_DOCKER") == "1"
	if testing.Short() && !required {
		t.Skip("installs and runs the SDK of another language, left out by -short: make integration")
	}
	for _, tool := range tools {
		if out, err := exec.CommandContext(t.Context(), tool.command[0], tool.command[1:]...).CombinedOutput(); err != nil {
			message := "needs " + tool.command[0] + ": " + tool.fix + " (" + err.Error() + ")\n" + string(out)
			if required {
				t.Fatal(message)
			}
			t.Skip(message)
		}
	}
}

// install runs an installer in a folder of the user's cache that is named after
// the lock file, once: later runs find it. It returns the folder.
func install(t *testing.T, language, lock string, run func(ctx context.Context, dir string) *exec.Cmd) string {
	t.Helper()
	text, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append(text, runtime.GOOS+runtime.GOARCH...))
	cache, err := os.UserCacheDir()
	if err != nil { // no home
		cache = t.TempDir()
	}
	dir := filepath.Join(cache, "scf-etl", "cossdk", language+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(work) })
	if out, err := run(t.Context(), work).CombinedOutput(); err != nil {
		t.Fatalf("install the SDK: %v\n%s", err, out)
	}
	// why by a rename: half an installation is not found, and one of two wins
	if err := os.Rename(work, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			t.Fatal(err)
		}
	}
	return dir
}
