package emulator_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Versions, aliases, and what a qualifier invokes.
func versionTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"version":           testVersion,
		"version-immutable": testVersionImmutable,
		"version-number":    testVersionNumber,
		"version-in-use":    testVersionInUse,
		"qualifier":         testQualifier,
		"alias-default":     testAliasDefault,
		"alias-weight":      testAliasWeight,
		"alias-match":       testAliasMatch,
		"alias-limits":      testAliasLimits,
		"alias-batch":       testAliasBatch,
		"alias-timer":       testAliasTimer,
		"namespace":         testNamespace,
	}
}

// publish makes a version of the probe as it is.
func (p probed) publish() string {
	p.Helper()
	number, err := p.Publish(p.Context(), function, "")
	if err != nil {
		p.Fatal(err)
	}
	return number
}

// redeploy gives $LATEST another value of the variable COLOUR.
func (p probed) redeploy(colour string) {
	p.Helper()
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20,
		Environment: map[string]string{"PROBE_RELAY": "1", "COLOUR": colour}}
	if err := p.Deploy(p.Context(), f, probeDir); err != nil {
		p.Fatal(err)
	}
}

func (p probed) alias(a emulator.Alias) {
	p.Helper()
	if err := p.SetAlias(p.Context(), function, a); err != nil {
		p.Fatal(err)
	}
}

// by invokes the probe by a qualifier and returns its answer.
func (p probed) by(qualifier string, key map[string]string) answer {
	p.Helper()
	i, err := p.Invoke(p.Context(), function, []byte(`{}`),
		emulator.InvokeOptions{Qualifier: qualifier, RoutingKey: key})
	if err != nil || i.Error != nil {
		p.Fatalf("invoke %q: %v, %v", qualifier, err, i.Error)
	}
	var a answer
	if unmarshal(p, i.Payload, &a); a.Version != i.Version || i.Qualifier != qualifier {
		p.Errorf("the record says %s by %s, the function %s", i.Version, i.Qualifier, a.Version)
	}
	return a
}

func testVersion(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	p.redeploy("blue")
	number := p.publish()
	p.redeploy("green")
	for qualifier, want := range map[string]string{number: "blue", "$LATEST": "green", "": "green"} {
		a := p.by(qualifier, nil)
		colour, _ := a.env("COLOUR")
		version, _ := a.env("SCF_FUNCTIONVERSION")
		if colour != want || version != a.Version {
			t.Errorf("%q: got %s of version %s, which its environment calls %s", qualifier, colour, a.Version, version)
		}
	}
}

func testVersionImmutable(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	p.redeploy("blue")
	number := p.publish()
	before := p.by(number, nil)
	p.redeploy("green")
	if after := p.by(number, nil); after.PID != before.PID || after.Invocation != before.Invocation+1 {
		t.Errorf("its process was replaced: %+v, then %+v", before, after)
	}
	info, err := p.Describe(function)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Versions[1].Settings.Environment["COLOUR"]; got != "blue" || len(info.Versions) != 2 || info.Versions[1].Number != number {
		t.Errorf("got %+v", info.Versions)
	}
	if err := p.InstallVersion(t.Context(), info.Versions[1].Settings, number, probeDir); !errors.Is(err,
		emulator.ErrInUse) {
		t.Errorf("installed over it: got %v, want ErrInUse", err)
	}
}

