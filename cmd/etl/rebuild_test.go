package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/internal/treetest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/scaffold"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// rebuilt is a function for a timer in a copy of this repository, deployed, with a
// rebuilder that looks when it is told to.
type rebuilt struct {
	*testing.T
	rebuilder
	name    string // full
	handler string // file
	code    string // of the file, as it was made
	out     strings.Builder
}

func newRebuilt(t *testing.T) *rebuilt {
	t.Helper()
	dir := treetest.Copy(t)
	file := filepath.Join(dir, "serverless.yml")
	if _, err := scaffold.New(file, scf.Options{}, scaffold.Function{Name: "tidy", Trigger: "timer"}); err != nil {
		t.Fatal(err)
	}
	service, err := scf.Load(file, scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	service.Functions = service.Functions[len(service.Functions)-1:]
	r := &rebuilt{T: t, name: service.Functions[0].Name, handler: filepath.Join(dir, "functions", "tidy", "handler.go")}
	text, err := os.ReadFile(r.handler)
	if err != nil {
		t.Fatal(err)
	}
	lines := &invocationLines{w: &r.out}
	platform, err := emulator.New(emulator.Config{KeepEvents: true, Hooks: emulator.Hooks{Invoked: lines.invoked}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { platform.Close() })
	r.code = string(text)
	r.platform, r.service, r.folder, r.pack, r.say = platform, service, dir, buildFunction, lines.say
	if err := r.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := deployAll(t.Context(), platform, service, dir, r.pack); err != nil {
		t.Fatal(err)
	}
	return r
}

// invoke gives the answer to an event of the timer.
func (r *rebuilt) invoke() string {
	r.Helper()
	sample, err := event.Sample(event.KindTimer)
	if err != nil {
		r.Fatal(err)
	}
	i, err := r.platform.Invoke(r.Context(), r.name, sample, emulator.InvokeOptions{Trigger: "hourly"})
	if err != nil || i.Error != nil {
		r.Fatalf("got %v (%v)", i.Error, err)
	}
	return string(i.Payload)
}

// save writes other code, and gives what up prints until all that comes of it is done.
func (r *rebuilt) save(code string) string {
	r.Helper()
	r.out.Reset()
	if err := os.WriteFile(r.handler, []byte(code), 0o644); err != nil {
		r.Fatal(err)
	}
	for range 2 { // seen, and complete
		r.watcher.Look(r.Context())
	}
	r.repeats.Wait()
	return r.out.String()
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function of a copy of this repository, left out by -short")
	}
	r := newRebuilt(t)
	const before, after = `{"before":"2019-01-22T11:49:00Z"}`, `{"before":"2018-12-23T11:49:00Z"}`
	doubled := strings.Replace(r.code, "-h.config.Retain", "-2 * h.config.Retain", 1)

	t.Run("before the first event a change is deployed, and nothing is repeated", func(t *testing.T) {
		if got := r.save(r.code + "\n// a comment\n"); !strings.HasPrefix(got, "tidy rebuilt and deployed in ") || strings.Contains(got, "repeat") {
			t.Errorf("printed is %q", got)
		}
	})
	t.Run("after that the last event is given to the new code, and its answer is shown", func(t *testing.T) {
		if got := r.invoke(); got != before {
			t.Fatalf("the answer is %s, want %s", got, before)
		}
		got := r.save(doubled)
		if !strings.Contains(got, r.name+" repeat of hourly") || !strings.Contains(got, ": ok "+after) {
			t.Errorf("printed is %q, want a repeat with %s", got, after)
		}
	})
	t.Run("code that does not compile is shown, and the former code goes on", func(t *testing.T) {
		got := r.save(doubled + "\nfunc broken() { return 1 }\n")
		if !strings.Contains(got, "tidy NOT rebuilt") || !strings.Contains(got, "handler.go:") || strings.Contains(got, "repeat") {
			t.Errorf("printed is %q", got)
		}
		if got := r.invoke(); got != after {
			t.Errorf("the answer is %s, want %s", got, after)
		}
	})
	t.Run("once it compiles again it is deployed", func(t *testing.T) {
		if got := r.save(r.code); !strings.Contains(got, ": ok "+before) {
			t.Errorf("printed is %q, want a repeat with %s", got, before)
		}
	})
	t.Run("without a change nothing happens", func(t *testing.T) {
		r.out.Reset()
		for range 3 {
			r.watcher.Look(t.Context())
		}
		if got := r.out.String(); got != "" {
			t.Errorf("printed is %q", got)
		}
	})
}
