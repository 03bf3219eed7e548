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
	dir                string
	dump, migrate, etl binary
	clean, dies        binary
	extract            binary
}

// binary is a program that is built once.
type binary struct {
	once  sync.Once
	fault error
}

func (b *binary) build(t testing.TB, source, to string) {
	t.Helper()
	b.once.Do(func() { b.fault = build(context.Background(), source, to) })
	if b.fault != nil {
		t.Fatal(b.fault)
	}
}

// dumpPackage gives the folder that is the built package of functions/dump.
func dumpPackage(t testing.TB) string {
	t.Helper()
	code := filepath.Join(binaries.dir, "dump")
	binaries.dump.build(t, "../functions/dump", filepath.Join(code, "main"))
	return code
}

// migratePackage is dumpPackage of functions/migrate.
func migratePackage(t testing.TB) string {
	t.Helper()
	code := filepath.Join(binaries.dir, "migrate")
	binaries.migrate.build(t, "../functions/migrate", filepath.Join(code, "main"))
	return code
}

// extractBinary gives the path of the built function extract.
func extractBinary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(binaries.dir, "extract", "main")
	binaries.extract.build(t, "../functions/extract", path)
	return path
}

// etlBinary gives the path of the built cmd/etl.
func etlBinary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(binaries.dir, "etl")
	binaries.etl.build(t, "../cmd/etl", path)
	return path
}

func build(ctx context.Context, source, to string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", to, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	return nil
}
