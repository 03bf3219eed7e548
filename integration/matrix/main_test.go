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
	dump.dir = dir
	code := containers.Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}

// dump is built once, when the first copy needs it.
var dump struct {
	dir   string
	build sync.Once
	fault error
}

// dumpPackage gives the folder that is the built package of functions/dump.
func dumpPackage(t *testing.T) string {
	t.Helper()
	dump.build.Do(func() {
		command := exec.CommandContext(context.Background(), "go", "build", "-o", filepath.Join(dump.dir, "main"), "../../functions/dump")
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			dump.fault = fmt.Errorf("build functions/dump: %w\n%s", err, out)
		}
	})
	if dump.fault != nil {
		t.Fatal(dump.fault)
	}
	return dump.dir
}
