package sls

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// root is the project's.
const root = "../.."

// requireNode skips the test, and says why and what to do about it, where there
// is no Node.js; with ETL_REQUIRE_DOCKER=1 it fails the test instead.
func requireNode(t *testing.T, programs ...string) {
	t.Helper()
	required := os.Getenv("ETL_REQUIRE_DOCKER") == "1"
	if testing.Short() && !required {
		t.Skip("runs sls deploy, left out by -short: make integration")
	}
	for _, program := range append(programs, "node") {
		if _, err := exec.LookPath(program); err != nil {
			message := fmt.Sprintf("needs %s: install Node.js 18 or later with npm", program)
			if required {
				t.Fatal(message)
			}
			t.Skip(message)
		}
	}
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		t.Skip("the deployed zips hold programs for linux/amd64, which do not run here")
	}
}

// frameworks is the folder with both releases, installed once and kept in the
// user's cache.
func frameworks(t *testing.T) string {
	t.Helper()
	requireNode(t, "npm")
	installed.once.Do(func() { installed.folder, installed.err = install(context.Background()) })
	if installed.err != nil {
		t.Fatal(installed.err)
	}
	return installed.folder
}

var installed struct {
	once   sync.Once
	folder string
	err    error
}

const installTimeout = 8 * time.Minute

func install(ctx context.Context) (string, error) {
	lock, err := os.ReadFile("testdata/npm/package-lock.json")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "scf-etl", "sls-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(folder); err == nil {
		return filepath.Join(folder, "node_modules"), nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	draft, err := os.MkdirTemp(filepath.Dir(folder), "sls-draft-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(draft)
	if err := os.CopyFS(draft, os.DirFS("testdata/npm")); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	npm.Dir = draft
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install the frameworks: npm ci: %w\n%s", err, out)
	}
	// why: a run that is killed before leaves no half of it
	if err := os.Rename(draft, folder); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(folder); there != nil {
			return "", err
		}
	}
	return filepath.Join(folder, "node_modules"), nil
}

// built are the programs, each built once.
var built struct {
	dir            string
	etl, functions program
}

// etl is the built command line.
func etl(t *testing.T) string {
	t.Helper()
	path := filepath.Join(built.dir, "etl")
	built.etl.build(t, path, "./cmd/etl")
	return path
}

// functionBinaries is the folder of the built functions, each with the name of
// its folder.
func functionBinaries(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(built.dir, "functions") + string(filepath.Separator)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	built.functions.build(t, folder, "./functions/...")
	return folder
}

type program struct {
	once sync.Once
	err  error
}

// build builds packages of the project to a file, or each to a file of its name
// in a folder, which then ends with a slash.
func (p *program) build(t *testing.T, to, what string) {
	t.Helper()
	p.once.Do(func() {
		// as make build does
		command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", to, what)
		command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			p.err = fmt.Errorf("build %s: %w\n%s", what, err, out)
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
}
