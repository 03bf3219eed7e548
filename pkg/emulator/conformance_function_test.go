package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func functionTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"handler-file":          testHandlerFile,
		"clean-environment":     testCleanEnvironment,
		"environment-each-time": testEnvironmentEachTime,
		"credentials":           testCredentials,
		"context":               testContext,
		"deadline":              testDeadline,
		"warm":                  testWarm,
		"one-at-a-time":         testOneAtATime,
		"idle":                  testIdle,
		"concurrency":           testConcurrency,
		"sync-event":            testSyncEvent,
		"async-event":           testAsyncEvent,
		"response":              testResponse,
		"open-files":            testOpenFiles,
		"bill":                  testBill,
		"log":                   testLog,
		"descendants":           testDescendants,
		"redeploy":              testRedeploy,
		"close":                 testClose,
	}
}

func testHandlerFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(probeDir)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rules.json"), []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := newProbed(t, emulator.Config{})
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20}
	if err := p.Deploy(t.Context(), f, dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rules.json"), []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := p.ask(`{}`)
	if b, err := os.ReadFile(filepath.Join(got.Dir, "rules.json")); err != nil || string(b) != "one" {
		t.Errorf("the code of the process: got %q, %v, want it as deployed", b, err)
	}
	f.Handler = "index"
	if err := p.Deploy(t.Context(), f, dir); err == nil || !strings.Contains(err.Error(), "index") {
		t.Errorf("a handler without a file: got %v, want an error that names it", err)
	}
	f.Handler = "rules.json"
	if err := p.Deploy(t.Context(), f, dir); err == nil || !strings.Contains(err.Error(), "executable") {
		t.Errorf("a handler that is no program: got %v, want an error that says so", err)
	}
}

func testCleanEnvironment(t *testing.T) {
	p := newProbed(t, emulator.Config{Region: "ap-guangzhou"}, func(f *scf.Function) { f.Environment["OUT_BUCKET"] = "out" })
	got := p.ask(`{}`)
	for key, want := range map[string]string{
		"OUT_BUCKET": "out", "SCF_FUNCTIONNAME": function, "SCF_FUNCTIONVERSION": "$LATEST", "SCF_RUNTIME": "Go1",
		"TENCENTCLOUD_REGION": "ap-guangzhou", "TENCENTCLOUD_RUNENV": "SCF",
	} {
		if v, _ := got.env(key); v != want {
			t.Errorf("%s: got %q, want %q", key, v, want)
		}
	}
	for _, key := range []string{"GOCACHE", "GOPATH", "USER", "SHELL", "OLDPWD", "TERM"} {
		if v, ok := got.env(key); ok {
			t.Errorf("%s=%s of this test's own environment reached the function", key, v)
		}
	}
	home, _ := got.env("HOME")
	temp, _ := got.env("TMPDIR")
	for _, dir := range []string{home, temp} {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			t.Errorf("HOME %q, TMPDIR %q: got %v, want folders", home, temp, err)
		}
	}
}

func testEnvironmentEachTime(t *testing.T) {
	// the process has the variable from its start; what the invocation brings
	// is seen where the value has changed since
	p := newProbed(t, emulator.Config{}, func(f *scf.Function) { f.Environment["MODE"] = "fetch" })
	if v, _ := p.ask(`{}`).env("MODE"); v != "fetch" {
		t.Errorf("MODE: got %q, want fetch", v)
	}
	if v, _ := p.ask(`{"Do":[{"Unset":"MODE"}]}`).env("MODE"); v != "fetch" {
		t.Errorf("MODE while it is being unset: got %q, want fetch", v)
	}
	if v, _ := p.ask(`{}`).env("MODE"); v != "fetch" {
		t.Errorf("MODE after the process has unset it: got %q, want fetch again", v)
	}
}

func testCredentials(t *testing.T) {
	turn := 0
	p := newProbed(t, emulator.Config{Credentials: func(context.Context) (emulator.Credentials, error) {
		turn++
		return emulator.Credentials{SecretID: fmt.Sprint("id", turn), SecretKey: secret.New("key"), SessionToken: secret.New(fmt.Sprint("token", turn))}, nil
	}})
	for n := 1; n <= 2; n++ {
		got := p.ask(`{}`)
		id, _ := got.env("TENCENTCLOUD_SECRETID")
		token, _ := got.env("TENCENTCLOUD_SESSIONTOKEN")
		if id != fmt.Sprint("id", n) || token != fmt.Sprint("token", n) {
			t.Errorf("invocation %d: got id %q, token %q", n, id, token)
		}
	}
}

