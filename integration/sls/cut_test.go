package sls

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// cutPlatform is a local platform whose API can be cut from a call on.
type cutPlatform struct {
	client apitest.Client
	calls  atomic.Int64 // since the last rearm
	cut    atomic.Int64 // from this call on; negative never
	after  atomic.Bool  // that call is carried out before it is cut
}

const never = -1

func newCutPlatform(t *testing.T) *cutPlatform {
	t.Helper()
	platform, err := emulator.New(emulator.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p := &cutPlatform{}
	p.cut.Store(never)
	handler, err := api.New(t.Context(), api.Config{
		Platform: platform, Keys: map[string]secret.String{apitest.SecretID: secret.New(apitest.SecretKey)},
		State: t.TempDir(), ChangeTime: time.Millisecond,
		Fault: func(string, int) api.Fault {
			n, cut := p.calls.Add(1)-1, p.cut.Load()
			switch {
			case cut == never || n < cut:
				return api.NoFault
			case n == cut && p.after.Load():
				return api.CutAfter
			}
			return api.CutBefore
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		if err := handler.Close(); err != nil {
			t.Error(err)
		}
		if err := platform.Close(); err != nil {
			t.Error(err)
		}
	})
	p.client.URL = server.URL
	return p
}

// rearm counts calls from 0, and cuts from one on.
func (p *cutPlatform) rearm(cut int64, after bool) {
	p.calls.Store(0)
	p.after.Store(after)
	p.cut.Store(cut)
}

// worker is a process that deploys with the plugin's code.
type worker struct {
	in     io.Writer
	out    *bufio.Scanner
	plugin string
	zips   map[string]string
}

func newWorker(t *testing.T, endpoint string, zips map[string]string) *worker {
	t.Helper()
	absolute, err := filepath.Abs(plugin)
	if err != nil {
		t.Fatal(err)
	}
	// why without: the context of a test ends before its cleanup, which ends the worker
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testTimeout)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, "node", "testdata/worker.js")
	command.Env = append(os.Environ(), "TENCENTCLOUD_SCF_ENDPOINT="+endpoint,
		"TENCENTCLOUD_SECRET_ID="+apitest.SecretID, "TENCENTCLOUD_SECRET_KEY="+apitest.SecretKey)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &worker{in: in, out: bufio.NewScanner(out), plugin: absolute, zips: zips}
}

// deploy gives the message of a deployment that has failed.
func (w *worker) deploy(t *testing.T, service any) (failure string) {
	t.Helper()
	request, err := json.Marshal(map[string]any{
		"plugin": w.plugin, "service": service, "packages": w.zips, "options": map[string]any{"lockTimeout": 60},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.in.Write(append(request, '\n')); err != nil {
		t.Fatal(err)
	}
	var answer struct{ Error string }
	if !w.out.Scan() || json.Unmarshal(w.out.Bytes(), &answer) != nil {
		t.Fatalf("the worker answers %q, %v", w.out.Text(), w.out.Err())
	}
	return answer.Error
}

// TestACutAtEveryCall cuts the network for good at each call of a deployment in
// turn, before it is carried out and after.
func TestACutAtEveryCall(t *testing.T) {
	t.Parallel()
	requireNode(t)
	folder := t.TempDir()
	zips := map[string]string{}
	for _, key := range []string{"copy", "tick"} {
		code := filepath.Join(folder, key)
		if err := os.MkdirAll(code, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(code, "main"), []byte("program "+key), 0o755); err != nil {
			t.Fatal(err)
		}
		zips[key] = filepath.Join(folder, key+".zip")
		if err := os.WriteFile(zips[key], apitest.Zip(t, code), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wanted := map[string]any{
		"service": "cut", "provider": map[string]any{"name": "tencent", "environment": map[string]any{"A1": "b"}},
		"functions": map[string]any{
			"copy": map[string]any{"handler": "main", "description": "Copies", "publish": true},
			"tick": map[string]any{"handler": "main", "events": []any{
				map[string]any{"timer": map[string]any{"name": "tick", "cron": "0 0 0 1 1 * *"}}, map[string]any{"http": map[string]any{}},
			}},
		},
	}
	nothing := map[string]any{"service": "cut", "provider": map[string]any{"name": "tencent"}, "functions": map[string]any{}}
	p := newCutPlatform(t)
	w := newWorker(t, p.client.URL, zips)

	state := func() map[string]deployed {
		p.rearm(never, false)
		all, err := snapshot(t.Context(), p.client, true)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	must := func(service any, when string) {
		p.rearm(never, false)
		if failure := w.deploy(t, service); failure != "" {
			t.Fatalf("%s: %s", when, failure)
		}
	}
	must(wanted, "at first")
	least := p.calls.Load() / 2 // how often a function is looked at depends on the time
	want := state()
	must(nothing, "all away")
	cuts := int64(0)
	for whole := false; !whole; cuts++ {
		after := cuts%2 == 1
		p.rearm(cuts, after)
		failure := w.deploy(t, wanted)
		if whole = failure == "" && p.calls.Load() <= cuts; !whole && !strings.Contains(failure, "Network") {
			t.Fatalf("call %d cut, after %v: the deployment says %q", cuts, after, failure)
		}
		must(wanted, "after a cut")
		if diff := cmp.Diff(want, state()); diff != "" {
			t.Fatalf("call %d cut, after %v: (-whole +second deployment)\n%s", cuts, after, diff)
		}
		p.rearm(cuts, after) // the same with the removal, which has to be made anyhow
		if failure := w.deploy(t, nothing); failure == "" && p.calls.Load() > cuts {
			t.Fatalf("call %d of a removal cut, after %v: it says nothing", cuts, after)
		}
		must(nothing, "away after a cut")
		if left := state(); len(left) > 0 {
			t.Fatalf("call %d of a removal cut, after %v: left are %v", cuts, after, left)
		}
	}
	if cuts < least {
		t.Errorf("only %d calls were cut", cuts)
	}
	t.Logf("%d calls, each cut", cuts)
}
