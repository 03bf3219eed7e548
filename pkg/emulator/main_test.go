package emulator_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// probeDir and readerDir hold the built probe and the built reader, each as the
// file that the handler "main" names. Set once by TestMain.
var probeDir, readerDir string

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
	probeDir, readerDir = filepath.Join(dir, "probe"), filepath.Join(dir, "reader")
	for _, to := range []string{probeDir, readerDir} {
		build := exec.Command("go", "build", "-o", filepath.Join(to, "main"), "./internal/"+filepath.Base(to))
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the %s: %v\n%s", filepath.Base(to), err, out)
			return 1
		}
	}
	return m.Run()
}