func testVersionNumber(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	got := []string{p.publish(), p.publish()}
	if err := p.DeleteVersion(t.Context(), function, "2"); err != nil {
		t.Fatal(err)
	}
	got = append(got, p.publish())
	if diff := cmp.Diff([]string{"1", "2", "3"}, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	if _, err := p.Invoke(t.Context(), function, nil, emulator.InvokeOptions{Qualifier: "2"}); !errors.Is(err,
		emulator.ErrUnknownQualifier) {
		t.Errorf("the deleted one: got %v, want ErrUnknownQualifier", err)
	}
}

func testVersionInUse(t *testing.T) {
	r := newTimers(t)
	r.deploy()
	p := probed{r.rig, r.p}
	p.publish()
	p.alias(emulator.Alias{Name: "live", Version: "1"})
	if err := r.p.DeleteVersion(t.Context(), function, "1"); !errors.Is(err,
		emulator.ErrInUse) || !strings.Contains(err.Error(), "live") {
		t.Errorf("with an alias: got %v", err)
	}
	byAlias := onTimer(timer("0 * * * * * *", func(t *scf.TimerTrigger) { t.Qualifier = "live" }))
	if err := r.p.CreateTrigger(t.Context(), function, byAlias); err != nil {
		t.Fatal(err)
	}
	if err := r.p.DeleteAlias(t.Context(), function, "live"); !errors.Is(err,
		emulator.ErrInUse) || !strings.Contains(err.Error(), "tick") {
		t.Errorf("the alias with a trigger: got %v", err)
	}
	if err := r.p.DeleteTrigger(t.Context(), function, "timer", "tick"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.p.DeleteAlias(t.Context(), function, "live"),
		r.p.DeleteVersion(t.Context(), function, "1")); err != nil {
		t.Errorf("with neither: %v", err)
	}
}

func testQualifier(t *testing.T) {
	r := newTimers(t)
	r.deploy()
	_, err := r.p.Invoke(t.Context(), function, nil, emulator.InvokeOptions{Qualifier: "live"})
	if !errors.Is(err, emulator.ErrUnknownQualifier) {
		t.Errorf("invoke: got %v, want ErrUnknownQualifier", err)
	}
	tick := onTimer(timer("0 * * * * * *", func(t *scf.TimerTrigger) { t.Qualifier = "live" }))
	if err := r.p.CreateTrigger(t.Context(), function, tick); !errors.Is(err, emulator.ErrUnknownQualifier) {
		t.Errorf("trigger: got %v, want ErrUnknownQualifier", err)
	}
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 1, Events: []scf.Trigger{tick}}
	if err := r.p.Deploy(t.Context(), f, probeDir); !errors.Is(err, emulator.ErrUnknownQualifier) {
		t.Errorf("deploy: got %v, want ErrUnknownQualifier", err)
	}
	if n := len(r.p.Triggers()); n != 0 {
		t.Errorf("%d triggers", n)
	}
}

func testAliasDefault(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	p.publish()
	if a := p.by(scf.DefaultQualifier, nil); a.Version != "$LATEST" {
		t.Errorf("got version %s", a.Version)
	}
	p.alias(emulator.Alias{Name: scf.DefaultQualifier, Version: "1"})
	p.redeploy("green")
	if a := p.by(scf.DefaultQualifier, nil); a.Version != "1" {
		t.Errorf("once it is set: got version %s", a.Version)
	}
	if err := p.DeleteAlias(t.Context(), function, scf.DefaultQualifier); !errors.Is(err, emulator.ErrBadAlias) {
		t.Errorf("delete: got %v, want ErrBadAlias", err)
	}
}

// turns is a random source that gives numbers in turn.
func turns(numbers ...float64) func() float64 {
	var next atomic.Int64
	return func() float64 { return numbers[int(next.Add(1)-1)%len(numbers)] }
}