func testContext(t *testing.T) {
	p := newProbed(t, emulator.Config{NewRequestID: func() string { return "8a4b5c0e-0000-4000-8000-000000000001" }})
	i, err := p.Invoke(t.Context(), function, []byte(`{}`), emulator.InvokeOptions{ClientContext: []byte(`{"custom":{"k":"v"}}`)})
	if err != nil || i.Error != nil {
		t.Fatal(err, i.Error)
	}
	var got answer
	if err := json.Unmarshal(i.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.RequestID != i.RequestID || got.Function != function || got.Version != "$LATEST" || got.Namespace != "default" ||
		got.MemoryMB != 128 || got.TimeLimitMS != 20_000 {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(got.Client, `"k":"v"`) {
		t.Errorf("client context: got %s", got.Client)
	}
}

func testDeadline(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	before := time.Now()
	got := p.ask(`{}`)
	if d := got.Deadline; d.Before(before.Add(20*time.Second)) || d.After(time.Now().Add(20*time.Second)) {
		t.Errorf("deadline: got %v, want 20 s from the start, which was after %v", d, before)
	}
}

func testWarm(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	first, second := p.invoke(`{}`), p.invoke(`{}`)
	if !first.ColdStart() || second.ColdStart() || first.PID != second.PID {
		t.Errorf("got cold starts %v and %v in processes %d and %d", first.ColdStart(), second.ColdStart(), first.PID, second.PID)
	}
}

func testOneAtATime(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	var pids [3]int
	var wg sync.WaitGroup
	for n := range pids {
		wg.Go(func() { pids[n] = p.invoke(`{"Do":[{"SleepMS":300}]}`).PID })
	}
	wg.Wait()
	slices.Sort(pids[:])
	if got := slices.Compact(slices.Clone(pids[:])); len(got) != 3 {
		t.Errorf("three invocations at once: got the processes %v, want three", got)
	}
	if again := p.invoke(`{}`); again.ColdStart() || !slices.Contains(pids[:], again.PID) {
		t.Errorf("afterwards: got a cold start in process %d", again.PID)
	}
}

func testIdle(t *testing.T) {
	clock := newFakeClock()
	p := newProbed(t, emulator.Config{Clock: clock, IdleTimeout: 5 * time.Minute})
	first := p.ask(`{}`)
	clock.advance(4 * time.Minute)
	if again := p.ask(`{}`); again.PID != first.PID {
		t.Error("the instance was ended although it was used in between")
	}
	clock.advance(4 * time.Minute)
	if again := p.ask(`{}`); again.PID != first.PID {
		t.Error("the instance was ended before it was idle for 5 minutes")
	}
	await(t, "the instance is watched", func() bool { return clock.waiting(5 * time.Minute) })
	clock.advance(5 * time.Minute)
	await(t, "the process is gone", func() bool { return !running(first.PID) })
}

func testConcurrency(t *testing.T) {
	p := newProbed(t, emulator.Config{MaxInstances: 1})
	open, until := gate(t)
	first := make(chan emulator.Invocation, 1)
	go func() { first <- p.invoke(`{"Do":[` + until + `]}`) }()
	await(t, "the first runs", func() bool { return busy(p) })
	if i := p.invoke(`{}`); kindOf(i) != emulator.KindLimit {
		t.Errorf("the second: got %v", i.Error)
	}
	open()
	if i := <-first; i.Error != nil {
		t.Errorf("the first: %v", i.Error)
	}
	if i := p.invoke(`{}`); i.Error != nil {
		t.Errorf("afterwards: %v", i.Error)
	}
}

func testSyncEvent(t *testing.T)  { testEventLimit(t, scf.MaxSyncPayload, false) }
func testAsyncEvent(t *testing.T) { testEventLimit(t, scf.MaxAsyncPayload, true) }

func testEventLimit(t *testing.T, limit int, async bool) {
	p := newProbed(t, emulator.Config{})
	event := []byte(`"` + strings.Repeat("x", limit-2) + `"`)
	i, err := p.Invoke(t.Context(), function, event, emulator.InvokeOptions{Async: async})
	if err != nil || i.Error != nil {
		t.Errorf("an event of the limit: %v, %v", err, i.Error)
	}
	_, err = p.Invoke(t.Context(), function, append(event, ' '), emulator.InvokeOptions{Async: async})
	if !errors.Is(err, emulator.ErrEventTooLarge) || !strings.Contains(err.Error(), fmt.Sprint(limit)) {
		t.Errorf("one byte more: got %v, want that it is too large, and the limit", err)
	}
}

func testResponse(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	if i := p.invoke(`{"Do":[{"Respond":6291456}]}`); i.Error != nil || len(i.Payload) != scf.MaxSyncPayload {
		t.Errorf("a response of the limit: got %d bytes, %v", len(i.Payload), i.Error)
	}
	p.fails(`{"Do":[{"Respond":6291457}]}`, emulator.KindResponse, true, "6291457", "6291456")
}

func testOpenFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux bounds another process")
	}
	got := newProbed(t, emulator.Config{}).ask(`{"Do":[{"Files":true}]}`).Files
	if got > scf.MaxOpenFiles || got < scf.MaxOpenFiles-50 {
		t.Errorf("the function could open %d files, want a little less than %d", got, scf.MaxOpenFiles)
	}
}

