package emulator_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// How a function fails.
func faultTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"error":       testError,
		"panic":       testPanic,
		"timeout":     testTimeout,
		"memory":      testMemory,
		"exit":        testExit,
		"signal":      testSignal,
		"garbage":     testGarbage,
		"oversized":   testOversized,
		"hang-up":     testHangUp,
		"no-start":    testNoStart,
		"start-hangs": testStartHangs,
	}
}

func testError(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	i := p.fails(`{"Do":[{"Error":"no such table"}]}`, emulator.KindFunction, false, "no such table")
	if i.Error.Type != "errorString" || i.Payload != nil {
		t.Errorf("got type %q, payload %q", i.Error.Type, i.Payload)
	}
	if i := p.invoke(`{"Do":[{"Error":"custom"}]}`); i.Error.Type != "custom" {
		t.Errorf("type of a custom error: got %q", i.Error.Type)
	}
}

func testPanic(t *testing.T) {
	i := newProbed(t, emulator.Config{}).fails(`{"Do":[{"Panic":"nil map"}]}`, emulator.KindFunction, true, "nil map")
	found := false
	for _, f := range i.Error.Stack {
		found = found || strings.Contains(f.Path, "command.go") && f.Line > 0
	}
	if !found {
		t.Errorf("the stack does not name the line of the panic: %+v", i.Error.Stack)
	}
}

func testTimeout(t *testing.T) {
	p := newProbed(t, emulator.Config{}, func(f *scf.Function) { f.Timeout = 1 })
	i := p.fails(`{"Do":[{"Print":"half way"},{"SleepMS":60000}]}`, emulator.KindTimeout, true, "timed out after 1 s", "half way")
	if i.Duration < time.Second || i.Duration > 15*time.Second {
		t.Errorf("it ran for %v, want about 1 s", i.Duration)
	}
	if running(i.PID) {
		t.Errorf("process %d is still there", i.PID)
	}
}

func testMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the memory of another process")
	}
	p := newProbed(t, emulator.Config{}, func(f *scf.Function) { f.MemorySize = 64 })
	p.fails(`{"Do":[{"HoldMB":200},{"SleepMS":60000}]}`, emulator.KindMemory, true, "its memory is 64 MB")
	if i := p.invoke(`{"Do":[{"HoldMB":20}]}`); i.Error != nil || i.MaxRSS < 20<<20 {
		t.Errorf("20 MB: got MaxRSS %d, %v", i.MaxRSS, i.Error)
	}
}

func testExit(t *testing.T) {
	newProbed(t, emulator.Config{}).fails(`{"Do":[{"Print":"giving up"},{"Exit":3}]}`, emulator.KindExit, true, "exit status 3", "giving up")
}

func testSignal(t *testing.T) {
	newProbed(t, emulator.Config{}).fails(`{"Do":[{"Kill":true}]}`, emulator.KindExit, true, "signal: killed")
}

func testGarbage(t *testing.T) {
	newProbed(t, emulator.Config{}).fails(`{"Do":[{"Garbage":true}]}`, emulator.KindResponse, true, "no RPC response")
}

func testOversized(t *testing.T) {
	newProbed(t, emulator.Config{}).fails(`{"Do":[{"Huge":true}]}`, emulator.KindResponse, true, "4294967296 bytes")
}

func testHangUp(t *testing.T) {
	newProbed(t, emulator.Config{}).fails(`{"Do":[{"Hangup":true}]}`, emulator.KindResponse, true, "closed its connection")
}

func testNoStart(t *testing.T) {
	p := newProbed(t, emulator.Config{}, func(f *scf.Function) { f.Environment["PROBE_START"] = "exit" })
	i := p.invoke(`{}`)
	if i.Error == nil || i.Error.Kind != emulator.KindExit || i.Error.Exit != "exit status 3" || !strings.Contains(i.Error.LastLines, "no configuration") {
		t.Errorf("got %+v", i.Error)
	}
}

func testStartHangs(t *testing.T) {
	p := newProbed(t, emulator.Config{StartTimeout: 300 * time.Millisecond}, func(f *scf.Function) { f.Environment["PROBE_START"] = "hang" })
	i := p.invoke(`{}`)
	if i.Error == nil || i.Error.Kind != emulator.KindExit || !strings.Contains(i.Error.Message, "300ms") {
		t.Errorf("got %+v", i.Error)
	}
}
