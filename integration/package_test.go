package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/scf-etl/scf-etl/internal/treetest"
	"github.com/scf-etl/scf-etl/pkg/pack"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// packCopy builds and packs the functions of a copy of the tree as make package does.
func packCopy(t *testing.T) map[string]pack.Package {
	t.Helper()
	folder := treetest.Copy(t)
	service, err := scf.Load(filepath.Join(folder, "serverless.yml"), scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "make", "build-functions")
	build.Dir, build.Env = folder, treetest.Environ()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build-functions: %v\n%s", err, out)
	}
	made := map[string]pack.Package{}
	for _, f := range service.Functions {
		if made[f.Key], err = (pack.Packer{Folder: folder, Into: filepath.Join(folder, "dist")}).Pack(f); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

func TestPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("links every function twice, left out by -short: make integration")
	}
	t.Parallel()
	here, there := packCopy(t), packCopy(t)
	for name, one := range here {
		t.Run(name+" has the same zip and SBOM when it is built in another folder", func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]string{{one.Zip, there[name].Zip}, {one.SBOM, there[name].SBOM}} {
				a, errA := os.ReadFile(pair[0])
				b, errB := os.ReadFile(pair[1])
				if errA != nil || errB != nil {
					t.Fatal(errA, errB)
				}
				if !bytes.Equal(a, b) {
					t.Errorf("%s and %s differ", pair[0], pair[1])
				}
			}
		})
		if most, ok := throughCOS(name); ok {
			t.Run(name+" is too large for a request to the API, and not larger than it has to be", func(t *testing.T) {
				t.Parallel()
				if one.Inline() || one.Bytes > most {
					t.Errorf("the zip has %d bytes, want more than %d, else no exception is needed, and at most %d", one.Bytes, scf.MaxInlineZip, most)
				}
			})
			continue
		}
		t.Run(name+" fits into a request to the API", func(t *testing.T) {
			t.Parallel()
			if !one.Inline() {
				t.Errorf("the zip has %d bytes, and a request takes %d", one.Bytes, scf.MaxInlineZip)
			}
		})
	}
}

// throughCOS gives the most that the zip of a function may have that no request takes: sls deploy puts it into the bucket
// that DEPLOYMENT_BUCKET names (integration/sls, TestTheProject). Parquet has two megabytes with what it imports; the
// interpreter and the charts of a report have as much again.
func throughCOS(name string) (most int64, ok bool) {
	switch name {
	case "load":
		return 8500 << 10, true
	case "report":
		return 10500 << 10, true
	}
	return 0, false
}
