package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// store keeps the states of functions, one file each:
// functions/NAMESPACE/NAME.json. A state is replaced whole, by one rename.
type store struct {
	folder string
	unlock func() error
}

// openStore opens a folder, and keeps others out of it.
func openStore(folder string) (store, error) {
	s := store{folder: filepath.Join(folder, "functions")}
	// why these modes: an environment holds passwords.
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return store{}, err
	}
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		return store{}, err
	}
	s.unlock = unlock
	return s, nil
}

func (s store) close() error {
	if s.unlock == nil {
		return nil
	}
	return s.unlock()
}

// path is where a function is kept; both names were checked to be plain.
func (s store) path(st *state) string {
	return filepath.Join(s.folder, orDefault(st.namespace()), st.name()+".json")
}

// put keeps a state durably.
func (s store) put(st *state) error {
	text, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return fmt.Errorf("keep function %s: %w", st.name(), err)
	}
	path := s.path(st)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep function %s: %w", st.name(), err)
	}
	if err := errors.Join(writeFile(path, text), syncFolder(s.folder)); err != nil {
		return fmt.Errorf("keep function %s: %w", st.name(), err)
	}
	return nil
}

// remove forgets a function durably.
func (s store) remove(st *state) error {
	path := s.path(st)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget function %s: %w", st.name(), err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget function %s: %w", st.name(), err)
	}
	return nil
}

// load reads all states. What a write has left that was killed is removed.
func (s store) load() ([]*state, error) {
	var all []*state
	err := filepath.WalkDir(s.folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case strings.HasSuffix(path, unfinished):
			return os.Remove(path)
		case !strings.HasSuffix(path, ".json"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		st := &state{}
		if err := json.Unmarshal(text, st); err != nil {
			return fmt.Errorf("%s is damaged, remove it and deploy the function again: %w", path, err)
		}
		if !scf.ValidName(st.name()) || s.path(st) != path {
			return fmt.Errorf("%s is not the state of a function of that name: remove it", path)
		}
		all = append(all, st)
		return nil
	})
	return all, err
}

// unfinished ends the name of a file that is being written.
const unfinished = ".new"

// writeFile replaces a file whole: after a crash it is the old or the new one.
func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path+unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+unfinished))
	}
	return install(path+unfinished, path)
}

// install gives a file that is written its name, durably.
func install(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Remove(from))
	}
	return syncFolder(filepath.Dir(to))
}

// syncFolder makes the names in a folder durable.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
