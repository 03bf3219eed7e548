package api

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// errZip means that a zip is refused.
var errZip = errors.New("the zip is refused")

// maxEntries bounds the files of a zip: each costs this machine a file, however
// small it is.
const maxEntries = 20_000

func openZip(path string) (*zip.ReadCloser, error) {
	r, err := zip.OpenReader(path)
	if err != nil && r != nil {
		_ = r.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errZip, err)
	}
	return r, nil
}

// plan refuses a zip before anything of it is written: names outside the
// folder, anything but files and folders, more than the platform takes.
func plan(files []*zip.File) error {
	if len(files) > maxEntries {
		return fmt.Errorf("%w: it has %d files, allowed are %d", errZip, len(files), maxEntries)
	}
	var size uint64
	seen := map[string]bool{}
	for _, f := range files {
		name := path.Clean(f.Name)
		switch {
		case strings.ContainsAny(f.Name, "\\\x00") || !filepath.IsLocal(filepath.FromSlash(f.Name)) || name == ".":
			return fmt.Errorf("%w: %q is no path inside it", errZip, f.Name)
		case !f.Mode().IsRegular() && !f.Mode().IsDir():
			return fmt.Errorf("%w: %q is neither a file nor a folder", errZip, f.Name)
		case f.Flags&1 != 0:
			return fmt.Errorf("%w: %q is encrypted", errZip, f.Name)
		case seen[name] && !f.Mode().IsDir():
			return fmt.Errorf("%w: %q stands in it twice", errZip, f.Name)
		}
		seen[name] = true
		if size += min(f.UncompressedSize64, scf.MaxCode+1); size > scf.MaxCode {
			return fmt.Errorf("%w: unzipped it has more than %d bytes", errZip, int64(scf.MaxCode))
		}
	}
	return nil
}

// unzip unpacks a zip into a folder that is empty. Files keep their mode.
func unzip(from, into string) error {
	r, err := openZip(from)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := plan(r.File); err != nil {
		return err
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range r.File {
		if err := unzipFile(root, f); err != nil {
			return fmt.Errorf("%w: %q: %w", errZip, f.Name, err)
		}
	}
	return nil
}

func unzipFile(root *os.Root, f *zip.File) error {
	name := filepath.FromSlash(path.Clean(f.Name))
	if f.Mode().IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// why one more: what lies about its size is found out, and not written whole.
	n, err := io.Copy(to, io.LimitReader(from, int64(f.UncompressedSize64)+1))
	if err == nil && n > int64(f.UncompressedSize64) {
		err = errors.New("it is larger than it says")
	}
	return errors.Join(err, to.Chmod(f.Mode().Perm()|0o400), to.Close())
}
