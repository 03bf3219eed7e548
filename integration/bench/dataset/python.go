package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// root is the folder of the module.
func root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return dir, nil
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		err = errors.New("run it in the repository")
	}
	return "", err
}

func scriptPath() (string, error) {
	dir, err := root()
	return filepath.Join(dir, "integration", "bench", "dataset", "testdata", "query.py"), err
}

// python gives an interpreter that has DuckDB.
func python(ctx context.Context) (string, error) {
	if named := os.Getenv("PYTHON"); named != "" {
		return named, nil
	}
	dir, err := root()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "scf-etl", "bench-dataset")
	interpreter, lock := filepath.Join(
		folder,
		"bin",
		"python",
	), filepath.Join(
		dir,
		"integration",
		"dataset",
		"testdata",
		"requirements.txt",
	)
	for _, cmd := range []*exec.Cmd{
		exec.CommandContext(ctx, "python3", "-m", "venv", folder),
		exec.CommandContext(ctx, interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps", "-r", lock),
	} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf(
				"DuckDB is needed: Python 3 with venv, and a package registry, or PYTHON with it: %w\n%s",
				err,
				out,
			)
		}
	}
	return interpreter, nil
}
