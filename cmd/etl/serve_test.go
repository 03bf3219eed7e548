package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestServeKeys(t *testing.T) {
	t.Parallel()
	id, key := "TENCENTCLOUD_SECRET_ID=id", "TENCENTCLOUD_SECRET_KEY=key"
	for requirement, c := range map[string]struct {
		environ []string
		args    []string
		says    string
	}{
		"an address for others needs keys": {nil, []string{"serve", "--listen", "0.0.0.0:0"},
			"TENCENTCLOUD_SECRET_ID"},
		"so does one that names no host": {nil, []string{"serve", "--listen", ":0"}, "TENCENTCLOUD_SECRET_ID"},
		"so does that of etl up":         {nil, []string{"up", "--api", "0.0.0.0:0"}, "TENCENTCLOUD_SECRET_ID"},
		"an id needs a key":              {[]string{id}, []string{"serve"}, "set both"},
		"a key needs an id":              {[]string{key}, []string{"up", "--api", "localhost:0"}, "set both"},
		"a file that is named has to be there": {nil,
			[]string{"serve", "--listen", "localhost:0", "--config", "no/serverless.yml"}, "no/serverless.yml"},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := etl(t, c.environ, c.args...)
			if code == exitDone || stdout != "" || !strings.Contains(stderr, c.says) || strings.Contains(stderr,
				"=key") {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
	t.Run("an address that is taken is a failure that names it", func(t *testing.T) {
		t.Parallel()
		taken, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		code, _, stderr := etl(t, nil, "serve", "--listen", taken.Addr().String(), "--data", t.TempDir())
		if code != exitFailed || !strings.Contains(stderr, taken.Addr().String()) {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	})
}

// shared is what a command prints while a test reads it.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var saidEndpoint = regexp.MustCompile(`TENCENTCLOUD_SCF_ENDPOINT=(\S+?),?\s`)

// running is a command that answers the API until stop.
type running struct {
	client apitest.Client
	out    *shared
	stop   func() int
}

// start runs a command, and waits until it says where it answers.
func start(t *testing.T, command func(context.Context, *shared) int) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &shared{}
	code := make(chan int, 1)
	go func() { code <- command(ctx, out) }()
	r := running{out: out, stop: sync.OnceValue(func() int {
		cancel()
		return <-code
	})}
	t.Cleanup(func() { r.stop() })
	deadline := time.Now().Add(time.Minute)
	for {
		if m := saidEndpoint.FindStringSubmatch(out.String()); m != nil {
			r.client.URL = m[1]
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not say where it answers:\n%s", out)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// program is a folder with a file that can be deployed, and started in vain.
func program(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestServe(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	environ := []string{"TENCENTCLOUD_SECRET_ID=id", "TENCENTCLOUD_SECRET_KEY=a-key"}
	serve := func(environ []string) func(context.Context, *shared) int {
		return func(ctx context.Context, out *shared) int {
			return run(ctx, []string{"serve", "--listen", "localhost:0", "--data", data}, environ, out, out)
		}
	}
	type object = map[string]any
	name := object{"FunctionName": "probe"}

	first := start(t, serve(nil))
	if !strings.Contains(first.out.String(),
		" TENCENTCLOUD_SECRET_ID=local TENCENTCLOUD_SECRET_KEY=local") || !strings.Contains(first.client.URL, "//localhost:") {
		t.Errorf("it says:\n%s", first.out)
	}
	create := object{"FunctionName": "probe", "Handler": "main", "Runtime": "Go1",
		"Code": object{"ZipFile": apitest.ZipFile(apitest.Zip(t, program(t)))}}
	if err := first.client.Call(t.Context(), "CreateFunction", create, nil); err != nil {
		t.Fatal(err)
	}
	if code := first.stop(); code != exitDone {
		t.Errorf("exit code %d:\n%s", code, first.out)
	}
	for _, want := range []string{"api CreateFunction probe: ok", "state in " + data + "; 0 functions",
		"stopped: 0 invocations"} {
		if !strings.Contains(first.out.String(), want) {
			t.Errorf("it says:\n%s\nwant %q", first.out, want)
		}
	}

	second := start(t, serve(environ))
	second.client.SecretID, second.client.Key = "id", secret.New("a-key")
	var f struct{ Status string }
	if err := second.client.Call(t.Context(), "GetFunction", name, &f); err != nil || f.Status != "Active" {
		t.Errorf("the function of the run before: %+v, %v", f, err)
	}
	second.client.Key = secret.New("other")
	if err := second.client.Call(t.Context(), "GetFunction", name,
		nil); err == nil || !strings.Contains(err.Error(), "AuthFailure.SignatureFailure") {
		t.Errorf("another key: got %v", err)
	}
	second.stop()
	if out := second.out.String(); strings.Contains(out, "a-key") || !strings.Contains(out,
		"api GetFunction: AuthFailure.SignatureFailure") || !strings.Contains(out, "; 1 functions") {
		t.Errorf("it says:\n%s", out)
	}
}

func TestUpServesTheAPI(t *testing.T) {
	t.Parallel()
	service := &scf.Service{Name: "etl", Functions: []scf.Function{{
		Key: "report", Name: "etl-dev-report", Handler: "main", MemorySize: 128, Timeout: 3,
		Events: []scf.Trigger{{Timer: &scf.TimerTrigger{Name: "hourly", Cron: "0 0 * * * * *", Enabled: true,
			Qualifier: "$DEFAULT"}}},
	}}}
	folder := program(t)
	pack := func(context.Context, string, scf.Function, string) (string, error) { return folder, nil }
	r := start(t, func(ctx context.Context, out *shared) int {
		a := &app{stdout: out, stderr: out, environ: map[string]string{}}
		if err := a.up(ctx, service, "", pack, upOptions{api: "localhost:0"}); err != nil {
			t.Errorf("up: %v", err)
			return exitFailed
		}
		return exitDone
	})
	var f struct {
		Status, FunctionName string
		Triggers             []struct{ TriggerName, TriggerDesc string }
	}
	if err := r.client.Call(t.Context(), "GetFunction", map[string]any{"FunctionName": "etl-dev-report"},
		&f); err != nil {
		t.Fatal(err)
	}
	if f.Status != "Active" || len(f.Triggers) != 1 || f.Triggers[0].TriggerDesc != `{"cron":"0 0 * * * * *"}` {
		t.Errorf("got %+v", f)
	}
	if code := r.stop(); code != exitDone {
		t.Errorf("exit code %d:\n%s", code, r.out)
	}
}
