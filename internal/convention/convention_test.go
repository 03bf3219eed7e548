package convention_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

const (
	root   = "../.."
	module = "github.com/scf-etl/scf-etl"
)

func TestDependencies(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	var explained []string
	for _, line := range regexp.MustCompile("(?m)^\\| `([^` ]+\\.[^` ]+/[^` ]+)` \\| .+ \\|$").FindAllSubmatch(text, -1) {
		explained = append(explained, string(line[1]))
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(goCommand(t, "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, require := range mod.Require {
		if !require.Indirect {
			direct = append(direct, require.Path)
		}
	}

	t.Run("every direct dependency has a line that says why it earns its place", func(t *testing.T) {
		t.Parallel()
		for _, path := range direct {
			if !slices.Contains(explained, path) {
				t.Errorf("go.mod requires %s: give it a line in the table of CONTRIBUTING.md, or remove it", path)
			}
		}
	})
	t.Run("no line is about a dependency that is gone", func(t *testing.T) {
		t.Parallel()
		for _, path := range explained {
			if !slices.Contains(direct, path) {
				t.Errorf("CONTRIBUTING.md explains %s, which go.mod does not require directly", path)
			}
		}
	})
}

func TestBorders(t *testing.T) {
	t.Parallel()
	for dependency, users := range map[string][]string{
		"github.com/segmentio/kafka-go":               {"pkg/kafka", "integration/bench"}, // beside it as a peer
		"github.com/tencentyun/scf-go-lib":            {"pkg/fn", "pkg/emulator"},
		"github.com/twmb/franz-go":                    {"pkg/localkafka", "integration/bench"}, // beside it as a peer
		"github.com/tencentyun/cos-go-sdk-v5":         {"pkg/cos"},
		"github.com/testcontainers/testcontainers-go": {"integration"},
		"github.com/moby/moby":                        {"integration"},
		"github.com/caarlos0/env":                     {"pkg/fn", "cmd/etl"},
		"github.com/dop251/goja":                      {"pkg/report"},
		"github.com/goccy/go-yaml":                    {"pkg/scf", "pkg/yamlfile", "pkg/media", "pkg/dataset"},
		"github.com/parquet-go/parquet-go":            {"pkg/dataset", "pkg/backup"},
		"github.com/spf13/cobra":                      {"cmd/etl"},
		"github.com/jackc/pgx":                        {"pkg/extract", "integration/extract"},
		"github.com/go-sql-driver/mysql":              {"pkg/extract", "integration/extract"},
		module + "/functions":                         {"functions"},
		module + "/cmd":                               {"cmd"},
	} {
		t.Run(dependency+" has no other user than "+strings.Join(users, ", "), func(t *testing.T) {
			t.Parallel()
			for _, p := range packages(t, "./...") {
				if slices.ContainsFunc(users, func(user string) bool { return within(p.ImportPath, module+"/"+user) }) {
					continue
				}
				for _, path := range p.Imports {
					if within(path, dependency) {
						t.Errorf("%s imports %s", p.ImportPath, path)
					}
				}
			}
		})
	}

	t.Run("a function's binary links no broker, container, command line or local platform", func(t *testing.T) {
		t.Parallel()
		for _, p := range packages(t, "-deps", "./functions/...") {
			for _, other := range []string{
				"github.com/twmb/franz-go", "github.com/testcontainers/testcontainers-go", "github.com/spf13/cobra",
				module + "/pkg/emulator", module + "/pkg/localkafka", module + "/pkg/localcos",
			} {
				if within(p.ImportPath, other) {
					t.Errorf("functions link %s", p.ImportPath)
				}
			}
		}
	})
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	service, err := scf.Load(filepath.Join(root, "serverless.yml"), scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, main := range mains {
		folders = append(folders, filepath.Base(filepath.Dir(main)))
	}

	t.Run("every folder has a block in serverless.yml, and every block a folder", func(t *testing.T) {
		t.Parallel()
		var keys []string
		for _, f := range service.Functions {
			keys = append(keys, f.Key)
		}
		slices.Sort(keys)
		if !slices.Equal(keys, folders) {
			t.Errorf("serverless.yml has %v, functions/ %v", keys, folders)
		}
	})
	t.Run("every folder has the files of the standard shape", func(t *testing.T) {
		t.Parallel()
		for _, folder := range folders {
			for _, name := range []string{"README.md", "handler.go", "handler_test.go", "readme_test.go"} {
				if _, err := os.Stat(filepath.Join(root, "functions", folder, name)); err != nil {
					t.Errorf("functions/%s has no %s", folder, name)
				}
			}
		}
	})
}

func TestSource(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t, "./...") {
		files := map[string]*ast.File{}
		set := token.NewFileSet()
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = file
		}
		documented := false
		for name, file := range files {
			documented = documented || file.Doc != nil
			for _, declaration := range file.Decls {
				for _, what := range faults(declaration) {
					t.Errorf("%s/%s: %s", strings.TrimPrefix(p.ImportPath, module+"/"), name, what)
				}
			}
		}
		if !documented && len(files) > 0 {
			t.Errorf("%s: no comment says what the package is", p.ImportPath)
		}
	}
}

// faults says what a declaration lacks.
func faults(declaration ast.Decl) []string {
	var found []string
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		if d.Name.Name == "init" && d.Recv == nil {
			found = append(found, "init() runs unseen: wire it where it is used")
		}
		if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
			found = append(found, d.Name.Name+" has no comment")
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					found = append(found, s.Name.Name+" has no comment")
				}
			case *ast.ValueSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
					found = append(found, s.Names[0].Name+" has no comment")
				}
			}
		}
	}
	return found
}

// exportedReceiver tells whether a reader of the documentation sees a function:
// no method of an unexported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	receiver := d.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.IndexListExpr:
			receiver = r.X
		case *ast.Ident:
			return r.IsExported()
		default:
			return false
		}
	}
}

type goPackage struct {
	ImportPath, Dir  string
	GoFiles, Imports []string
}

func packages(t *testing.T, arguments ...string) []goPackage {
	t.Helper()
	list := json.NewDecoder(bytes.NewReader(goCommand(t,
		append([]string{"list", "-json=ImportPath,Dir,GoFiles,Imports"}, arguments...)...)))
	var found []goPackage
	for {
		var p goPackage
		if err := list.Decode(&p); err == io.EOF {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found = append(found, p)
	}
}

func goCommand(t *testing.T, arguments ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", arguments...)
	command.Dir = root
	out, err := command.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		t.Fatalf("go %s: %s", strings.Join(arguments, " "), exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return out
}

func within(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }
