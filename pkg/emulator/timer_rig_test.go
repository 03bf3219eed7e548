package emulator_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// timers is the probe on a platform whose clock a test moves. No brokers.
type timers struct {
	*rig
	clock *fakeClock

	mu   sync.Mutex
	lost []emulator.GivenUp
}

// newTimers makes a platform on Friday, 27 November 2026, at noon in UTC+8. All
// intervals are the defaults.
func newTimers(t *testing.T, change ...func(*emulator.Config)) *timers {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	r := &timers{clock: newFakeClock(), rig: &rig{TB: t, record: filepath.Join(dir, "record"), control: filepath.Join(dir, "control")}}
	r.clock.now = utc8(t, "2026-11-27 12:00:00")
	r.config = emulator.Config{Clock: r.clock, Hooks: emulator.Hooks{GivenUp: func(g emulator.GivenUp) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lost = append(r.lost, g)
	}}}
	for _, c := range change {
		c(&r.config)
	}
	r.p = platform(t, r.config)
	return r
}

// utc8 reads a time in the zone in which crons are evaluated.
func utc8(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(time.DateTime, text, time.FixedZone("UTC+8", 8*60*60))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// timer is the one of all tests.
func timer(cron string, change ...func(*scf.TimerTrigger)) scf.TimerTrigger {
	tr := scf.TimerTrigger{Name: "tick", Cron: cron, Argument: "message", Enabled: true, Qualifier: scf.DefaultQualifier}
	for _, c := range change {
		c(&tr)
	}
	return tr
}

func off(t *scf.TimerTrigger) { t.Enabled = false }

func onTimer(t scf.TimerTrigger) scf.Trigger { return scf.Trigger{Timer: &t} }

// deploy puts the probe on the platform, with timers.
func (r *timers) deploy(triggers ...scf.TimerTrigger) {
	r.Helper()
	f := scf.Function{
		Name: function, Handler: "main", MemorySize: 256, Timeout: 60,
		Environment: map[string]string{"PROBE_RECORD": r.record, "PROBE_CONTROL": r.control},
	}
	for _, t := range triggers {
		f.Events = append(f.Events, onTimer(t))
	}
	if err := r.p.Deploy(r.Context(), f, probeDir); err != nil {
		r.Fatal(err)
	}
}

// run deploys a timer and runs it.
func (r *timers) run(tr scf.TimerTrigger) {
	r.Helper()
	// why: that the platform runs shows in the state of an open timer alone.
	r.deploy(timer("0 0 0 1 1 * 2099", func(t *scf.TimerTrigger) { t.Name = "first" }))
	r.stop = start(r, r.p)
	await(r, "the platform runs", func() bool { return r.trigger().Timer.State == emulator.Waiting })
	r.deploy(tr)
}

func (r *timers) update(t scf.TimerTrigger) {
	r.Helper()
	if err := r.p.UpdateTrigger(r.Context(), function, onTimer(t)); err != nil {
		r.Fatal(err)
	}
}

// settle waits until every open timer waits for its next time, so that moving the
// clock wakes it.
func (r *timers) settle() {
	r.Helper()
	const longestWait = 10 * time.Second
	await(r, "the timers wait", func() bool {
		return !slices.ContainsFunc(r.p.Triggers(), func(s emulator.TriggerStatus) bool {
			left := min(s.Timer.Next.Sub(r.clock.Now()), longestWait)
			return s.Enabled && s.Timer.State == emulator.Stopped || s.Timer.State == emulator.Waiting && !r.clock.waiting(left)
		})
	})
}

// at moves the clock to a time in UTC+8 and waits until the timers have seen it.
func (r *timers) at(text string) {
	r.Helper()
	r.settle()
	r.clock.advance(utc8(r, text).Sub(r.clock.Now()))
	r.settle()
}

// trigger is what the platform says of the only trigger.
func (r *timers) trigger() emulator.TriggerStatus {
	r.Helper()
	all := r.p.Triggers()
	if len(all) != 1 {
		r.Fatalf("%d triggers", len(all))
	}
	return all[0]
}

// fired is for which times in UTC+8 events were received, in the order of these.
func (r *timers) fired() []string {
	r.Helper()
	var times []string
	for _, d := range r.events() {
		times = append(times, d.timer.Time.In(utc8(r, "2026-01-01 00:00:00").Location()).Format(time.DateTime))
	}
	slices.Sort(times)
	return times
}

// events are the events that the probe got, failed ones included.
func (r *timers) events() []delivery {
	r.Helper()
	all := r.deliveries()
	for i := range all {
		if err := json.Unmarshal([]byte(all[i].Event), &all[i].timer); err != nil {
			r.Fatalf("event %.200q: %v", all[i].Event, err)
		}
	}
	return all
}

// awaitEvents waits for that many events and returns all there are.
func (r *timers) awaitEvents(n int) []delivery {
	r.Helper()
	var got []delivery
	await(r, "the function was called often enough", func() bool {
		got = r.events()
		return len(got) >= n
	})
	return got
}

// awaitAsync waits until something is so of the events of the only trigger.
func (r *timers) awaitAsync(what string, so func(emulator.AsyncStatus) bool) emulator.AsyncStatus {
	r.Helper()
	var s emulator.AsyncStatus
	await(r, what, func() bool {
		s = *r.trigger().Async
		return so(s)
	})
	return s
}

func (r *timers) awaitSucceeded(n int64) {
	r.Helper()
	r.awaitAsync("the events have succeeded", func(s emulator.AsyncStatus) bool { return s.Succeeded == n })
}

// awaitRetry waits until an event waits that long to be sent again.
func (r *timers) awaitRetry(pause time.Duration) {
	r.Helper()
	r.awaitAsync("an event waits to be sent again", func(s emulator.AsyncStatus) bool {
		return s.Retrying == 1 && s.Running == 0 && r.clock.waiting(pause)
	})
}

// awaitGivenUp waits until an event is given up.
func (r *timers) awaitGivenUp() emulator.GivenUp {
	r.Helper()
	var g emulator.GivenUp
	await(r, "an event is given up", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.lost) == 1 {
			g = r.lost[0]
		}
		return len(r.lost) == 1
	})
	return g
}
