package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// answer is what the probe tells about an invocation.
type answer struct {
	PID, Invocation              int
	RequestID, Function, Version string
	Namespace, Dir, Client       string
	MemoryMB, TimeLimitMS        int
	Deadline                     time.Time
	Environ, Started             []string
	Kept, Digest                 string
	Files, Descendant            int
}

func (a answer) env(key string) (string, bool) {
	for _, e := range a.Environ {
		if v, ok := strings.CutPrefix(e, key+"="); ok {
			return v, true
		}
	}
	return "", false
}

// probed is a platform with the probe on it.
type probed struct {
	testing.TB
	*emulator.Platform
}

func newProbed(t *testing.T, c emulator.Config, change ...func(*scf.Function)) probed {
	t.Helper()
	t.Parallel()
	p := probed{t, platform(t, c)}
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20, Environment: map[string]string{"PROBE_RELAY": "1"}}
	for _, c := range change {
		c(&f)
	}
	if err := p.Deploy(t.Context(), f, probeDir); err != nil {
		t.Fatal(err)
	}
	return p
}

// invoke runs the probe with commands, or with an event of another kind.
func (p probed) invoke(event string) emulator.Invocation {
	p.Helper()
	i, err := p.Invoke(p.Context(), function, []byte(event), emulator.InvokeOptions{})
	if err != nil {
		p.Fatal(err)
	}
	return i
}

// ask is invoke for one that has to succeed.
func (p probed) ask(event string) answer {
	p.Helper()
	i := p.invoke(event)
	if i.Error != nil {
		p.Fatalf("invocation failed: %v", i.Error)
	}
	var a answer
	if err := json.Unmarshal(i.Payload, &a); err != nil {
		p.Fatalf("payload %q: %v", i.Payload, err)
	}
	return a
}

// fails invokes the probe, wants a failure of a kind with a text in it, and that
// the next invocation works; in a new process where replaced.
func (p probed) fails(event string, kind emulator.Kind, replaced bool, texts ...string) emulator.Invocation {
	p.Helper()
	before := p.ask(`{}`)
	i := p.invoke(event)
	if i.Error == nil || i.Error.Kind != kind {
		p.Fatalf("got error %+v, want the kind %s", i.Error, kind)
	}
	for _, text := range texts {
		if !strings.Contains(i.Error.Error(), text) {
			p.Errorf("got the error %q, want %q in it", i.Error, text)
		}
	}
	after := p.ask(`{}`)
	if got := after.PID != before.PID; got != replaced {
		p.Errorf("process replaced: got %v, want %v", got, replaced)
	}
	return i
}

func kindOf(i emulator.Invocation) emulator.Kind {
	if i.Error == nil {
		return ""
	}
	return i.Error.Kind
}

func unmarshal(t testing.TB, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("payload %q: %v", text, err)
	}
}
