package pack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"aead.dev/minisign"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// The files of a function in the folder of packages are its key with one of these
// behind it.
const (
	ZipSuffix       = ".zip"
	SBOMSuffix      = ".cdx.json"
	SignatureSuffix = ".minisig" // behind the name of the zip, as minisign has it
)

// Packer makes the packages of a service.
type Packer struct {
	// Folder holds serverless.yml; binaries and extra files are below it.
	Folder string
	// Into is the folder of the packages, made where it is missing.
	Into string
	// Beside are programs of this machine that lie beside a function's binary in its package, under
	// the last part of their path: by the key of the function. As the binary, each has to be a static
	// program for linux/amd64.
	Beside map[string][]string
	// Key signs the zips; nil signs none.
	Key *minisign.PrivateKey
}

// Package is what was made of one function.
type Package struct {
	Function  string   `json:"function"`
	Zip       string   `json:"zip"` // the path, as the others
	SBOM      string   `json:"sbom"`
	Signature string   `json:"signature,omitempty"` // empty where nothing has signed it
	Bytes     int64    `json:"bytes"`               // of the zip
	Unzipped  int64    `json:"unzippedBytes"`
	Files     []string `json:"files"` // in the zip, in its order
}

// Inline reports whether the zip fits into a request to the API; a larger one is
// deployed through COS.
func (p Package) Inline() bool { return p.Bytes <= scf.MaxInlineZip }

// Pack writes the package of a function over the one that is there. The binary is
// refused where the platform could not run it: it has to be a static program for
// linux/amd64. On an error the former package stays as it is, but for a signature
// that no longer belongs to anything.
func (p Packer) Pack(f scf.Function) (Package, error) {
	made, err := p.pack(f)
	if err != nil {
		return Package{}, fmt.Errorf("package %s: %w", f.Key, err)
	}
	return made, nil
}

func (p Packer) pack(f scf.Function) (Package, error) {
	contents, err := p.contents(f)
	if err != nil {
		return Package{}, err
	}
	made := Package{
		Function: f.Key, Zip: filepath.Join(p.Into, f.Key+ZipSuffix), SBOM: filepath.Join(p.Into, f.Key+SBOMSuffix),
	}
	for _, file := range contents {
		made.Files = append(made.Files, file.name)
		made.Unzipped += int64(len(file.content))
	}
	if made.Unzipped > scf.MaxCode {
		return Package{}, fmt.Errorf("%d MB unzipped, and the platform takes %d MB: leave files out of package.patterns",
			made.Unzipped>>20, scf.MaxCode>>20)
	}
	var zipped, sbom bytes.Buffer
	if err := writeZip(&zipped, contents); err != nil {
		return Package{}, err
	}
	if err := writeSBOM(&sbom, f.Key, zipped.Bytes(), contents); err != nil {
		return Package{}, err
	}
	made.Bytes = int64(zipped.Len())
	signature := made.Zip + SignatureSuffix
	if err := os.MkdirAll(p.Into, 0o755); err != nil {
		return Package{}, err
	}
	// why first: between two writes, a zip without a signature is refused, and one
	// with that of another would look like a forgery.
	if err := os.Remove(signature); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Package{}, err
	}
	if err := replace(made.Zip, zipped.Bytes()); err != nil {
		return Package{}, err
	}
	if err := replace(made.SBOM, sbom.Bytes()); err != nil {
		return Package{}, err
	}
	if p.Key != nil {
		made.Signature = signature
		return made, replace(signature, sign(*p.Key, filepath.Base(made.Zip), zipped.Bytes()))
	}
	return made, nil
}

// replace writes a file whole or not at all.
func replace(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(file.Name(), path)
}