func testAliasWeight(t *testing.T) {
	p := newProbed(t, emulator.Config{Random: turns(0.05, 0.1, 0.5, 0.99)})
	p.publish()
	p.publish()
	p.alias(emulator.Alias{Name: "live", Version: "1", Weights: []emulator.VersionWeight{{Version: "2", Weight: 0.1}}})
	var got []string
	for range 8 {
		got = append(got, p.by("live", nil).Version)
	}
	if diff := cmp.Diff([]string{"2", "1", "1", "1", "2", "1", "1", "1"}, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	p.alias(emulator.Alias{Name: "live", Version: "1", Weights: []emulator.VersionWeight{{Version: "2", Weight: 1}}})
	if a := p.by("live", nil); a.Version != "2" {
		t.Errorf("with the weight 1: got version %s", a.Version)
	}
	p.alias(emulator.Alias{Name: "live", Version: "2"})
	if a := p.by("live", nil); a.Version != "2" {
		t.Errorf("promoted: got version %s", a.Version)
	}
}

func testAliasMatch(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	p.publish()
	p.publish()
	for _, c := range []struct{ method, expression, value, want string }{
		{"exact", "anna", "anna", "2"}, {"exact", "anna", "Anna", "1"}, {"exact", "anna", "", "1"},
		{"range", "[1,5]", "5", "2"}, {"range", "(1,5)", "5", "1"}, {"range", "(1,5)", "4", "2"},
		{"range", "[1,5]", "x", "1"},
	} {
		match := emulator.VersionMatch{Version: "2", Key: "invoke.headers.User", Method: c.method,
			Expression: c.expression}
		p.alias(emulator.Alias{Name: "live", Version: "1", Matches: []emulator.VersionMatch{match}})
		if a := p.by("live", map[string]string{"User": c.value}); a.Version != c.want {
			t.Errorf("%s %s for %q: got version %s, want %s", c.method, c.expression, c.value, a.Version, c.want)
		}
	}
	if a := p.by("live", nil); a.Version != "1" {
		t.Errorf("without a routing key: got version %s", a.Version)
	}
}

func testAliasLimits(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	p.publish()
	p.publish()
	weight := func(version string, w float64) []emulator.VersionWeight {
		return []emulator.VersionWeight{{Version: version, Weight: w}}
	}
	nan := 0.0
	nan /= nan
	for why, a := range map[string]emulator.Alias{
		"a name with a digit first":  {Name: "1live", Version: "1"},
		"a name of 65 characters":    {Name: strings.Repeat("a", 65), Version: "1"},
		"a weight above 1":           {Name: "live", Version: "1", Weights: weight("2", 1.01)},
		"a weight below 0":           {Name: "live", Version: "1", Weights: weight("2", -0.1)},
		"a weight that is no number": {Name: "live", Version: "1", Weights: weight("2", nan)},
		"its own version beside":     {Name: "live", Version: "1", Weights: weight("1", 0.5)},
		"two versions beside": {Name: "live", Version: "1",
			Weights: slices.Concat(weight("2", 0.1), weight("$LATEST", 0.1))},
		"a match without a header": {Name: "live", Version: "1",
			Matches: []emulator.VersionMatch{{Version: "2", Key: "User", Method: "exact"}}},
		"a match of another method": {Name: "live", Version: "1",
			Matches: []emulator.VersionMatch{{Version: "2", Key: "invoke.headers.User", Method: "prefix"}}},
		"a range that is none": {Name: "live", Version: "1", Matches: []emulator.VersionMatch{
			{Version: "2", Key: "invoke.headers.User", Method: "range", Expression: "[1;2]"}}},
	} {
		if err := p.SetAlias(t.Context(), function, a); !errors.Is(err, emulator.ErrBadAlias) {
			t.Errorf("%s: got %v, want ErrBadAlias", why, err)
		}
	}
	if err := p.SetAlias(t.Context(), function, emulator.Alias{Name: "live", Version: "3"}); !errors.Is(err,
		emulator.ErrUnknownQualifier) {
		t.Errorf("a version that is not there: got %v, want ErrUnknownQualifier", err)
	}
	if info, _ := p.Describe(function); len(info.Aliases) != 1 {
		t.Errorf("aliases: %+v", info.Aliases)
	}
}

// Half of the batches go to a version that fails on all of them: each of those
// is delivered again, until it goes to the other one.
func testAliasBatch(t *testing.T) {
	r := newRig(t, 2, func(c *emulator.Config) {
		c.Random, c.Keep = turns(0.7, 0.2, 0.6), 10_000
	})
	r.deploy()
	p := probed{r, r.p}
	p.publish()
	f := scf.Function{
		Name: function, Handler: "main", MemorySize: 256, Timeout: 20,
		Environment: map[string]string{"PROBE_RECORD": r.record, "PROBE_CONTROL": r.control},
	}
	r.do(`[{"Error":"bad canary"}]`) // for version 2; version 1 has no file to read
	good := f
	good.Environment = map[string]string{"PROBE_RECORD": r.record}
	for _, f := range []scf.Function{good, f} {
		if err := r.p.Deploy(t.Context(), f, probeDir); err != nil {
			t.Fatal(err)
		}
		p.publish()
	}
	p.alias(emulator.Alias{Name: "live", Version: "2", Weights: []emulator.VersionWeight{{Version: "3", Weight: 0.5}}})
	byAlias := trigger(of(2), func(k *scf.KafkaTrigger) { k.Qualifier = "live" })
	if err := r.p.CreateTrigger(t.Context(), function, onKafka(byAlias)); err != nil {
		t.Fatal(err)
	}
	const records = 20
	for n := range int32(2) {
		values := make([]string, records)
		for i := range values {
			values[i] = string(rune('a'+n)) + string(rune('a'+i))
		}
		r.produce(n, values...)
	}
	r.stop = start(r, r.p)
	r.awaitCommitted(0, records)
	r.awaitCommitted(1, records)
	r.stop()

	succeeded, failed := map[string]int{}, map[string]int{}
	for _, i := range r.p.Invocations() {
		if i.Error == nil {
			succeeded[i.Version]++
		} else {
			failed[i.Version]++
		}
	}
	if diff := cmp.Diff(map[string]int{"2": records}, succeeded); diff != "" {
		t.Errorf("successes by version, of batches of two (-want +got):\n%s", diff)
	}
	if len(failed) != 1 || failed["3"] == 0 {
		t.Errorf("failures by version: %v", failed)
	}
	times := map[string]int{}
	for _, d := range r.received() {
		times[d.values()]++
	}
	again := 0
	for _, n := range times {
		again += n - 1
	}
	if len(times) != records || again != failed["3"] {
		t.Errorf("%d batches, %d deliveries more, of which %d failed: %v", len(times), again, failed["3"], times)
	}
}

func testAliasTimer(t *testing.T) {
	r := newTimers(t, func(c *emulator.Config) { c.Random = turns(0.2, 0.8) })
	r.deploy()
	p := probed{r.rig, r.p}
	p.publish()
	p.alias(emulator.Alias{Name: "live", Version: "$LATEST",
		Weights: []emulator.VersionWeight{{Version: "1", Weight: 0.5}}})
	tick := onTimer(timer("0 * * * * * *", func(t *scf.TimerTrigger) { t.Qualifier = "live" }))
	if err := r.p.CreateTrigger(t.Context(), function, tick); err != nil {
		t.Fatal(err)
	}
	start(r, r.p)
	r.at("2026-11-27 12:01:00")
	r.awaitSucceeded(1)
	r.at("2026-11-27 12:02:00")
	r.awaitSucceeded(2)
	var got []string
	for _, i := range r.p.Invocations() {
		got = append(got, i.Version)
	}
	if diff := cmp.Diff([]string{"1", "$LATEST"}, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func testNamespace(t *testing.T) {
	p := newProbed(t, emulator.Config{}, func(f *scf.Function) { f.Environment = map[string]string{"COLOUR": "blue"} })
	other := scf.Function{Name: function, Namespace: "blue", Handler: "main", MemorySize: 128, Timeout: 20}
	alone := other
	alone.Name = "alone"
	for _, f := range []scf.Function{other, alone} {
		if err := p.Deploy(t.Context(), f, probeDir); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]string{function: "default", "blue/" + function: "blue", "alone": "blue"} {
		i, err := p.Invoke(t.Context(), id, []byte(`{}`), emulator.InvokeOptions{})
		if err != nil || i.Error != nil {
			t.Fatalf("%s: %v, %v", id, err, i.Error)
		}
		var a answer
		if unmarshal(t, i.Payload, &a); a.Namespace != want {
			t.Errorf("%s: ran in the namespace %s, want %s", id, a.Namespace, want)
		}
	}
	if err := p.Remove(t.Context(), "blue/"+function); err != nil {
		t.Fatal(err)
	}
	p.by("", nil) // the other one is still there
}
