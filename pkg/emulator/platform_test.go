package emulator_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func TestPlatform(t *testing.T) {
	t.Parallel()
	t.Run("a setting that the cloud refuses is named with its value and what is allowed", testRefusedSettings)
	t.Run("a function that is not deployed is an error", func(t *testing.T) {
		t.Parallel()
		p := platform(t, emulator.Config{})
		_, invoke := p.Invoke(t.Context(), "missing", nil, emulator.InvokeOptions{})
		create := p.CreateTrigger(t.Context(), "missing", onKafka(trigger()))
		for _, err := range []error{invoke, create, p.Remove(t.Context(), "missing")} {
			if !errors.Is(err, emulator.ErrUnknownFunction) || !strings.Contains(err.Error(), "missing") {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("a removed function leaves nothing behind", func(t *testing.T) {
		r := newRig(t, 1)
		r.produce(0, "a")
		r.run(trigger())
		pid := r.awaitReceived(1)[0].PID
		r.awaitCommitted(0, 1)
		if err := r.p.Remove(t.Context(), function); err != nil {
			t.Fatal(err)
		}
		if n, m := len(r.p.Functions()), len(r.p.Triggers()); n+m != 0 {
			t.Errorf("%d functions and %d triggers are left", n, m)
		}
		await(t, "the process is gone", func() bool { return !running(pid) })
	})
	t.Run("a repeat gives the last event to the version that is deployed now, and is marked", func(t *testing.T) {
		p := newProbed(t, emulator.Config{KeepEvents: true})
		if _, err := p.Repeat(t.Context(), function); !errors.Is(err, emulator.ErrNoEvent) {
			t.Errorf("before the first event: got %v", err)
		}
		first, err := p.Invoke(t.Context(), function, []byte(`{"Do":[{"Error":"custom"}]}`), emulator.InvokeOptions{Trigger: "hourly"})
		if err != nil || first.Error == nil || first.Repeat {
			t.Fatalf("got %+v (%v)", first, err)
		}
		f := scf.Function{Name: function, Handler: "main", MemorySize: 256, Timeout: 20}
		if err := p.Deploy(t.Context(), f, probeDir); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			again, err := p.Repeat(t.Context(), function)
			if err != nil || again.Error == nil || again.Error.Type != "custom" || !again.Repeat || again.Trigger != "hourly" || again.MemoryMB != 256 {
				t.Errorf("got %+v (%v)", again, err)
			}
		}
	})
	t.Run("a function that works on an event is not given another one by a repeat", func(t *testing.T) {
		p := newProbed(t, emulator.Config{KeepEvents: true})
		p.ask(`{}`)
		open, until := gate(t)
		slow := make(chan emulator.Invocation, 1)
		go func() { slow <- p.invoke(`{"Do":[` + until + `]}`) }()
		await(t, "it is busy", func() bool { return busy(p) })
		if _, err := p.Repeat(t.Context(), function); !errors.Is(err, emulator.ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
		open()
		<-slow
	})
	t.Run("the folder of a platform is gone after Close", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		p := probed{t, platform(t, emulator.Config{Dir: dir})}
		f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20}
		if err := p.Deploy(t.Context(), f, probeDir); err != nil {
			t.Fatal(err)
		}
		p.ask(`{}`)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	t.Run("Run is refused while it runs and after Close", func(t *testing.T) {
		r := newRig(t, 1)
		r.run(trigger())
		r.awaitState(0, emulator.Polling)
		if err := r.p.Run(t.Context()); !errors.Is(err, emulator.ErrRunning) {
			t.Errorf("a second run: got %v", err)
		}
		r.stop()
		if err := r.p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := r.p.Run(t.Context()); !errors.Is(err, emulator.ErrClosed) {
			t.Errorf("after close: got %v", err)
		}
	})
	t.Run("Run goes on where it stopped", func(t *testing.T) {
		r := newRig(t, 1)
		r.produce(0, "a")
		r.run(trigger())
		r.awaitCommitted(0, 1)
		r.stop()
		r.produce(0, "b")
		start(t, r.p)
		r.awaitCommitted(0, 2)
	})
	t.Run("only the last invocations are kept", func(t *testing.T) {
		p := newProbed(t, emulator.Config{Keep: 3})
		var want []string
		for range 5 {
			want = append(want, p.invoke(`{}`).RequestID)
		}
		var got []string
		for _, i := range p.Invocations() {
			got = append(got, i.RequestID)
		}
		if diff := cmp.Diff(want[2:], got); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
	t.Run("a trigger of a kind that is not driven says so", func(t *testing.T) {
		t.Parallel()
		p := platform(t, emulator.Config{})
		f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20, Events: []scf.Trigger{{URL: &scf.URLTrigger{Name: "url", AuthType: "NONE"}}}}
		if err := p.Deploy(t.Context(), f, probeDir); err != nil {
			t.Fatal(err)
		}
		if got := p.Triggers(); len(got) != 1 || got[0].Kind != "http" || got[0].Name != "url" || got[0].Error == "" {
			t.Errorf("got %+v", got)
		}
		if err := p.CreateTrigger(t.Context(), function, f.Events[0]); err == nil || !strings.Contains(err.Error(), "not driven") {
			t.Errorf("created: got %v", err)
		}
	})
	t.Run("hooks see each invocation, each line and each change of state", testHooks)
}

func testRefusedSettings(t *testing.T) {
	t.Parallel()
	p := platform(t, emulator.Config{})
	for _, tt := range []struct {
		change func(*scf.Function, *scf.KafkaTrigger)
		want   []string
	}{
		{func(f *scf.Function, _ *scf.KafkaTrigger) { f.MemorySize = 100 }, []string{"memorySize", "100", "128"}},
		{func(f *scf.Function, _ *scf.KafkaTrigger) { f.Timeout = 901 }, []string{"timeout", "901", "1 to 900"}},
		{func(f *scf.Function, _ *scf.KafkaTrigger) { f.Name = "f" }, []string{`"f"`, "2 to 60"}},
		{func(f *scf.Function, _ *scf.KafkaTrigger) { f.Name = "../../f" }, []string{`"../../f"`, "without a path"}},
		{func(f *scf.Function, _ *scf.KafkaTrigger) { f.Handler = "bin/main" }, []string{`"bin/main"`, "without a path"}},
		{func(f *scf.Function, _ *scf.KafkaTrigger) { f.Handler = "" }, []string{`handler ""`}},
		{func(_ *scf.Function, k *scf.KafkaTrigger) { k.MaxMsgNum = 10_001 }, []string{"maxMsgNum", "10001", "1 to 10000"}},
		{func(_ *scf.Function, k *scf.KafkaTrigger) { k.TimeOut = 61 }, []string{"timeOut", "61", "1 to 60"}},
		{func(_ *scf.Function, k *scf.KafkaTrigger) { k.Retry = -1 }, []string{"retry", "-1", "0 and more"}},
	} {
		f, k := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20}, trigger()
		tt.change(&f, &k)
		f.Events = []scf.Trigger{{Kafka: &k}}
		err := p.Deploy(t.Context(), f, probeDir)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
	}
	if n := len(p.Functions()); n != 0 {
		t.Errorf("%d functions were deployed all the same", n)
	}
	if _, err := emulator.New(emulator.Config{Kafka: emulator.KafkaConfig{AfterLastRetry: "ignore"}}); err == nil || !strings.Contains(err.Error(), `"ignore"`) {
		t.Errorf("an unknown policy: got %v", err)
	}
	if _, err := emulator.New(emulator.Config{Async: emulator.AsyncConfig{LimitFor: -1}}); err == nil || !strings.Contains(err.Error(), "LimitFor is -1ns") {
		t.Errorf("a negative time span: got %v", err)
	}
}

func testHooks(t *testing.T) {
	var mu sync.Mutex
	var lines, states []string
	var invoked []emulator.Invocation
	r := newRig(t, 1, func(c *emulator.Config) {
		c.Hooks = emulator.Hooks{
			Invoked: func(i emulator.Invocation) { mu.Lock(); defer mu.Unlock(); invoked = append(invoked, i) },
			Output: func(f, id string, line []byte) {
				mu.Lock()
				defer mu.Unlock()
				lines = append(lines, f+": "+string(line))
			},
			Trigger: func(e emulator.TriggerEvent) {
				mu.Lock()
				defer mu.Unlock()
				states = append(states, e.Trigger+" "+string(e.Status.State))
			},
		}
	})
	r.do(`[{"Print":"hello"},{"Error":"no"}]`)
	r.produce(0, "a")
	r.run(trigger(retries(1)))
	r.awaitState(0, emulator.Stalled)
	r.stop()
	mu.Lock()
	defer mu.Unlock()
	name := instance + "-" + topic
	if diff := cmp.Diff([]string{"probe: probe starts", "probe: hello", "probe: hello"}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	want := []string{name + " polling", name + " invoking", name + " retrying", name + " invoking", name + " stalled", name + " stopped"}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if len(invoked) != 2 || invoked[0].Trigger != name || invoked[1].Error == nil {
		t.Errorf("invocations: %+v", invoked)
	}
}
