package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Folder is the folder of one job for its temporary files, with a budget. Nothing in it has
// a name that comes from outside.
type Folder struct {
	dir    string
	lock   io.Closer
	budget int64
}

// folderPrefix begins the names of the folders of jobs.
const folderPrefix = "etl-media-"

// NewFolder makes a folder below parent, the system's folder for temporary files where that is "", for
// at most budget bytes. First it removes the folders of jobs whose process has died: no
// other job is in them any more.
func NewFolder(parent string, budget int64) (*Folder, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if err := sweep(parent); err != nil {
		return nil, fmt.Errorf("remove what a killed job has left: %w", err)
	}
	for {
		dir, err := os.MkdirTemp(parent, folderPrefix)
		if err != nil {
			return nil, err
		}
		lock, err := lockFolder(dir)
		if _, gone := os.Stat(dir); errors.Is(gone, os.ErrNotExist) { // another one's sweep was in between
			if err == nil {
				_ = lock.Close() // of a folder that is gone
			}
			continue
		}
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		return &Folder{dir: dir, lock: lock, budget: budget}, nil
	}
}

// sweep removes folders that nobody has locked.
func sweep(parent string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), folderPrefix) {
			continue
		}
		dir := filepath.Join(parent, entry.Name())
		lock, err := lockFolder(dir)
		if err != nil {
			continue // somebody is in it, or it is going
		}
		err = os.RemoveAll(dir)
		if err := errors.Join(err, lock.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the folder with all that is in it.
func (f *Folder) Close() error {
	return errors.Join(os.RemoveAll(f.dir), f.lock.Close())
}

func (f *Folder) path(name string) string { return filepath.Join(f.dir, name) }

// used is how much the files in it have.
func (f *Folder) used() (int64, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // it was removed meanwhile
		} else if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}

// room is an error where size more bytes do not fit.
func (f *Folder) room(size int64) error {
	used, err := f.used()
	if err == nil && used+size > f.budget {
		err = inputf(ErrNoRoom, "%d bytes are used and %d more are needed, of %d", used, size, f.budget)
	}
	return err
}

// download copies a source into the folder.
func (f *Folder) download(ctx context.Context, s Source, name string) error {
	if err := f.room(s.Size()); err != nil {
		return err
	}
	body, err := s.Open(ctx, 0, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := os.OpenFile(f.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(file, io.LimitReader(body, s.Size()+1))
	if err == nil && n != s.Size() {
		err = fmt.Errorf("read the input: %d bytes came of %d", n, s.Size())
	}
	return errors.Join(err, file.Close())
}
