package media

import (
	"context"
	"io"
	"os"
)

// Source is a file that is read, as often as it takes and from any place on. All reads are
// of the same version of it.
type Source interface {
	// Size is in bytes.
	Size() int64
	// Open reads length bytes from offset on; a negative length is all of the rest. The caller closes it.
	Open(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// LocalFile is a Source of this machine.
type LocalFile struct {
	path string
	size int64
}

// OpenLocal looks whether path is a file that can be read.
func OpenLocal(path string) (*LocalFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: os.ErrInvalid}
	}
	return &LocalFile{path: path, size: info.Size()}, nil
}

// Size is that of the file when it was opened.
func (f *LocalFile) Size() int64 { return f.size }

// Open reads a part of the file.
func (f *LocalFile) Open(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	if length < 0 {
		length = f.size - offset
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(file, offset, length), file}, nil
}

// readAt reads all of a small part of a source.
func readAt(ctx context.Context, s Source, offset, length int64) ([]byte, error) {
	length = min(length, s.Size()-offset)
	if length <= 0 {
		return nil, nil
	}
	body, err := s.Open(ctx, offset, length)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content := make([]byte, length)
	_, err = io.ReadFull(body, content)
	return content, err
}
