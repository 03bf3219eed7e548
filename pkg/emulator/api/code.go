package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// code names a zip by its content. The zero value is code that was deployed
// otherwise: the platform alone has it.
type code struct {
	SHA256 string
	Size   int64
}

// codes keeps zips in a folder, each once: SHA256.zip.
type codes struct {
	folder string
	pins   *pins
}

// pins are zips that no state names yet and that are not to be removed.
type pins struct {
	mu    sync.Mutex
	count map[string]int
}

func openCodes(folder string) (codes, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return codes{}, err
	}
	return codes{folder: folder, pins: &pins{count: map[string]int{}}}, nil
}

func (c codes) path(sum string) string { return filepath.Join(c.folder, sum+".zip") }

// put keeps a zip durably, and checks what it holds. release is to be called
// once a state names it, or none will.
func (c codes) put(zip io.Reader) (_ code, release func(), err error) {
	f, err := os.CreateTemp(c.folder, "*"+unfinished)
	if err != nil {
		return code{}, nil, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(zip, scf.MaxCode+1))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = checkZip(f.Name(), n)
	}
	if err != nil {
		return code{}, nil, errors.Join(err, os.Remove(f.Name()))
	}
	kept := code{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}
	release = c.pins.pin(kept.SHA256)
	if err := install(f.Name(), c.path(kept.SHA256)); err != nil {
		release()
		return code{}, nil, err
	}
	return kept, release, nil
}

// unpack puts a zip into a new folder below the store's, which remove removes.
func (c codes) unpack(which code) (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp(c.folder, "unpacked-*"+unfinished)
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(folder) } // what is left of it is removed at the next start
	if err := unzip(c.path(which.SHA256), folder); err != nil {
		remove()
		return "", nil, err
	}
	return folder, remove, nil
}

// clean removes zips that neither a state nor a pin names, and, at the start,
// what a killed process has left.
func (c codes) clean(names func() map[string]bool, start bool) error {
	c.pins.mu.Lock()
	defer c.pins.mu.Unlock()
	named := names() // why here: what is pinned no more has been named before
	list, err := os.ReadDir(c.folder)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range list {
		sum, zip := strings.CutSuffix(f.Name(), ".zip")
		if zip && !named[sum] && c.pins.count[sum] == 0 || start && strings.HasSuffix(f.Name(), unfinished) {
			errs = append(errs, os.RemoveAll(filepath.Join(c.folder, f.Name())))
		}
	}
	return errors.Join(errs...)
}

func (p *pins) pin(sum string) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count[sum]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.count[sum]--; p.count[sum] == 0 {
			delete(p.count, sum)
		}
	})
}

// putBytes is put for a zip in memory.
func (c codes) putBytes(zip []byte) (code, func(), error) { return c.put(bytes.NewReader(zip)) }

// checkZip refuses what cannot be unpacked.
func checkZip(path string, size int64) error {
	if size > scf.MaxCode {
		return fmt.Errorf("%w: it has more than %d bytes", errZip, scf.MaxCode)
	}
	r, err := openZip(path)
	if err != nil {
		return err
	}
	return errors.Join(plan(r.File), r.Close())
}
