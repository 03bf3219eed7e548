package localcos

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc64"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

var ecma = crc64.MakeTable(crc64.ECMA)

// body is what was stored of a request's body, and its sums.
type body struct {
	segments []segment
	size     int64
	crc      uint64
	md5      []byte
}

func (b *body) etag() string { return hex.EncodeToString(b.md5) }

// store writes content to a file of the bucket, hashing what passes. The file
// is kept until letGo of its segments, whoever refers to it besides.
func (b *bucket) store(content io.Reader) (_ *body, err error) {
	name := b.s.config.NewID()
	path := b.dataFile(name)
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	sums := newSums()
	size, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, sums)}, content, make([]byte, 128<<10))
	if err == nil && b.s.config.Fsync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if b.s.config.Fsync {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	stored := &body{size: size, crc: sums.crc.Sum64(), md5: sums.md5.Sum(nil)}
	if size == 0 {
		return stored, os.Remove(path)
	}
	stored.segments = []segment{{name, size}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retain(stored.segments)
	return stored, nil
}

// sums are both checksums of what is written.
type sums struct {
	crc hash.Hash64
	md5 hash.Hash
}

func newSums() *sums { return &sums{crc64.New(ecma), md5.New()} }

func (s *sums) Write(p []byte) (int, error) {
	_, _ = s.crc.Write(p) // they never fail
	_, _ = s.md5.Write(p)
	return len(p), nil
}

// maxBody is the longest body of one request: 5 GB (COS, "PUT Object").
const maxBody = 5 << 30

// storeBody stores the body of a request, and checks it by what the request
// says of it.
func (c *call) storeBody() (*body, error) {
	if c.r.ContentLength > maxBody {
		return nil, refuse(http.StatusBadRequest, "EntityTooLarge",
			"Your proposed upload exceeds the maximum allowed object size.")
	}
	var want []byte
	if text := c.r.Header.Get("Content-Md5"); text != "" {
		var err error
		if want, err = base64.StdEncoding.DecodeString(text); err != nil || len(want) != md5.Size {
			return nil, refuse(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
	}
	stored, err := c.bucket.store(&requestBody{c.r.Body})
	if err != nil {
		return nil, err
	}
	switch {
	case c.r.ContentLength >= 0 && stored.size != c.r.ContentLength:
		err = errIncompleteBody
	case want != nil && !bytes.Equal(want, stored.md5):
		err = refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	if err != nil {
		c.bucket.letGo(stored.segments)
		return nil, err
	}
	return stored, nil
}

// requestBody says of a body that ends too early what the service says.
type requestBody struct{ io.Reader }

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errIncompleteBody
	}
	return n, err
}

// send writes bytes [from, to) of a body.
func (b *bucket) send(w io.Writer, segments []segment, from, to int64) error {
	for _, s := range segments {
		if begin, end := max(from, 0), min(to, s.Size); begin < end {
			if err := b.sendFile(w, s, begin, end); err != nil {
				return err
			}
		}
		from, to = from-s.Size, to-s.Size
	}
	return nil
}

func (b *bucket) sendFile(w io.Writer, s segment, from, to int64) (err error) {
	f, err := os.Open(b.dataFile(s.File))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	_, err = io.CopyN(w, f, to-from)
	return err
}

// reader gives bytes [from, to) of a body. Close it.
func (b *bucket) reader(segments []segment, from, to int64) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(b.send(w, segments, from, to)) }()
	return r
}
