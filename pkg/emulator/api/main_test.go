package api_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// probeDir is the folder of the built probe, a function that does what its
// event says.
var probeDir string

func TestMain(m *testing.M) {
	if folder := os.Getenv(childState); folder != "" {
		if err := runChild(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "scf-api-probe-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	probeDir = dir
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "main"), "../internal/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the probe: %w\n%s", err, out)
	}
	return m.Run(), nil
}
