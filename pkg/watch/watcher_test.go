package watch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/watch"
)

// rig is a function in a folder, and a watcher that looks when it is told to.
type rig struct {
	*testing.T
	dir     string
	source  watch.Source
	finds   error
	watcher *watch.Watcher
	changes int
	during  func() // called while a change is handled
}

func newRig(t *testing.T) *rig {
	t.Helper()
	t.Parallel()
	r := &rig{T: t, dir: t.TempDir(), during: func() {}}
	for _, name := range []string{"functions/f/handler.go", "functions/f/rules.yaml", "pkg/a/a.go", "pkg/b/b.go", "go.mod"} {
		r.write(name, "one")
	}
	r.source = watch.Source{Own: r.path("functions/f"), Packages: []string{r.path("functions/f"), r.path("pkg/a")}, Files: []string{r.path("go.mod")}}
	r.watcher = &watch.Watcher{
		Find:    func(context.Context, string) (watch.Source, error) { return r.source, r.finds },
		Changed: func(context.Context, string) { r.changes++; r.during() },
	}
	if err := r.watcher.Begin(t.Context(), "f"); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) write(name, text string) {
	r.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o755); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), []byte(text), 0o644); err != nil {
		r.Fatal(err)
	}
}

// look looks so often that a change is seen, is complete, and has been handled.
func (r *rig) look(want int) {
	r.Helper()
	for range 4 {
		r.watcher.Look(r.Context())
	}
	if r.changes != want {
		r.Errorf("%d changes, want %d", r.changes, want)
	}
}

func TestWatcher(t *testing.T) {
	t.Parallel()

	t.Run("says once that a file has changed: of the function, of a package that it is built of, go.mod", func(t *testing.T) {
		r := newRig(t)
		r.look(0)
		for i, name := range []string{"functions/f/handler.go", "functions/f/rules.yaml", "pkg/a/a.go", "go.mod"} {
			r.write(name, "more than one")
			r.look(i + 1)
		}
	})
	t.Run("sees the same size at another time, a new file and one that is gone", func(t *testing.T) {
		r := newRig(t)
		at := time.Now().Add(time.Hour)
		if err := os.Chtimes(r.path("pkg/a/a.go"), at, at); err != nil {
			t.Fatal(err)
		}
		r.look(1)
		r.write("pkg/a/new.go", "one")
		r.look(2)
		if err := os.Remove(r.path("pkg/a/new.go")); err != nil {
			t.Fatal(err)
		}
		r.look(3)
	})
	t.Run("leaves alone tests, pages, what editors put down, and other packages", func(t *testing.T) {
		r := newRig(t)
		for _, name := range []string{"functions/f/handler_test.go", "functions/f/README.md", "functions/f/.handler.go.swp", "functions/f/handler.go~",
			"functions/f/testdata/event.json", "pkg/a/a_test.go", "pkg/a/notes.txt", "pkg/b/b.go"} {
			r.write(name, "more than one")
		}
		r.look(0)
	})
	t.Run("waits until a file stays the same", func(t *testing.T) {
		r := newRig(t)
		for i := range 5 {
			r.write("pkg/a/a.go", strings.Repeat("x", i+10))
			r.watcher.Look(r.Context())
		}
		r.look(1)
	})
	t.Run("what changes while a change is handled is the next one", func(t *testing.T) {
		for name, change := range map[string]func(r *rig){
			"a file":              func(r *rig) { r.write("pkg/a/a.go", "three") },
			"a new file":          func(r *rig) { r.write("pkg/a/new.go", "one") },
			"a file that is gone": func(r *rig) { _ = os.Remove(r.path("pkg/a/a.go")) },
		} {
			t.Run(name, func(t *testing.T) {
				r := newRig(t)
				r.during = func() {
					if r.changes == 1 {
						change(r)
					}
				}
				r.write("functions/f/handler.go", "more than one")
				r.look(2)
				r.look(2)
			})
		}
	})
	t.Run("a package that a change brings is looked after from then on, and one that it drops no more", func(t *testing.T) {
		r := newRig(t)
		r.during = func() { r.source.Packages = []string{r.path("functions/f"), r.path("pkg/b")} }
		r.write("functions/f/handler.go", "more than one")
		r.look(1)
		r.write("pkg/a/a.go", "more than one")
		r.look(1)
		r.write("pkg/b/b.go", "more than one")
		r.look(2)
	})
	t.Run("goes on with what it knew where it cannot find out", func(t *testing.T) {
		r := newRig(t)
		r.during = func() { r.finds = errors.New("no go here") }
		for i, text := range []string{"two ", "three "} {
			r.write("pkg/a/a.go", text)
			r.look(i + 1)
		}
	})
}

func TestRun(t *testing.T) {
	t.Parallel()
	t.Run("looks at each tick until there are no more", func(t *testing.T) {
		r := newRig(t)
		r.write("go.mod", "more than one")
		ticks := make(chan time.Time, 3)
		for range cap(ticks) {
			ticks <- time.Time{}
		}
		close(ticks)
		r.watcher.Run(t.Context(), ticks)
		if r.changes != 1 {
			t.Errorf("%d changes, want 1", r.changes)
		}
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                   "module example.com/m\n\ngo 1.26\n",
		"functions/f/main.go":      "package main\n\nimport (\n\t_ \"embed\"\n\t\"fmt\"\n\n\t\"example.com/m/pkg/a\"\n)\n\n//go:embed rules/r.yaml\nvar rules string\n\nfunc main() { fmt.Println(a.A, rules) }\n",
		"functions/f/rules/r.yaml": "one", "pkg/a/a.go": "package a\n\nconst A = 1\n", "pkg/b/b.go": "package b\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("lists the packages of the module that a function is built of, and embedded files", func(t *testing.T) {
		t.Parallel()
		s, err := watch.Find(t.Context(), dir, "functions/f")
		if err != nil {
			t.Fatal(err)
		}
		for i, path := range s.Packages {
			s.Packages[i], _ = filepath.Rel(dir, path)
		}
		slices.Sort(s.Packages)
		if want := []string{"functions/f", "pkg/a"}; !slices.Equal(s.Packages, want) {
			t.Errorf("packages %v, want %v", s.Packages, want)
		}
		if !slices.Contains(s.Files, filepath.Join(dir, "functions", "f", "rules", "r.yaml")) {
			t.Errorf("files are %v, want the embedded one too", s.Files)
		}
	})
	t.Run("a folder outside of a module is an error", func(t *testing.T) {
		t.Parallel()
		if s, err := watch.Find(t.Context(), t.TempDir(), "functions/f"); err == nil {
			t.Errorf("found %+v", s)
		}
	})
}
