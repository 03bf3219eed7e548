package pack_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/pack"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// program builds the smallest Go program for a system.
func program(t *testing.T, goos, goarch string) []byte {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/small\n\ngo 1.26.0\n", 0o644)
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() {}\n", 0o644)
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", "main", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+goos, "GOARCH="+goarch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build a program: %v\n%s", err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, "main"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// service makes a folder with a binary and files that can be extra ones.
func service(t *testing.T, binary []byte) pack.Packer {
	t.Helper()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "bin/dump"), string(binary), 0o600)
	write(t, filepath.Join(folder, "rules/b.yaml"), "b: 1", 0o640)
	write(t, filepath.Join(folder, "rules/a.yaml"), "a: 1", 0o600)
	write(t, filepath.Join(folder, "tool"), "#!/bin/false", 0o700)
	return pack.Packer{Folder: folder, Into: filepath.Join(folder, "dist")}
}

func dump() scf.Function {
	return scf.Function{Key: "dump", Handler: "main", Binary: "bin/dump", Patterns: []string{"tool", "rules/*"}}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestPack(t *testing.T) {
	t.Parallel()
	binary := program(t, "linux", "amd64")

	t.Run("the zip holds the binary, which everyone may execute, and the extra files in order", func(t *testing.T) {
		t.Parallel()
		p := service(t, binary)
		made, err := p.Pack(dump())
		if err != nil {
			t.Fatal(err)
		}
		archive, err := zip.OpenReader(made.Zip)
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		var got []string
		for _, f := range archive.File {
			got = append(got, f.Name+" "+f.Mode().String())
		}
		want := []string{"main -rwxr-xr-x", "rules/a.yaml -rw-r--r--", "rules/b.yaml -rw-r--r--", "tool -rwxr-xr-x"}
		if !slices.Equal(got, want) {
			t.Errorf("the zip has %q, want %q", got, want)
		}
		main, err := archive.Open("main")
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(main); err != nil || !bytes.Equal(content, binary) {
			t.Errorf("main is another file, %v", err)
		}
		if info, err := os.Stat(made.Zip); err != nil || info.Size() != made.Bytes || !made.Inline() || made.Signature != "" {
			t.Errorf("%+v of %v, %v", made, info, err)
		}
	})

	t.Run("the same files in another folder, of another time and mode, give the same zip and SBOM", func(t *testing.T) {
		t.Parallel()
		one, other := service(t, binary), service(t, binary)
		for _, name := range []string{"bin/dump", "rules/a.yaml"} {
			if err := os.Chmod(filepath.Join(other.Folder, name), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(filepath.Join(other.Folder, name), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		a, errA := one.Pack(dump())
		b, errB := other.Pack(dump())
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if !bytes.Equal(read(t, a.Zip), read(t, b.Zip)) || !bytes.Equal(read(t, a.SBOM), read(t, b.SBOM)) {
			t.Error("they differ")
		}
	})

	t.Run("the SBOM names the standard library and every file with its hash, and has no time", func(t *testing.T) {
		t.Parallel()
		made, err := service(t, binary).Pack(dump())
		if err != nil {
			t.Fatal(err)
		}
		var bom struct {
			BOMFormat, SpecVersion, SerialNumber string
			Metadata                             map[string]any
			Components                           []struct {
				Name   string
				Hashes []struct{ Content string }
			}
		}
		if err := json.Unmarshal(read(t, made.SBOM), &bom); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range bom.Components {
			names = append(names, c.Name)
			if c.Name != "stdlib" && (len(c.Hashes) != 1 || len(c.Hashes[0].Content) != 64) {
				t.Errorf("%s has the hashes %v", c.Name, c.Hashes)
			}
		}
		if want := []string{"stdlib", "main", "rules/a.yaml", "rules/b.yaml", "tool"}; !slices.Equal(names, want) {
			t.Errorf("it names %q, want %q", names, want)
		}
		if bom.BOMFormat != "CycloneDX" || bom.SpecVersion != "1.6" || !strings.HasPrefix(bom.SerialNumber, "urn:uuid:") ||
			bom.Metadata["timestamp"] != nil {
			t.Errorf("%+v", bom)
		}
	})

	for what, c := range map[string]struct {
		change func(t *testing.T, p pack.Packer, f *scf.Function)
		says   string
	}{
		"a binary that is not there": {func(_ *testing.T, _ pack.Packer, f *scf.Function) { f.Binary = "bin/none" }, "make build"},
		"a binary for another system": {func(t *testing.T, p pack.Packer, _ *scf.Function) {
			write(t, filepath.Join(p.Folder, "bin/dump"), string(program(t, "linux", "arm64")), 0o755)
		}, "is for EM_AARCH64"},
		"a binary that is a script": {func(_ *testing.T, _ pack.Packer, f *scf.Function) { f.Binary = "tool" }, "is no program for Linux"},
		"a binary outside of the folder": {func(_ *testing.T, _ pack.Packer, f *scf.Function) { f.Binary = "../dump" },
			"../dump"},
		"a link out of the folder": {func(t *testing.T, p pack.Packer, f *scf.Function) {
			if err := os.Symlink("/etc/hostname", filepath.Join(p.Folder, "away")); err != nil {
				t.Skip(err)
			}
			f.Patterns = []string{"away"}
		}, "chooses no file"},
		"an extra file with the binary's name": {func(t *testing.T, p pack.Packer, f *scf.Function) {
			write(t, filepath.Join(p.Folder, "main"), "x", 0o644)
			f.Patterns = []string{"main"}
		}, "the name of the binary"},
	} {
		t.Run(what+" is refused, and nothing is written", func(t *testing.T) {
			t.Parallel()
			p, f := service(t, binary), dump()
			c.change(t, p, &f)
			_, err := p.Pack(f)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "package dump: ") {
				t.Errorf("error is %v, want one with %q", err, c.says)
			}
			if _, err := os.Stat(p.Into); !os.IsNotExist(err) {
				t.Errorf("the folder of packages: %v", err)
			}
		})
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	binary := program(t, "linux", "amd64")

	t.Run("programs lie beside the binary, which everyone may execute, and the bytes are the same again", func(t *testing.T) {
		t.Parallel()
		p := service(t, binary)
		tools := t.TempDir()
		write(t, filepath.Join(tools, "ffmpeg"), string(binary), 0o700)
		write(t, filepath.Join(tools, "ffprobe"), string(binary), 0o755)
		p.Beside = map[string][]string{"dump": {filepath.Join(tools, "ffmpeg"), filepath.Join(tools, "ffprobe")}}
		made, err := p.Pack(dump())
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"main", "ffmpeg", "ffprobe", "rules/a.yaml", "rules/b.yaml", "tool"}; !slices.Equal(made.Files, want) {
			t.Errorf("files %v, want %v", made.Files, want)
		}
		first := read(t, made.Zip)
		archive, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
		if err != nil {
			t.Fatal(err)
		}
		if mode := archive.File[1].Mode(); mode != 0o755 {
			t.Errorf("ffmpeg has mode %v", mode)
		}
		if !strings.Contains(string(read(t, made.SBOM)), `"file:ffprobe"`) {
			t.Error("the SBOM has no ffprobe")
		}
		if _, err := p.Pack(dump()); err != nil || !bytes.Equal(read(t, made.Zip), first) {
			t.Errorf("packed again: %v, or other bytes", err)
		}
	})

	t.Run("one that needs libraries, or is none, is refused, and the error says what to do", func(t *testing.T) {
		t.Parallel()
		p := service(t, binary)
		script := filepath.Join(t.TempDir(), "ffmpeg")
		write(t, script, "#!/bin/sh\n", 0o755)
		p.Beside = map[string][]string{"dump": {script}}
		if _, err := p.Pack(dump()); err == nil || !strings.Contains(err.Error(), "layer") {
			t.Errorf("got %v", err)
		}
	})
}
