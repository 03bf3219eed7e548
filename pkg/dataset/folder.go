package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Folder is a store on a disk: keys are paths in it. Nothing outside of it is read or written.
type Folder struct{ root *os.Root }

// OpenFolder opens a folder that exists. Close it.
func OpenFolder(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", path, err)
	}
	return &Folder{root}, nil
}

// Close lets the folder go.
func (f *Folder) Close() error { return f.root.Close() }

// translated gives an error of the disk the meaning that it has for a store.
func translated(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", cos.ErrNotFound, err)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: %w", cos.ErrExists, err)
	}
	return err
}

// unfinished is the end of the names of files that are being written.
const unfinished = ".unfinished"

// Put writes a file. It is there whole or not at all.
func (f *Folder) Put(_ context.Context, key string, body io.Reader, o cos.PutOptions) (cos.Object, error) {
	if err := cos.CheckKey(key); err != nil {
		return cos.Object{}, err
	}
	name := filepath.FromSlash(key)
	if err := f.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return cos.Object{}, translated(err)
	}
	size, err := f.write(name, body, o.IfAbsent)
	if err != nil {
		return cos.Object{}, fmt.Errorf("write %s: %w", key, translated(err))
	}
	return cos.Object{Key: key, Size: size}, nil
}

func (f *Folder) write(name string, body io.Reader, ifAbsent bool) (size int64, err error) {
	// why a name of its own for each: two that write the same object must not write into one file
	temporary, file, err := f.create(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.root.Remove(temporary) }()
	size, err = io.Copy(file, body)
	if err = errors.Join(err, file.Close()); err != nil {
		return size, err
	}
	if ifAbsent {
		return size, f.root.Link(temporary, name)
	}
	return size, f.root.Rename(temporary, name)
}

func (f *Folder) create(name string) (string, *os.File, error) {
	for i := 0; ; i++ {
		temporary := fmt.Sprintf("%s.%d%s", name, i, unfinished)
		file, err := f.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil || !errors.Is(err, fs.ErrExist) || i == 1000 {
			return temporary, file, err
		}
	}
}

// GetRange reads a part of a file.
func (f *Folder) GetRange(_ context.Context, key string, offset, length int64) (io.ReadCloser, cos.Object, error) {
	file, err := f.root.Open(filepath.FromSlash(key))
	if err != nil {
		return nil, cos.Object{}, translated(err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder: %w", key, cos.ErrNotFound)
	}
	if err == nil && offset >= info.Size() && length != 0 {
		err = fmt.Errorf("%s has %d bytes, none at %d: %w", key, info.Size(), offset, cos.ErrRange)
	}
	if err != nil {
		return nil, cos.Object{}, errors.Join(err, file.Close())
	}
	if length < 0 || length > info.Size()-offset {
		length = info.Size() - offset
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(file, offset, length), file}, objectOf(key, info), nil
}

func objectOf(key string, info fs.FileInfo) cos.Object {
	modified := info.ModTime().UTC()
	return cos.Object{
		Key:      key,
		Size:     info.Size(),
		Modified: modified,
		ETag:     fmt.Sprintf("%d-%d", info.Size(), modified.UnixNano()),
	}
}

// List gives files in the order of their keys.
func (f *Folder) List(ctx context.Context, o cos.ListOptions) iter.Seq2[cos.Object, error] {
	return func(yield func(cos.Object, error) bool) {
		all, err := f.all(ctx, o)
		if err != nil {
			yield(cos.Object{}, translated(err))
			return
		}
		for _, object := range all {
			if !yield(object, nil) {
				return
			}
		}
	}
}

func (f *Folder) all(ctx context.Context, o cos.ListOptions) (all []cos.Object, err error) {
	begin := "."
	if i := strings.LastIndexByte(o.Prefix, '/'); i > 0 {
		begin = o.Prefix[:i]
	}
	prefixes := map[string]bool{}
	err = fs.WalkDir(f.root.FS(), begin, func(key string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if entry.IsDir() {
			return nil
		}
		if !strings.HasPrefix(key, o.Prefix) || key <= o.After || strings.HasSuffix(key, unfinished) {
			return nil
		}
		if o.Delimiter != "" {
			if i := strings.Index(key[len(o.Prefix):], o.Delimiter); i >= 0 {
				prefix := key[:len(o.Prefix)+i+len(o.Delimiter)]
				if !prefixes[prefix] && prefix > o.After {
					all = append(all, cos.Object{Key: prefix, Prefix: true})
				}
				prefixes[prefix] = true
				return nil
			}
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			all = append(all, objectOf(key, info))
		}
		return err
	})
	slices.SortFunc(all, func(a, b cos.Object) int { return strings.Compare(a.Key, b.Key) })
	return all, err
}

// Delete removes files. One that is not there is no error.
func (f *Folder) Delete(_ context.Context, keys ...string) error {
	var failed []error
	for _, key := range keys {
		if err := f.root.Remove(filepath.FromSlash(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
