package sls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// folder reads the files of a service. Whatever name a variable gives, nothing outside the folder is opened: [os.Root]
// refuses .., absolute paths and symbolic links that lead out.
type folder struct {
	root   *os.Root
	budget *budget
	parsed map[string]*Value // by name; nil for a file that does not exist
}

func openFolder(dir string, b *budget) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return &folder{root, b, map[string]*Value{}}, nil
}

func (f *folder) close() { _ = f.root.Close() } // nothing was written

var errNotRegular = errors.New("is not a regular file")

// bytes reads a file of at most maxFileBytes. nil is a file that does not exist.
func (f *folder) bytes(name string) ([]byte, error) {
	if f.budget.files--; f.budget.files < 0 {
		return nil, fmt.Errorf("more than %d files are read", maxFiles)
	}
	info, err := f.root.Stat(name) // before opening: to open a pipe would wait for its writer
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, err
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFileBytes {
		return nil, fmt.Errorf("is larger than %d bytes", maxFileBytes)
	}
	return append([]byte{}, bytes.TrimPrefix(content, []byte("\ufeff"))...), nil
}

// service reads the service file itself; name is shown in positions as the caller gave it.
func (f *folder) service(name string) (*Value, error) {
	content, err := f.bytes(filepath.Base(name))
	if err == nil && content == nil {
		err = errors.New("does not exist")
	}
	if err != nil {
		return nil, &Error{Pos: Position{File: name}, Reason: err.Error()}
	}
	switch filepath.Ext(name) {
	case ".yml", ".yaml":
		return parseYAML(name, content, f.budget)
	case ".json":
		return parseJSON(name, content, f.budget)
	}
	return nil, &Error{Pos: Position{File: name}, Reason: "is neither .yml, .yaml nor .json", Fix: "a configuration in code is not run"}
}

// read gives the parsed content of a file; nil for one that does not exist.
func (f *folder) read(name string) (*Value, error) {
	if v, ok := f.parsed[name]; ok {
		return v, nil
	}
	content, err := f.bytes(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if content == nil {
		f.parsed[name] = nil
		return nil, nil
	}
	v, err := f.parse(name, content)
	if err != nil {
		return nil, err
	}
	disown(v)
	f.parsed[name] = v
	return v, nil
}

func (f *folder) parse(name string, content []byte) (*Value, error) {
	switch path.Ext(name) {
	case ".yml", ".yaml":
		return parseYAML(name, content, f.budget)
	case ".json", ".tfstate":
		return parseJSON(name, content, f.budget)
	}
	text := string(content)
	if err := checkText(name, text); err != nil {
		return nil, err
	}
	return &Value{Kind: String, Text: text, Pos: Position{name, 1, 1}}, f.budget.take(1, len(text))
}

// disown marks values as not written in the service file: a file beside it may well be kept out of version control.
func disown(v *Value) {
	v.Literal = false
	for _, e := range v.List {
		disown(e)
	}
	for _, field := range v.fields {
		disown(field.Value)
	}
}

// file answers ${file(path)} and ${file(path):key.key}.
func (r *resolver) file(params []*Value, address string, at place, x *variable) (*Value, absence, error) {
	refuse := func(reason, fix string) (*Value, absence, error) {
		return nil, absence{}, r.report(at.fault(x.raw, reason, fix))
	}
	var name string
	if len(params) > 0 {
		name, _ = params[0].Scalar()
	}
	if name == "" {
		return refuse("names no file", "write ${file(path)}")
	}
	clean := path.Clean(filepath.ToSlash(name))
	if path.IsAbs(clean) || filepath.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") {
		return refuse("leads out of the service's folder", "keep the file beside the service file and name it relative to that")
	}
	switch path.Ext(clean) {
	case ".js", ".cjs", ".mjs", ".ts":
		return refuse("is code, which reading a configuration does not run", "keep the values in a .yml or .json file")
	}
	content, err := r.files.read(clean)
	if err != nil {
		return refuse(err.Error(), "")
	}
	why := absence{clean + " does not exist or is empty", "create it, or give a default: ${file(" + clean + "), 'value'}"}
	if content.IsNull() || address == "" {
		return content, why, nil
	}
	why = absence{clean + " has no " + address, "set it there, or give a default"}
	v, err := r.within(content, strings.Split(address, "."), at)
	return v, why, err
}

// within goes down a path of a file's content, whose variables are those of the service.
func (r *resolver) within(content *Value, keys []string, at place) (*Value, error) {
	v, err := content.clone(r.budget)
	if err != nil {
		return nil, r.report(at.fault("", err.Error(), ""))
	}
	return r.walk(v, keys, at.path)
}
