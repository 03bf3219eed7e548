package pack

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// file is one file of a package.
type file struct {
	name    string // slashes, below the root of the zip
	mode    fs.FileMode
	content []byte
}

// DefaultHandler is the name of a binary in its package where serverless.yml has none.
const DefaultHandler = "main"

// contents reads the files of a function's package: the binary first, then the
// extra ones in the order of their names.
func (p Packer) contents(f scf.Function) ([]file, error) {
	// why: what serverless.yml names must not lie outside of its folder, also by a link.
	root, err := os.OpenRoot(p.Folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	handler := cmp.Or(f.Handler, DefaultHandler)
	binary, err := root.ReadFile(f.Binary)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no binary %s: make build makes it", f.Binary)
	} else if err != nil {
		return nil, fmt.Errorf("read the binary: %w", err)
	}
	if err := checkBinary(binary); err != nil {
		return nil, fmt.Errorf("%s %w: build it with CGO_ENABLED=0 GOOS=linux GOARCH=amd64, as make build does", f.Binary, err)
	}
	all := []file{{name: handler, mode: 0o755, content: binary}}
	for _, path := range p.Beside[f.Key] {
		program, err := besides(path)
		if err != nil {
			return nil, err
		}
		if program.name == handler {
			return nil, fmt.Errorf("%s has the name of the function's binary in the zip", path)
		}
		all = append(all, program)
	}
	names, err := Extra(root.FS(), f.Patterns)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if name == handler {
			return nil, fmt.Errorf("package.patterns has %s, which is the name of the binary in the zip", name)
		}
		if slices.ContainsFunc(all, func(f file) bool { return f.name == name }) {
			return nil, fmt.Errorf("package.patterns has %s, and so has the package already", name)
		}
		info, err := root.Stat(name)
		if err != nil {
			return nil, err
		}
		content, err := root.ReadFile(name)
		if err != nil {
			return nil, err
		}
		// why two modes alone: git keeps no others, so a checkout on another machine has them too.
		mode := fs.FileMode(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		all = append(all, file{name: name, mode: mode, content: content})
	}
	return all, nil
}

// besides reads a program that lies beside a function's binary.
func besides(path string) (file, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return file{}, err
	}
	if err := checkBinary(content); err != nil {
		return file{}, fmt.Errorf("%s %w: it is not self-contained. Take a static build for linux/amd64, "+
			"or put this one into a layer, with its libraries", path, err)
	}
	return file{name: filepath.Base(path), mode: 0o755, content: content}, nil
}

// checkBinary says what keeps the platform from running a program.
func checkBinary(content []byte) error {
	program, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return errors.New("is no program for Linux")
	}
	defer program.Close()
	if program.Class != elf.ELFCLASS64 || program.Machine != elf.EM_X86_64 {
		return fmt.Errorf("is for %v and not for amd64", program.Machine)
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			return errors.New("needs libraries that the platform may not have")
		}
	}
	return nil
}
