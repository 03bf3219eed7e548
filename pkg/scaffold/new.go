package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Created is what [New] has made. Paths are from the project's folder, with slashes.
type Created struct {
	Name    string   `json:"name"`
	Trigger string   `json:"trigger"`
	Folder  string   `json:"folder"`
	Files   []string `json:"files"`   // new ones
	Changed []string `json:"changed"` // those that were there
}

// New makes a function beside the others of the serverless.yml at path, which is read
// with o, in the module whose go.mod is in the same folder. The catalogue of
// functions/README.md is brought up to date, where there is one.
//
// A function or folder of that name is [ErrExists], another fault of the arguments
// [ErrName] or [ErrTrigger], a file that nothing can be added to [ErrFile]: everything is
// looked at before anything is written. On an error nothing has changed.
func New(path string, o scf.Options, f Function) (Created, error) {
	created, err := create(path, o, f)
	if err != nil {
		return Created{}, fmt.Errorf("new function %s: %w", f.Name, err)
	}
	return created, nil
}

func create(path string, o scf.Options, f Function) (_ Created, err error) {
	if err := f.check(); err != nil {
		return Created{}, err
	}
	root := filepath.Dir(path)
	module, err := modulePath(filepath.Join(root, "go.mod"))
	if err != nil {
		return Created{}, err
	}
	files, err := f.Files(module)
	if err != nil {
		return Created{}, err
	}
	if err := absent(path, o, f.Name); err != nil {
		return Created{}, err
	}
	var w writer
	defer func() { err = errors.Join(err, w.end(err)) }()
	service, err := w.addBlock(path, o, f)
	if err != nil {
		return Created{}, err
	}
	created := Created{Name: f.Name, Trigger: f.Trigger, Folder: "functions/" + f.Name, Changed: []string{filepath.Base(path)}}
	page := filepath.Join(root, "functions", "README.md")
	if changed, err := w.addToCatalogue(page, service); err != nil {
		return Created{}, err
	} else if changed {
		created.Changed = append(created.Changed, "functions/README.md")
	}
	if err := w.addFolder(filepath.Join(root, "functions", f.Name), files); err != nil {
		return Created{}, err
	}
	for _, file := range files {
		created.Files = append(created.Files, created.Folder+"/"+file.Path)
	}
	return created, w.commit()
}

var moduleLine = regexp.MustCompile(`(?m)^module[ \t]+"?([^\s"]+)"?[ \t]*(//.*)?\r?$`)

// modulePath reads the path of the module from its go.mod.
func modulePath(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the module's path: %w", err)
	}
	found := moduleLine.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s names no module", file)
	}
	return string(found[1]), nil
}

// absent refuses a name that a function or a folder has.
func absent(path string, o scf.Options, name string) error {
	service, err := scf.Load(path, o)
	if err != nil {
		return err
	}
	for _, f := range service.Functions {
		if f.Key == name {
			return fmt.Errorf("function %s of %s %w", name, filepath.Base(path), ErrExists)
		}
	}
	folder := filepath.Join(filepath.Dir(path), "functions", name)
	if _, err := os.Lstat(folder); err == nil {
		return fmt.Errorf("folder functions/%s %w", name, ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
