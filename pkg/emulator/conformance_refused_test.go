package emulator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// What may be deployed. A refused deployment starts nothing, so there is no
// binary to drive: the tests deploy the probe.
func refusalTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"function-name":      testFunctionName,
		"memory-size":        testMemorySize,
		"timeout-range":      testTimeoutRange,
		"description":        testDescription,
		"environment-size":   testEnvironmentSize,
		"variable-name":      testVariableName,
		"reserved-variables": testReservedVariables,
		"handler-mode":       testHandlerMode,
		"code-size":          testCodeSize,
		"trigger-count":      testTriggerCount,
		"refused-whole":      testRefusedWhole,
		"max-msg-num-range":  testMaxMsgNumRange,
		"time-out-range":     testTimeOutRange,
		"retry-range":        testRetryRange,
		"offset-forms":       testOffsetForms,
	}
}

// deployment tries settings on a platform without triggers' clusters.
type deployment struct {
	testing.TB
	p *emulator.Platform
}

func newDeployment(t *testing.T) deployment {
	t.Helper()
	t.Parallel()
	return deployment{t, platform(t, emulator.Config{})}
}

func (d deployment) deploy(change func(*scf.Function)) error {
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20}
	change(&f)
	return d.p.Deploy(d.Context(), f, probeDir)
}

func (d deployment) takes(what string, change func(*scf.Function)) {
	d.Helper()
	if err := d.deploy(change); err != nil {
		d.Errorf("%s: got %v, want it taken", what, err)
	}
}

// refuses wants an error that holds the texts.
func (d deployment) refuses(what string, change func(*scf.Function), texts ...string) {
	d.Helper()
	err := d.deploy(change)
	if err == nil {
		d.Errorf("%s: is taken", what)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			d.Errorf("%s: got %v, want %q in it", what, err, text)
		}
	}
}

func testFunctionName(t *testing.T) {
	d := newDeployment(t)
	named := func(name string) func(*scf.Function) { return func(f *scf.Function) { f.Name = name } }
	for _, name := range []string{"ab", strings.Repeat("a", 60), "etl-dev-dump_2"} {
		d.takes(name, named(name))
	}
	for _, name := range []string{"", "a", strings.Repeat("a", 61), "2ab", "ab-", "ab_", "a b", "äb", "../ab"} {
		d.refuses(name, named(name), fmt.Sprintf("%q", name), "2 to 60")
	}
}

func testMemorySize(t *testing.T) {
	d := newDeployment(t)
	size := func(mb int) func(*scf.Function) { return func(f *scf.Function) { f.MemorySize = mb } }
	for _, mb := range []int{64, 128, 256, 3072} {
		d.takes(fmt.Sprint(mb), size(mb))
	}
	for mb, next := range map[int]string{0: "64", 63: "64", 65: "128", 192: "256", 3071: "3072", 3200: "3072"} {
		d.refuses(fmt.Sprint(mb), size(mb), fmt.Sprint(mb, " MB"), "allowed size is "+next)
	}
}

func testTimeoutRange(t *testing.T) {
	d := newDeployment(t)
	timeout := func(s int) func(*scf.Function) { return func(f *scf.Function) { f.Timeout = s } }
	d.takes("1", timeout(1))
	d.takes("900", timeout(900))
	d.refuses("0", timeout(0), "timeout is 0", "1 to 900")
	d.refuses("901", timeout(901), "timeout is 901", "1 to 900")
}

func testDescription(t *testing.T) {
	d := newDeployment(t)
	text := func(n int) func(*scf.Function) {
		return func(f *scf.Function) { f.Description = strings.Repeat("云", n) }
	}
	d.takes("1000 characters", text(1000))
	d.refuses("1001 characters", text(1001), "1001", "1000")
}

func testEnvironmentSize(t *testing.T) {
	d := newDeployment(t)
	sized := func(n int) func(*scf.Function) {
		return func(f *scf.Function) { f.Environment = map[string]string{"KEY": strings.Repeat("s", n-3)} }
	}
	d.takes("4 KB", sized(4096))
	d.refuses("4 KB and a byte", sized(4097), "4097 bytes", "4096")
	if err := d.deploy(sized(4097)); strings.Contains(err.Error(), "sss") {
		t.Errorf("the error shows the value: %v", err)
	}
}

func variable(key string) func(*scf.Function) {
	return func(f *scf.Function) { f.Environment = map[string]string{key: "v"} }
}

func testVariableName(t *testing.T) {
	d := newDeployment(t)
	for _, key := range []string{"AB", "a_1", strings.Repeat("A", 64)} {
		d.takes(key, variable(key))
	}
	for _, key := range []string{"A", strings.Repeat("A", 65), "1A", "_A", "A-B", "A.B", ""} {
		d.refuses(key, variable(key), fmt.Sprintf("%q", key), "2 to 64")
	}
}

func testReservedVariables(t *testing.T) {
	d := newDeployment(t)
	for _, prefix := range []string{"SCF_", "QCLOUD_", "TENCENTCLOUD_"} {
		d.refuses(prefix, variable(prefix+"ANY"), prefix+"ANY", "belong to the platform")
	}
	d.takes("a name with such a word in it", variable("MY_SCF_KEY"))
	d.takes("another case", variable("scf_key"))
}

