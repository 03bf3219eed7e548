package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// builtHandler is the name of the binary in a function's package, which the
// platform starts: handler in serverless.yml.
const builtHandler = "main"

// buildFunction builds functions/KEY for this machine, static as for the cloud,
// and returns the folder that is its package: one file, the binary. service is
// the folder of serverless.yml.
func buildFunction(ctx context.Context, service string, f scf.Function, into string) (string, error) {
	source := filepath.Join(service, "functions", f.Key)
	if _, err := os.Stat(source); err != nil {
		return "", fmt.Errorf("function %s: no folder functions/%s beside serverless.yml to build it from", f.Key, f.Key)
	}
	handler := f.Handler
	if handler == "" {
		handler = builtHandler
	}
	code := filepath.Join(into, f.Key)
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(code, handler), "./functions/"+f.Key)
	build.Dir = service
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build function %s: %w\n%s", f.Key, err, strings.TrimSpace(string(out)))
	}
	return code, nil
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
