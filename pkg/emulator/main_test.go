package emulator_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// probeDir holds the built probe, as the file that its handler "main" names.
// Set once by TestMain.
var probeDir string

func TestMain(m *testing.M) {
	if settings := os.Getenv(childSettings); settings != "" {
		os.Exit(runChild(settings))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "probe-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "main"), "./internal/probe")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the probe: %v\n%s", err, out)
		return 1
	}
	probeDir = dir
	return m.Run()
}
