package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/pack"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// builtHandler is the name of the binary in a function's package, which the
// platform starts: handler in serverless.yml.
const builtHandler = "main"

// packager makes the package of a function of the service in a folder below
// into, and returns that folder.
type packager func(ctx context.Context, service string, f scf.Function, into string) (string, error)

// buildFunction builds functions/KEY for this machine, static as for the cloud,
// and returns the folder that is its package: one file, the binary. service is
// the folder of serverless.yml.
func buildFunction(ctx context.Context, service string, f scf.Function, into string) (string, error) {
	source := filepath.Join(service, "functions", f.Key)
	if _, err := os.Stat(source); err != nil {
		return "", fmt.Errorf("function %s: no folder functions/%s beside serverless.yml to build it from", f.Key, f.Key)
	}
	code := filepath.Join(into, f.Key)
	to := filepath.Join(code, cmp.Or(f.Handler, builtHandler))
	// why these flags: make build has them too, and linking takes a third less without what only a debugger reads.
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", to, "./functions/"+f.Key)
	build.Dir = service
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build function %s: %w\n%s", f.Key, err, strings.TrimSpace(string(out)))
	}
	return code, copyExtra(service, f, code)
}

// copyExtra puts the extra files of a function into its package, where the zip for
// the cloud has them too.
func copyExtra(service string, f scf.Function, code string) error {
	root, err := os.OpenRoot(service)
	if err != nil {
		return fmt.Errorf("function %s: %w", f.Key, err)
	}
	defer root.Close()
	names, err := pack.Extra(root.FS(), f.Patterns)
	if err != nil {
		return fmt.Errorf("function %s: %w", f.Key, err)
	}
	for _, name := range names {
		if err := copyOne(root, name, filepath.Join(code, filepath.FromSlash(name))); err != nil {
			return fmt.Errorf("function %s: copy %s: %w", f.Key, name, err)
		}
	}
	return nil
}

func copyOne(root *os.Root, name, to string) error {
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	content, err := root.ReadFile(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm()|0o444)
}

// takeFunction makes the package of a function from its binary in serverless.yml,
// built before and for this machine, and returns the folder that is the package.
func takeFunction(_ context.Context, service string, f scf.Function, into string) (string, error) {
	from := filepath.Join(service, filepath.FromSlash(f.Binary))
	binary, err := os.Open(from)
	if err != nil {
		return "", fmt.Errorf("function %s: no binary to take, make build builds it and without --prebuilt etl does: %w", f.Key, err)
	}
	defer binary.Close()
	code := filepath.Join(into, f.Key)
	if err := os.Mkdir(code, 0o755); err != nil {
		return "", fmt.Errorf("function %s: %w", f.Key, err)
	}
	to, err := os.OpenFile(filepath.Join(code, cmp.Or(f.Handler, builtHandler)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return "", fmt.Errorf("function %s: %w", f.Key, err)
	}
	_, err = io.Copy(to, binary)
	if err := errors.Join(err, to.Close()); err != nil {
		return "", fmt.Errorf("function %s: copy %s: %w", f.Key, from, err)
	}
	return code, copyExtra(service, f, code)
}

// findService gives the folder that holds serverless.yml: the named file's, or
// the nearest one upwards from the working directory.
func findService(file string) (folder, path string, err error) {
	if file != "" {
		path, err = filepath.Abs(file)
		return filepath.Dir(path), path, err
	}
	folder, err = os.Getwd()
	if err != nil {
		return "", "", err
	}
	for start := folder; ; folder = filepath.Dir(folder) {
		path = filepath.Join(folder, "serverless.yml")
		if _, err := os.Stat(path); err == nil {
			return folder, path, nil
		}
		if folder == filepath.Dir(folder) {
			return "", "", usagef("no serverless.yml in %s or above it: change to the project's folder or give --config", start)
		}
	}
}
