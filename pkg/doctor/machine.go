package doctor

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

func checkMachine(ctx context.Context) Section {
	s := Section{Title: "machine"}
	const fix = "install Go, https://go.dev/dl (go.mod says which version): etl up and etl demo build the functions with it"
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		s.fail("go toolchain", fix, "there is no go command on the PATH")
	case err != nil:
		s.fail("go toolchain", fix, "%v", err)
	default:
		s.ok("go toolchain", "%s, %s/%s", strings.TrimSpace(string(out)), runtime.GOOS, runtime.GOARCH)
	}
	// a copy has about two connections a broker and a trigger one a partition
	switch limit, ok := openFiles(); {
	case !ok:
		s.skip("open files", "this system does not tell its limit")
	case limit < scf.MaxOpenFiles:
		s.warn("open files", "ulimit -n 4096", "at most %d: the cloud gives a function %d", limit, scf.MaxOpenFiles)
	default:
		s.ok("open files", "at most %d", limit)
	}
	return s
}
