package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// writer writes files and folders under other names beside their places, and puts all of
// them there at the end.
type writer struct {
	moves []move
	made  []string // folders that were made on the way
}

// move is one step of the end: from is put at to.
type move struct {
	from, to string
	old      []byte // what to holds; nil where there is nothing
	done     bool
}

// addBlock stages serverless.yml with the function's block, and gives the service that
// it is then.
func (w *writer) addBlock(path string, o scf.Options, f Function) (*scf.Service, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, err := f.Block()
	if err != nil {
		return nil, err
	}
	next, err := Insert(string(text), block)
	if err != nil {
		return nil, err
	}
	staged, err := w.replace(path, text, next)
	if err != nil {
		return nil, err
	}
	service, err := scf.Load(staged, o)
	if err != nil {
		return nil, fmt.Errorf("%s %w: with the new block %w", filepath.Base(path), ErrFile, err)
	}
	for _, loaded := range service.Functions {
		if loaded.Key != f.Name {
			continue
		}
		if !scf.ValidName(loaded.Name) {
			return nil, fmt.Errorf("%w: its full name would be %q, want %s", ErrName, loaded.Name, scf.FunctionNames)
		}
		return service, nil
	}
	return nil, fmt.Errorf("%s %w: the new block does not become a function", filepath.Base(path), ErrFile)
}

// addToCatalogue stages the page of the functions. It is false where there is nothing to change.
func (w *writer) addToCatalogue(page string, service *scf.Service) (bool, error) {
	text, err := os.ReadFile(page)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	next, ok := WithCatalogue(string(text), Catalogue(service))
	if !ok || next == string(text) {
		return false, nil
	}
	_, err = w.replace(page, text, next)
	return true, err
}

// replace stages another text for a file, and says where.
func (w *writer) replace(path string, old []byte, text string) (staged string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*"+filepath.Ext(path))
	if err != nil {
		return "", err
	}
	w.moves = append(w.moves, move{from: file.Name(), to: path, old: old})
	_, err = file.WriteString(text)
	return file.Name(), errors.Join(err, file.Close(), os.Chmod(file.Name(), info.Mode().Perm()))
}

// addFolder stages a new folder.
func (w *writer) addFolder(path string, files []File) error {
	parent := filepath.Dir(path)
	if err := os.Mkdir(parent, 0o755); err == nil {
		w.made = append(w.made, parent)
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	staged, err := os.MkdirTemp(parent, ".new-*")
	if err != nil {
		return err
	}
	w.moves = append(w.moves, move{from: staged, to: path})
	if err := os.Chmod(staged, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		to := filepath.Join(staged, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, f.Text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// commit puts everything in its place.
func (w *writer) commit() error {
	for i := range w.moves {
		m := &w.moves[i]
		if err := os.Rename(m.from, m.to); err != nil {
			return err
		}
		m.done = true
	}
	return nil
}

// end removes what is still staged; after an error it takes everything back.
func (w *writer) end(failed error) error {
	var faults []error
	for _, m := range w.moves {
		switch {
		case failed != nil && m.done && m.old != nil:
			faults = append(faults, os.WriteFile(m.to, m.old, 0o644)) // which keeps the mode of what is there
		case failed != nil && m.done:
			faults = append(faults, os.RemoveAll(m.to))
		}
		faults = append(faults, os.RemoveAll(m.from))
	}
	if failed != nil {
		for _, folder := range w.made {
			faults = append(faults, os.Remove(folder))
		}
	}
	return errors.Join(faults...)
}
