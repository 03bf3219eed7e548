package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/scf-etl/scf-etl/internal/treetest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scaffold"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func TestNewUsage(t *testing.T) {
	t.Parallel()
	t.Run("an unknown trigger is exit code 2 and lists those there are", func(t *testing.T) {
		t.Parallel()
		code, _, stderr := etl(t, nil, "new", "shout", "--trigger", "apigw")
		if code != exitUsage || !strings.Contains(stderr, "kafka, timer, cos, http") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
	t.Run("a function that is there already is exit code 1", func(t *testing.T) {
		t.Parallel()
		code, _, stderr := etl(t, nil, "new", "dump", "--trigger", "kafka")
		if code != exitFailed || !strings.Contains(stderr, "is there already") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
}

// TestNew makes functions in copies of this repository, and builds them.
func TestNew(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds copies of this repository, left out by -short")
	}

	t.Run("a function of each kind passes vet, its test, lint and what holds for all functions", func(t *testing.T) {
		t.Parallel()
		dir := treetest.Copy(t)
		file := filepath.Join(dir, "serverless.yml")
		test := []string{"test"}
		for _, trigger := range scaffold.Triggers() {
			code, stdout, stderr := etl(t, nil, "new", "new-"+trigger, "--trigger", trigger, "--config", file, "-o", "json")
			var made newOutcome
			if err := json.Unmarshal([]byte(stdout), &made); err != nil || code != exitDone || len(made.Next) != 3 {
				t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
			}
			test = append(test, "./"+made.Folder)
		}
		if code, stdout, stderr := etl(t, nil, "lint", "--config", file); code != exitDone {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
		if out := treetest.Run(t, dir, "gofmt", "-l", "functions"); out != "" {
			t.Errorf("not formatted: %s", out)
		}
		t.Log(treetest.Run(t, dir, "go", test...)) // which vets
		t.Log(treetest.Run(t, dir, "go", "test", "./pkg/scf", "./pkg/scaffold", "./internal/convention"))
		treetest.Run(t, dir, "go", "vet", "./functions/...")
	})

	t.Run("the steps of functions/README.md do what they say", func(t *testing.T) {
		t.Parallel()
		dir := treetest.Copy(t)
		text, err := os.ReadFile(filepath.Join(dir, "functions", "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		steps := regexp.MustCompile("(?m)^([0-9])\\. .*(?:\n   ?.*|\n)*?\n   ```sh\n   (.*)\n   ```$").FindAllStringSubmatch(string(text), -1)
		if len(steps) != 5 {
			t.Fatalf("it has %d steps with one command, want 5: %q", len(steps), steps)
		}
		for _, step := range steps {
			t.Logf("%s. %s", step[1], step[2])
			words := strings.Fields(step[2])
			if len(words) > 1 && words[1] == "up" {
				runUp(t, dir, words[1:])
				continue
			}
			if words[0] == "bin/etl" {
				words[0] = filepath.Join(dir, words[0])
			}
			t.Log(treetest.Run(t, dir, words[0], words[1:]...))
		}
	})
}

// runUp runs a copy's etl up until its functions are deployed, and ends it as Ctrl-C does.
func runUp(t *testing.T, dir string, args []string) {
	t.Helper()
	service, err := scf.Load(filepath.Join(dir, "serverless.yml"), scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	topics := map[string]bool{}
	for _, f := range service.Functions {
		for _, e := range f.Events {
			if e.Kafka != nil {
				topics[e.Kafka.Topic] = true
			}
		}
	}
	environ, source, _ := twoClusters(t)
	for topic := range topics {
		if err := source.CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: 1}); err != nil {
			t.Fatal(err)
		}
	}
	up := exec.CommandContext(t.Context(), filepath.Join(dir, "bin", "etl"), args...)
	up.Dir, up.Env = dir, append(treetest.Environ(), environ...)
	out := &watched{until: "shout <- topic orders", seen: make(chan struct{})}
	up.Stdout, up.Stderr = out, out
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	select {
	case <-out.seen:
	case err := <-ended:
		t.Fatalf("etl up: %v\n%s", err, out)
	}
	if err := up.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("etl up after Ctrl-C: %v\n%s", err, out)
	}
}
