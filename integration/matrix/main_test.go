package matrix

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

var (
	sourceList = flag.String("sources", "", "releases of Kafka to copy from, comma separated")
	targetList = flag.String("targets", "", "releases of Kafka to copy to, comma separated")
	update     = flag.Bool("update", false, "write what was found into README.md")
)

// containers are the brokers of the run: a small one of each target release, and
// of a source.
var containers = kafkatest.Shared{Room: 8}

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "matrix-")
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
	dir           string
	dump, migrate binary
}

type binary struct {
	build sync.Once
	fault error
}

func dumpPackage(t *testing.T) string    { return binaries.dump.of(t, "dump") }
func migratePackage(t *testing.T) string { return binaries.migrate.of(t, "migrate") }

// of gives the folder that is the built package of a function.
func (b *binary) of(t *testing.T, function string) string {
	t.Helper()
	dir := filepath.Join(binaries.dir, function)
	b.build.Do(func() {
		command := exec.CommandContext(context.Background(), "go", "build", "-o", filepath.Join(dir, "main"), "../../functions/"+function)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			b.fault = fmt.Errorf("build functions/%s: %w\n%s", function, err, out)
		}
	})
	if b.fault != nil {
		t.Fatal(b.fault)
	}
	return dir
}