func testBill(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	for _, event := range []string{`{}`, `{"Do":[{"SleepMS":30},{"Error":"no"}]}`} {
		i := p.invoke(event)
		if want := scf.BilledMillis(i.Duration); i.BilledMS != want || i.BilledMS < 1 {
			t.Errorf("%s: %v billed as %d ms, want %d", event, i.Duration, i.BilledMS, want)
		}
	}
}

func testLog(t *testing.T) {
	p := newProbed(t, emulator.Config{LogBytes: 1000})
	first := p.invoke(`{"Do":[{"Print":"one"},{"Stderr":"two"},{"Later":"after the answer"}]}`)
	if string(first.InitLog) != "probe starts\n" || string(first.Log) != "one\ntwo\n" {
		t.Errorf("first: got init %q, log %q", first.InitLog, first.Log)
	}
	if second := p.invoke(`{"Do":[{"SleepMS":500},{"Print":"three"}]}`); string(second.Log) != "after the answer\nthree\n" {
		t.Errorf("second: got %q", second.Log)
	}
	long := p.invoke(`{"Do":[{"Print":"` + strings.Repeat("x", 5000) + `"}]}`)
	if len(long.Log) != 1000 || !bytes.HasSuffix(long.Log, []byte("x\n")) || long.LogDropped != 4001 {
		t.Errorf("a long log: got %d bytes, %d dropped", len(long.Log), long.LogDropped)
	}
	kept := p.Invocations()
	if len(kept) != 3 || kept[0].RequestID != first.RequestID || string(kept[0].Log) != "one\ntwo\n" {
		t.Errorf("kept: %d records, the first %+v", len(kept), kept[0])
	}
}

func testDescendants(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	child := p.ask(`{"Do":[{"Spawn":true}]}`).Descendant
	if !running(child) {
		t.Fatalf("the descendant %d does not run", child)
	}
	p.invoke(`{"Do":[{"Exit":1}]}`)
	await(t, "the descendant is gone", func() bool { return !running(child) })
}

func testRedeploy(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	old := p.ask(`{}`)
	open, until := gate(t)
	slow := make(chan emulator.Invocation, 1)
	go func() { slow <- p.invoke(`{"Do":[` + until + `]}`) }()
	await(t, "the old version is busy", func() bool { return busy(p) })
	f := scf.Function{Name: function, Handler: "main", MemorySize: 256, Timeout: 20}
	if err := p.Deploy(t.Context(), f, probeDir); err != nil {
		t.Fatal(err)
	}
	if now := p.ask(`{}`); now.MemoryMB != 256 || now.PID == old.PID {
		t.Errorf("after the deployment: got %d MB in process %d", now.MemoryMB, now.PID)
	}
	open()
	if i := <-slow; i.Error != nil || i.MemoryMB != 128 {
		t.Errorf("the running one: got %d MB, %v", i.MemoryMB, i.Error)
	}
	await(t, "the old process and its code are gone", func() bool {
		_, err := os.Stat(old.Dir)
		return !running(old.PID) && os.IsNotExist(err)
	})
}

func testClose(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sleep int
		grace time.Duration
		kind  emulator.Kind
	}{
		{"what ends within the grace succeeds", 500, 30 * time.Second, ""},
		{"what takes longer is given up", 60_000, 50 * time.Millisecond, emulator.KindSystem},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProbed(t, emulator.Config{StopGrace: tt.grace})
			p.ask(`{}`)
			slow := make(chan emulator.Invocation, 1)
			go func() { slow <- p.invoke(fmt.Sprintf(`{"Do":[{"SleepMS":%d}]}`, tt.sleep)) }()
			await(t, "it runs", func() bool { return busy(p) })
			ended := make(chan error, 1)
			go func() { ended <- p.Close() }()
			i := <-slow
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if got := kindOf(i); got != tt.kind {
				t.Errorf("got %q (%v), want %q", got, i.Error, tt.kind)
			}
			if running(i.PID) {
				t.Errorf("process %d is still there", i.PID)
			}
			if _, err := p.Invoke(context.WithoutCancel(t.Context()), function, nil, emulator.InvokeOptions{}); !errors.Is(err, emulator.ErrClosed) {
				t.Errorf("afterwards: got %v", err)
			}
		})
	}
}
