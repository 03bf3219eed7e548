package emulator_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// What an instance has around it.
func instanceTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"function-defaults": testFunctionDefaults,
		"read-only-code":    testReadOnlyCode,
		"scratch":           testScratch,
		"port":              testPort,
		"payload":           testPayload,
		"no-keys-at-start":  testNoKeysAtStart,
		"warm-state":        testWarmState,
	}
}

// load reads a serverless.yml.
func load(t testing.TB, text string) *scf.Service {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serverless.yml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	service, err := scf.Load(path, scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func testFunctionDefaults(t *testing.T) {
	t.Parallel()
	p := platform(t, emulator.Config{})
	service := load(t, "service: etl\nprovider: tencent\nfunctions: { probe: { handler: main, name: probe } }\n")
	if err := p.Deploy(t.Context(), service.Functions[0], probeDir); err != nil {
		t.Fatal(err)
	}
	if got := (probed{t, p}).ask(`{}`); got.MemoryMB != 128 || got.TimeLimitMS != 3000 || got.Namespace != "default" {
		t.Errorf("got %d MB, %d ms, namespace %q", got.MemoryMB, got.TimeLimitMS, got.Namespace)
	}
}

func testReadOnlyCode(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	dir := p.ask(`{}`).Dir
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o222 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		return // why: no mode keeps root from writing
	}
	if i := p.invoke(`{"Do":[{"Write":"new"}]}`); i.Error == nil || !strings.Contains(i.Error.Message, "permission denied") {
		t.Errorf("writing into it: got %v", i.Error)
	}
}

func testScratch(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	first := p.ask(`{"Do":[{"Keep":"left by one"}]}`)
	if first.Kept != "" {
		t.Errorf("a new instance found %q", first.Kept)
	}
	if again := p.ask(`{}`); again.Kept != "left by one" {
		t.Errorf("the next invocation found %q", again.Kept)
	}
	open, until := gate(t)
	busyOne := make(chan emulator.Invocation, 1)
	go func() { busyOne <- p.invoke(`{"Do":[` + until + `]}`) }()
	await(t, "the instance is busy", func() bool { return busy(p) })
	if other := p.ask(`{}`); other.Kept != "" {
		t.Errorf("another instance found %q", other.Kept)
	}
	open()
	<-busyOne
	dir, _ := first.env("TMPDIR")
	if err := p.Remove(t.Context(), function); err != nil {
		t.Fatal(err)
	}
	await(t, "the folder is gone with the instance", func() bool {
		_, err := os.Stat(dir)
		return errors.Is(err, fs.ErrNotExist)
	})
}

func testPort(t *testing.T) {
	// without the relay, which has the port itself
	p := newProbed(t, emulator.Config{}, func(f *scf.Function) { f.Environment = nil })
	open, until := gate(t)
	var answers [2]answer
	var wg sync.WaitGroup
	for n := range answers {
		wg.Go(func() { answers[n] = p.ask(`{"Do":[` + until + `]}`) })
	}
	await(t, "both run", func() bool { return p.Functions()[0].Busy == 2 })
	open()
	wg.Wait()
	ports := map[string]bool{}
	for _, a := range answers {
		for _, e := range a.Started {
			if port, ok := strings.CutPrefix(e, "_LAMBDA_SERVER_PORT="); ok {
				ports[port] = true
			}
		}
	}
	if len(ports) != 2 {
		t.Errorf("two processes have the ports %v", ports)
	}
}

func testPayload(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	for _, event := range []string{``, `{"a" :  1.0}`, "no JSON, \x00\xff", " \n"} {
		if got, want := p.ask(event).Digest, fmt.Sprintf("%x", sha256.Sum256([]byte(event))); got != want {
			t.Errorf("event %q: its digest is %s, want %s", event, got, want)
		}
	}
	for _, response := range []string{"{\n}", "no JSON", "\u4e8c\x00"} {
		command, err := json.Marshal(map[string]any{"Do": []any{map[string]string{"Answer": response}}})
		if err != nil {
			t.Fatal(err)
		}
		if i := p.invoke(string(command)); i.Error != nil || string(i.Payload) != response {
			t.Errorf("response %q: got %q, %v", response, i.Payload, i.Error)
		}
	}
}

func testNoKeysAtStart(t *testing.T) {
	p := newProbed(t, emulator.Config{Credentials: func(context.Context) (emulator.Credentials, error) {
		return emulator.Credentials{SecretID: "id", SecretKey: secret.New("key"), SessionToken: secret.New("token")}, nil
	}})
	got := p.ask(`{}`)
	if id, ok := got.env("TENCENTCLOUD_SECRETID"); !ok || id != "id" {
		t.Errorf("with the invocation: got %q", id)
	}
	for _, e := range got.Started {
		for _, key := range []string{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"} {
			if strings.HasPrefix(e, key+"=") {
				t.Errorf("the process started with %s", key)
			}
		}
	}
}

func testWarmState(t *testing.T) {
	clock := newFakeClock()
	p := newProbed(t, emulator.Config{Clock: clock, IdleTimeout: time.Minute})
	for n := 1; n <= 3; n++ {
		if got := p.ask(`{}`); got.Invocation != n {
			t.Errorf("invocation %d: the process counts %d", n, got.Invocation)
		}
	}
	p.invoke(`{"Do":[{"Exit":1}]}`)
	if got := p.ask(`{}`); got.Invocation != 1 {
		t.Errorf("a new process counts %d", got.Invocation)
	}
}
