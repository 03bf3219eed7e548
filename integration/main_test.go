package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// containers are the two real clusters that all stories share.
var containers kafkatest.Shared

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries.dir = dir
	code := containers.Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}

// binaries are built once, when the first test needs them.
var binaries struct {
	dir   string
	dump  sync.Once
	fault error
}

// dumpPackage gives the folder that is the built package of functions/dump.
func dumpPackage(t testing.TB) string {
	t.Helper()
	code := filepath.Join(binaries.dir, "dump")
	binaries.dump.Do(func() {
		binaries.fault = build(context.Background(), "../functions/dump", filepath.Join(code, "main"))
	})
	if binaries.fault != nil {
		t.Fatal(binaries.fault)
	}
	return code
}

func build(ctx context.Context, source, to string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", to, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	return nil
}
