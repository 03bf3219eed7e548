package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"path"
	"strings"
	"text/template"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

//go:embed templates
var templates embed.FS

// sampleTopic is the one that a new function of a topic reads: the one that dump reads
// on this machine.
const sampleTopic = "orders"

// Function is one to be made.
type Function struct {
	Name    string // of the folder, the block in serverless.yml, the binary and the job
	Trigger string // one of [Triggers]
}

// File is one file of a function.
type File struct {
	Path string // from the function's folder, with slashes
	Text []byte
}

// reserved are names that the platform would take and this project cannot.
func reserved() map[string]string {
	return map[string]string{
		"etl":      "bin/etl is the command line",
		"internal": "Go gives such a folder a meaning", "vendor": "Go gives such a folder a meaning", "testdata": "Go gives such a folder a meaning",
		"true": "YAML takes it for a value", "false": "YAML takes it for a value", "null": "YAML takes it for a value",
	}
}

// check refuses what cannot be made, whatever there is already.
func (f Function) check() error {
	if !scf.ValidName(f.Name) {
		return fmt.Errorf("%w: %q, want %s", ErrName, f.Name, scf.FunctionNames)
	}
	if why, taken := reserved()[strings.ToLower(f.Name)]; taken {
		return fmt.Errorf("%w: %q: %s", ErrName, f.Name, why)
	}
	_, err := kindOf(f.Trigger)
	return err
}

// Files gives the files of a function in a module, formatted as gofmt does.
func (f Function) Files(module string) ([]File, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	k, err := kindOf(f.Trigger)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, name := range []string{"README.md", "config.go", "handler.go", "handler_test.go", "main.go", "readme_test.go"} {
		text, err := f.render(k, module, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // not every kind has each of them
		}
		if err == nil && path.Ext(name) == ".go" {
			text, err = format.Source(text)
		}
		if err != nil {
			return nil, fmt.Errorf("make %s for %s: %w", name, f.Trigger, err)
		}
		files = append(files, File{Path: name, Text: text})
	}
	if k.sample != "" {
		text, err := event.Sample(k.sample)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: "testdata/event.json", Text: text})
	}
	return files, nil
}

// Block gives the function's block of serverless.yml, not indented.
func (f Function) Block() (string, error) {
	if err := f.check(); err != nil {
		return "", err
	}
	k, err := kindOf(f.Trigger)
	if err != nil {
		return "", err
	}
	text, err := f.render(k, "", "serverless.yml")
	return string(text), err
}

// render executes the template of a file: the kind's own, or else that of all kinds.
func (f Function) render(k kind, module, name string) ([]byte, error) {
	text, err := templates.ReadFile(path.Join("templates", k.trigger, name+".tmpl"))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = templates.ReadFile(path.Join("templates", "all", name+".tmpl"))
	}
	if err != nil {
		return nil, err
	}
	t, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]string{
		"Name": f.Name, "Module": module, "Topic": sampleTopic, "Does": k.does, "Promise": k.promise,
		"Description": strings.ToUpper(k.does[:1]) + k.does[1:],
		"Settings":    fn.Table(k.settings),
	})
	return out.Bytes(), err
}
