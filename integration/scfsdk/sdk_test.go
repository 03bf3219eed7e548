package scfsdk

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
)

// patience bounds a story, and the start of the platform.
const patience = 4 * time.Minute

// The keys of the platform, which are not the local ones.
const (
	secretID  = "AKIDtest"
	secretKey = "a-key-of-this-test"
)

func TestSDK(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs SDKs and builds binaries, left out by -short: make integration")
	}
	folder := t.TempDir()
	// why once, and only where an SDK is there: it takes longer than a story.
	build := sync.OnceValue(func() error { return build(t.Context(), folder) })
	for name, sdk := range map[string]struct {
		install func(*testing.T) *exec.Cmd
		log     string
	}{
		"Python":  {python, "sdk-python"},
		"Node.js": {node, "sdk-node"},
	} {
		t.Run("the SDK for "+name+" deploys, invokes, versions and removes a function", func(t *testing.T) {
			t.Parallel()
			story := sdk.install(t)
			if err := build(); err != nil {
				t.Fatal(err)
			}
			zip := filepath.Join(t.TempDir(), "probe.zip")
			if err := os.WriteFile(zip, apitest.Zip(t, filepath.Join(folder, "function")), 0o644); err != nil {
				t.Fatal(err)
			}
			endpoint, output := serve(t, filepath.Join(folder, "etl"))
			story.Env = append(os.Environ(), "SCF_ENDPOINT="+endpoint, "SCF_ID="+secretID, "SCF_KEY="+secretKey,
				"SCF_ZIP="+zip)
			out, err := story.CombinedOutput()
			if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "done") {
				t.Fatalf("%v\n%s\nthe platform wrote:\n%s", err, out, output())
			}
			for _, want := range []string{"api CreateFunction " + sdk.log + ": ok",
				"api GetFunction: AuthFailure.SignatureFailure", sdk.log + ":1 "} {
				if got := output(); !strings.Contains(got, want) {
					t.Errorf("the platform wrote:\n%s\nwant %q in it", got, want)
				}
			}
		})
	}
}

// serve runs etl serve until the end of the test, and gives the host and port
// at which it answers.
func serve(t *testing.T, binary string) (endpoint string, output func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, "serve", "--listen", "localhost:0", "--data", t.TempDir())
	cmd.Dir = t.TempDir() // no serverless.yml
	cmd.Env = append(os.Environ(), "TENCENTCLOUD_SECRET_ID="+secretID, "TENCENTCLOUD_SECRET_KEY="+secretKey)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	log := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		_ = file.Close()
	})
	output = func() string {
		text, _ := os.ReadFile(log)
		return string(text)
	}
	for endpoint == "" {
		lines := bufio.NewScanner(strings.NewReader(output()))
		for lines.Scan() {
			if _, after, ok := strings.Cut(lines.Text(), "TENCENTCLOUD_SCF_ENDPOINT=http://"); ok {
				endpoint, _, _ = strings.Cut(after, ",")
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("etl serve does not say where it answers:\n%s", output())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return endpoint, output
}

// build builds etl, and into the folder function one that tells of itself.
func build(ctx context.Context, folder string) error {
	for to, what := range map[string]string{"etl": "../../cmd/etl",
		filepath.Join("function", "main"): "../../pkg/emulator/internal/probe"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", filepath.Join(folder, to), what)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", what, err, out)
		}
	}
	return nil
}
