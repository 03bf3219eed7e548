package scaffold_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scaffold"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

const (
	goMod    = "// a fork\nmodule example.com/team/etl // was another\n\ngo 1.26\n"
	yml      = "service: s\nprovider: {name: tencent}\nfunctions:\n  old:\n    handler: main # kept\n"
	pageText = "# functions\n\n<!-- functions: by a test -->\n<!-- end of functions -->\n"
)

// project writes one with the function old.
func project(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	all := map[string]string{"go.mod": goMod, "serverless.yml": yml, "functions/README.md": pageText}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tree gives the files of a folder and their texts.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			files[filepath.ToSlash(name)+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, trigger := range scaffold.Triggers() {
		t.Run("writes a function for "+trigger+", and says what it has written", func(t *testing.T) {
			t.Parallel()
			dir := project(t, nil)
			path := filepath.Join(dir, "serverless.yml")
			before := tree(t, dir)
			made, err := scaffold.New(path, scf.Options{}, scaffold.Function{Name: "shout", Trigger: trigger})
			if err != nil {
				t.Fatal(err)
			}
			after := tree(t, dir)
			for _, name := range append(made.Files, made.Changed...) {
				if after[name] == before[name] {
					t.Errorf("%s is not written", name)
				}
			}
			for name := range after {
				_, was := before[name]
				if !was && !strings.HasSuffix(name, "/") && !strings.HasPrefix(name, "functions/shout/") {
					t.Errorf("%s is left over", name)
				}
			}
			if !strings.HasPrefix(after["serverless.yml"], yml) {
				t.Errorf("of serverless.yml something else has changed:\n%s", after["serverless.yml"])
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("serverless.yml has mode %v (%v), want that of before", info.Mode(), err)
			}
			service, err := scf.Load(path, scf.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range service.Lint() {
				if f.Severity == scf.Error {
					t.Error(f)
				}
			}
			if !strings.Contains(after["functions/README.md"], "[shout](shout)") {
				t.Errorf("the catalogue lacks it:\n%s", after["functions/README.md"])
			}
			if main := after["functions/shout/main.go"]; !strings.Contains(main, `"example.com/team/etl/pkg/fn"`) || !strings.Contains(main, `fn.Start("shout", `) {
				t.Errorf("main.go is\n%s", main)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for requirement, test := range map[string]struct {
		function scaffold.Function
		files    map[string]string
		want     error
		says     string
	}{
		"a name with a path":                       {scaffold.Function{Name: "../a", Trigger: "kafka"}, nil, scaffold.ErrName, "2 to 60"},
		"a name of one letter":                     {scaffold.Function{Name: "a", Trigger: "kafka"}, nil, scaffold.ErrName, "2 to 60"},
		"a name whose full name is too long":       {scaffold.Function{Name: strings.Repeat("a", 56), Trigger: "kafka"}, nil, scaffold.ErrName, "s-dev-aaa"},
		"the name of the command line":             {scaffold.Function{Name: "etl", Trigger: "kafka"}, nil, scaffold.ErrName, "bin/etl"},
		"a name that is a value in YAML":           {scaffold.Function{Name: "null", Trigger: "kafka"}, nil, scaffold.ErrName, "YAML"},
		"an unknown trigger, with those there are": {scaffold.Function{Name: "shout", Trigger: "apigw"}, nil, scaffold.ErrTrigger, "kafka, timer, cos, http"},
		"a function that is there":                 {scaffold.Function{Name: "old", Trigger: "kafka"}, nil, scaffold.ErrExists, "old"},
		"a folder that is there":                   {scaffold.Function{Name: "shout", Trigger: "kafka"}, map[string]string{"functions/shout/x": ""}, scaffold.ErrExists, "functions/shout"},
		"functions in one line": {
			scaffold.Function{Name: "shout", Trigger: "kafka"},
			map[string]string{"serverless.yml": "service: s\nprovider: {name: tencent}\nfunctions: {}\n"}, scaffold.ErrFile, "functions:",
		},
		"functions that the new block does not fit into": {
			scaffold.Function{Name: "shout", Trigger: "kafka"},
			map[string]string{"serverless.yml": yml + "    description: |\n     text\n     \tx\n   \n  ? [a]\n  : 1\n"}, nil, "",
		},
		"a project without a module": {scaffold.Function{Name: "shout", Trigger: "kafka"}, map[string]string{"go.mod": "go 1.26\n"}, nil, "names no module"},
	} {
		t.Run(requirement+", and writes nothing", func(t *testing.T) {
			t.Parallel()
			dir := project(t, test.files)
			before := tree(t, dir)
			_, err := scaffold.New(filepath.Join(dir, "serverless.yml"), scf.Options{}, test.function)
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %v with %q", err, test.want, test.says)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("something has changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, trigger := range scaffold.Triggers() {
		files, err := scaffold.Function{Name: "shout", Trigger: trigger}.Files("zz.example.com/team/etl")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			t.Run(trigger+"/"+f.Path+" is formatted and ends with one line end", func(t *testing.T) {
				t.Parallel()
				text := f.Text
				if filepath.Ext(f.Path) == ".go" {
					formatted, err := format.Source(text)
					if err != nil {
						t.Fatal(err)
					}
					text = formatted
				}
				if !bytes.Equal(text, f.Text) || !bytes.HasSuffix(text, []byte("\n")) || bytes.HasSuffix(text, []byte("\n\n")) {
					t.Errorf("it is\n%s", f.Text)
				}
			})
		}
	}

	t.Run("a job is at most ten lines of its author's", func(t *testing.T) {
		t.Parallel()
		files, err := scaffold.Function{Name: "shout", Trigger: "kafka"}.Files("example.com/etl")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Path != "handler.go" {
				continue
			}
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, f.Path, f.Text, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			process := parsed.Decls[len(parsed.Decls)-1].(*ast.FuncDecl)
			if lines := set.Position(process.Body.Rbrace).Line - set.Position(process.Body.Lbrace).Line - 1; process.Name.Name != "process" || lines > 10 {
				t.Errorf("%s has %d lines, want process with at most 10", process.Name.Name, lines)
			}
		}
	})
}
