// Package watch says when the code of a function has changed on disk: its own folder, and
// the packages of the module that it is built of. It looks again and again, because that
// works the same on every system and in every editor, and costs a millisecond.
package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Source is where the files are that a program is built of.
type Source struct {
	Own      string   // the program's folder, of which every file counts but tests, their data and pages
	Packages []string // folders of the packages of the same module, of which Go files count
	Files    []string // others: embedded ones, go.mod, go.sum
}

// Find asks the go command what a program of a module is built of. root is the module's
// folder, folder the program's, from there. Code that does not compile is no error.
func Find(ctx context.Context, root, folder string) (Source, error) {
	list := exec.CommandContext(ctx, "go", "list", "-e", "-deps", "-json=Dir,Module,EmbedFiles", "./"+filepath.ToSlash(folder))
	list.Dir = root
	out, err := list.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return Source{}, fmt.Errorf("list what %s is built of: %w", folder, err)
	}
	s := Source{Own: filepath.Join(root, folder), Files: []string{filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum")}}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir        string
			Module     *struct{ Main bool }
			EmbedFiles []string
		}
		if err := decoder.Decode(&p); err == io.EOF {
			return s, nil
		} else if err != nil {
			return Source{}, fmt.Errorf("list what %s is built of: %w", folder, err)
		}
		if p.Module == nil || !p.Module.Main || p.Dir == "" {
			continue
		}
		s.Packages = append(s.Packages, p.Dir)
		for _, name := range p.EmbedFiles {
			s.Files = append(s.Files, filepath.Join(p.Dir, name))
		}
	}
}

// stamp tells two states of a file apart.
type stamp struct{ modified, size int64 }

// stamps are those of all files that are there, by path.
type stamps map[string]stamp

func (s stamps) equal(other stamps) bool { return maps.Equal(s, other) }

// look reads the stamps of a source. What cannot be read is not there.
func (s Source) look() stamps {
	found := stamps{}
	add := func(path string, info fs.FileInfo, err error) {
		if err == nil && info.Mode().IsRegular() {
			found[path] = stamp{info.ModTime().UnixNano(), info.Size()}
		}
	}
	folder := func(dir string, counts func(name string) bool) {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if counts(e.Name()) {
				info, err := e.Info()
				add(filepath.Join(dir, e.Name()), info, err)
			}
		}
	}
	folder(s.Own, own)
	for _, dir := range s.Packages {
		folder(dir, code)
	}
	for _, path := range s.Files {
		info, err := os.Stat(path)
		add(path, info, err)
	}
	return found
}

// code says whether a file is built into a program, by its name.
func code(name string) bool {
	return filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") && !hidden(name)
}

// own says whether a file of a function's folder is of the function, by its name.
func own(name string) bool {
	return !hidden(name) && !strings.HasSuffix(name, "_test.go") && filepath.Ext(name) != ".md" && !strings.HasSuffix(name, "~")
}

// hidden are files of editors, which come and go.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") }