func testHandlerMode(t *testing.T) {
	d := newDeployment(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main"), []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for handler, want := range map[string]string{
		"main": "executable (0755)", "folder": "executable (0755)", "missing": "holds no file missing",
		"bin/main": "without a path", "../main": "without a path", "": `handler ""`,
	} {
		f := scf.Function{Name: function, Handler: handler, MemorySize: 128, Timeout: 20}
		if err := d.p.Deploy(t.Context(), f, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", handler, err, want)
		}
	}
	d.takes("an executable file", func(*scf.Function) {})
}

func testCodeSize(t *testing.T) {
	d := newDeployment(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(probeDir)); err != nil {
		t.Fatal(err)
	}
	large, err := os.Create(filepath.Join(dir, "model"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(scf.MaxCode); err != nil { // a hole: it takes no room
		t.Fatal(err)
	}
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20}
	if err := d.p.Deploy(t.Context(), f, dir); err == nil || !strings.Contains(err.Error(), "524288000") {
		t.Errorf("500 MB beside the binary: got %v", err)
	}
	if err := large.Truncate(1); err != nil {
		t.Fatal(err)
	}
	if err := d.p.Deploy(t.Context(), f, dir); err != nil {
		t.Errorf("a byte beside the binary: got %v", err)
	}
}

func testTriggerCount(t *testing.T) {
	r := newRig(t, 1)
	var triggers []scf.Trigger
	for n := range scf.MaxTriggersOfKind + 1 {
		name := fmt.Sprint("topic-", n)
		r.createTopic(name)
		k := trigger(func(k *scf.KafkaTrigger) { k.Topic = name })
		triggers = append(triggers, scf.Trigger{Kafka: &k})
	}
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20, Events: triggers}
	if err := r.p.Deploy(t.Context(), f, probeDir); err == nil || !strings.Contains(err.Error(), "more than 10 triggers of the kind ckafka") {
		t.Errorf("eleven: got %v", err)
	}
	if n := len(r.p.Functions()); n != 0 {
		t.Errorf("%d functions were deployed", n)
	}
	f.Events = triggers[:scf.MaxTriggersOfKind]
	if err := r.p.Deploy(t.Context(), f, probeDir); err != nil {
		t.Fatalf("ten: got %v", err)
	}
	if err := r.p.CreateTrigger(t.Context(), function, triggers[scf.MaxTriggersOfKind]); err == nil || !strings.Contains(err.Error(), "10 triggers") {
		t.Errorf("one more: got %v", err)
	}
	if err := r.p.CreateTrigger(t.Context(), function, onTimer(timer("0 0 * * * * *"))); err != nil {
		t.Errorf("one of another kind: got %v", err)
	}
}

func testRefusedWhole(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	before := p.ask(`{}`)
	bad := scf.Function{Name: function, Handler: "main", MemorySize: 256, Timeout: 901}
	if err := p.Deploy(t.Context(), bad, probeDir); err == nil {
		t.Fatal("a timeout of 901 s is taken")
	}
	if now := p.ask(`{}`); now.PID != before.PID || now.MemoryMB != 128 {
		t.Errorf("got %d MB in process %d, want 128 MB in %d", now.MemoryMB, now.PID, before.PID)
	}
}

func withTrigger(change ...func(*scf.KafkaTrigger)) func(*scf.Function) {
	return func(f *scf.Function) {
		k := trigger(change...)
		f.Events = []scf.Trigger{{Kafka: &k}}
	}
}

// ranged tries a setting of a trigger, on brokers: the values that are taken
// are those of a trigger that is made.
func ranged(t *testing.T, set func(int) func(*scf.KafkaTrigger), taken, refused []int, texts ...string) {
	t.Helper()
	r := newRig(t, 1)
	d := deployment{t, r.p}
	for _, n := range refused {
		d.refuses(fmt.Sprint(n), withTrigger(set(n)), append(texts, fmt.Sprint("is ", n))...)
	}
	if n := len(r.p.Functions()); n != 0 {
		t.Errorf("%d functions were deployed", n)
	}
	for _, n := range taken {
		d.takes(fmt.Sprint(n), withTrigger(set(n)))
	}
}

func testMaxMsgNumRange(t *testing.T) {
	ranged(t, of, []int{1, 10_000}, []int{0, -1, 10_001}, "maxMsgNum", "1 to 10000")
}

func testTimeOutRange(t *testing.T) {
	ranged(t, func(s int) func(*scf.KafkaTrigger) { return func(k *scf.KafkaTrigger) { k.TimeOut = s } },
		[]int{1, 60}, []int{0, 61}, "timeOut", "1 to 60")
}

func testRetryRange(t *testing.T) {
	ranged(t, retries, []int{0, 10_000}, []int{-1}, "retry", "0 and more")
}

func testOffsetForms(t *testing.T) {
	r := newRig(t, 1)
	d := deployment{t, r.p}
	d.refuses("-3", withTrigger(from(-3)), "offset is -3", "latest, earliest or a time in milliseconds")
	for _, form := range []string{"latest", "earliest", "1700000000000"} {
		offset, err := scf.ParseOffset(form)
		if err != nil {
			t.Fatal(err)
		}
		d.takes(form, withTrigger(from(offset)))
		if err := r.p.Remove(t.Context(), function); err != nil {
			t.Fatal(err)
		}
	}
	for _, form := range []string{"", "newest", "-1", "1.5", "2026-01-01"} {
		if _, err := scf.ParseOffset(form); err == nil || !strings.Contains(err.Error(), "latest, earliest or a time") {
			t.Errorf("%q: got %v", form, err)
		}
	}
}
