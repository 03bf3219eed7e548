package emulator_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// What happens to an asynchronous event that fails; a timer sends it.
func asyncTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"async-again":       testAsyncAgain,
		"async-given-up":    testAsyncGivenUp,
		"async-panic":       testAsyncPanic,
		"async-signal":      testAsyncSignal,
		"async-limit":       testAsyncLimit,
		"async-limit-ends":  testAsyncLimitEnds,
		"async-system":      testAsyncSystem,
		"async-own-trigger": testAsyncOwnTrigger,
		"async-removed":     testAsyncRemoved,
		"async-stop":        testAsyncStop,
	}
}

// once fires at 12:01 and no more; twice at 12:02, too.
const (
	once  = "0 1 12 27 11 * 2026"
	twice = "0 1,2 12 27 11 * 2026"
)

// sameEvent wants that all deliveries have the event of the first and a request
// id of their own.
func sameEvent(t *testing.T, got []delivery) {
	t.Helper()
	ids := map[string]bool{}
	for _, d := range got {
		ids[d.RequestID] = true
		if d.Event != got[0].Event {
			t.Errorf("got %s, first %s", d.Event, got[0].Event)
		}
	}
	if len(ids) != len(got) {
		t.Errorf("%d deliveries with %d request ids", len(got), len(ids))
	}
}

func testAsyncAgain(t *testing.T) {
	r := newTimers(t)
	r.do(`[{"Error":"not yet"}]`)
	r.run(timer(once))
	r.at("2026-11-27 12:01:00")
	r.awaitRetry(time.Minute)
	r.do(``)
	r.clock.advance(59 * time.Second)
	r.awaitRetry(time.Second)
	r.clock.advance(time.Second)
	r.awaitSucceeded(1)
	got := r.events()
	if len(got) != 2 {
		t.Fatalf("%d deliveries", len(got))
	}
	sameEvent(t, got)
	want := emulator.AsyncStatus{Sent: 1, Succeeded: 1, Invocations: 2, Failures: 1, LastError: "not yet (errorString)"}
	if diff := cmp.Diff(want, *r.trigger().Async); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func testAsyncGivenUp(t *testing.T) {
	r := newTimers(t)
	r.do(`[{"Error":"no such table"}]`)
	r.run(timer(once))
	r.at("2026-11-27 12:01:00")
	for range scf.AsyncRetries {
		r.awaitRetry(time.Minute)
		r.clock.advance(time.Minute)
	}
	g := r.awaitGivenUp()
	for _, want := range []string{"failed 3 times", "no such table"} {
		if g.Function != function || g.Trigger != "tick" || !strings.Contains(g.Reason, want) {
			t.Errorf("got %+v, want %q in it", g, want)
		}
	}
	got := r.events()
	sameEvent(t, got)
	if len(got) != 3 || string(g.Event) != got[0].Event {
		t.Errorf("%d deliveries; given up was %s", len(got), g.Event)
	}
	want := emulator.AsyncStatus{Sent: 1, GivenUp: 1, Invocations: 3, Failures: 3, LastError: "no such table (errorString)"}
	if diff := cmp.Diff(want, *r.trigger().Async); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

// testAsyncAfter wants that an event is sent again after the process ended, to a
// new one, and that the next firing is none the worse for it.
func testAsyncAfter(t *testing.T, failure, reason string) {
	t.Helper()
	r := newTimers(t)
	r.do(failure)
	r.run(timer(twice))
	r.at("2026-11-27 12:01:00")
	r.awaitRetry(time.Minute)
	r.do(``)
	r.at("2026-11-27 12:02:00")
	r.awaitSucceeded(2)
	pids := map[int]int{}
	for _, d := range r.events() {
		pids[d.PID]++
	}
	if got := r.events(); len(got) != 3 || pids[got[0].PID] != 1 {
		t.Errorf("%d deliveries to the processes %v", len(got), pids)
	}
	if diff := cmp.Diff([]string{"2026-11-27 12:01:00", "2026-11-27 12:01:00", "2026-11-27 12:02:00"}, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
	if s := r.trigger().Async; !strings.Contains(s.LastError, reason) || s.Failures != 1 {
		t.Errorf("status: %+v", s)
	}
}

func testAsyncPanic(t *testing.T) { testAsyncAfter(t, `[{"Panic":"nil map"}]`, "nil map") }

func testAsyncSignal(t *testing.T) { testAsyncAfter(t, `[{"Kill":true}]`, "signal: killed") }

func testAsyncLimit(t *testing.T) {
	r := newTimers(t, func(c *emulator.Config) { c.MaxInstances = 1 })
	open, until := gate(t)
	r.do("[" + until + "]")
	r.run(timer(twice))
	r.at("2026-11-27 12:01:00")
	r.awaitEvents(1)
	r.at("2026-11-27 12:02:00")
	const refusals = 5 // more than an event that fails is repeated
	for n := int64(1); n <= refusals; n++ {
		r.awaitAsync("the second event is refused", func(s emulator.AsyncStatus) bool {
			return s.OverLimit == n && s.Retrying == 1 && r.clock.waiting(time.Minute)
		})
		if n < refusals {
			r.clock.advance(time.Minute)
		}
	}
	open()
	r.awaitSucceeded(1)
	r.clock.advance(time.Minute)
	r.awaitSucceeded(2)
	if s := r.trigger().Async; s.Invocations != 2 || s.Failures != 0 || s.GivenUp != 0 {
		t.Errorf("status: %+v", s)
	}
}

func testAsyncLimitEnds(t *testing.T) {
	r := newTimers(t, func(c *emulator.Config) { c.MaxInstances = 1 })
	open, until := gate(t)
	r.do("[" + until + "]")
	r.run(timer(twice))
	r.at("2026-11-27 12:01:00")
	r.awaitEvents(1)
	r.at("2026-11-27 12:02:00")
	for n, pause := range []time.Duration{6*time.Hour - time.Minute, time.Minute} {
		r.awaitAsync("the second event is refused", func(s emulator.AsyncStatus) bool {
			return s.OverLimit == int64(n+1) && s.Retrying == 1 && r.clock.waiting(time.Minute)
		})
		r.clock.advance(pause)
	}
	g := r.awaitGivenUp()
	if !strings.Contains(g.Reason, "in 6h0m0s") || !strings.Contains(g.Reason, "1 invocations are running") {
		t.Errorf("reason: %s", g.Reason)
	}
	open()
	r.awaitSucceeded(1)
}

func testAsyncSystem(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	r := newTimers(t, func(c *emulator.Config) {
		c.Credentials = func(context.Context) (emulator.Credentials, error) {
			if broken.Load() {
				return emulator.Credentials{}, errors.New("the role service is away")
			}
			return emulator.Credentials{}, nil
		}
	})
	r.run(timer(once))
	r.at("2026-11-27 12:01:00")
	for range 5 {
		r.awaitRetry(time.Minute)
		r.clock.advance(time.Minute)
	}
	r.awaitRetry(time.Minute)
	if s := r.trigger().Async; !strings.Contains(s.LastError, "the role service is away") || s.GivenUp != 0 {
		t.Errorf("status: %+v", s)
	}
	broken.Store(false)
	r.clock.advance(time.Minute)
	r.awaitSucceeded(1)
}

func testAsyncOwnTrigger(t *testing.T) {
	r := newTimers(t)
	r.do(`[{"Error":"not yet"}]`)
	r.run(timer(once))
	r.at("2026-11-27 12:01:00")
	r.awaitRetry(time.Minute)
	if err := r.p.DeleteTrigger(t.Context(), function, "timer", "tick"); err != nil {
		t.Fatal(err)
	}
	r.do(``)
	r.clock.advance(time.Minute)
	sameEvent(t, r.awaitEvents(2))
}

func testAsyncRemoved(t *testing.T) {
	r := newTimers(t)
	r.do(`[{"Error":"not yet"}]`)
	r.run(timer(once))
	r.at("2026-11-27 12:01:00")
	r.awaitRetry(time.Minute)
	if err := r.p.Remove(t.Context(), function); err != nil {
		t.Fatal(err)
	}
	r.clock.advance(time.Minute)
	if g := r.awaitGivenUp(); !strings.Contains(g.Reason, "no such function") {
		t.Errorf("reason: %s", g.Reason)
	}
}

func testAsyncStop(t *testing.T) {
	r := newTimers(t)
	open, until := gate(t)
	r.do(`[{"Error":"not yet"}]`)
	r.deploy(timer("0 1 12 27 11 * 2026"), timer("30 1 12 27 11 * 2026", func(t *scf.TimerTrigger) { t.Name = "tock" }))
	cancel, wait := begin(t, r.p)
	r.at("2026-11-27 12:01:00")
	async := func(n int) emulator.AsyncStatus { return *r.p.Triggers()[n].Async }
	await(t, "the first event waits to be sent again", func() bool { return async(0).Retrying == 1 })
	r.do("[" + until + "]")
	r.at("2026-11-27 12:01:30")
	r.awaitEvents(2)
	cancel()
	if g := r.awaitGivenUp(); g.Trigger != "tick" || !strings.Contains(g.Reason, "the platform stopped") || !strings.Contains(g.Reason, "not yet") {
		t.Errorf("given up: %+v", g)
	}
	open()
	wait()
	if tick, tock := async(0), async(1); tick.GivenUp != 1 || tock.Succeeded != 1 {
		t.Errorf("tick %+v, tock %+v", tick, tock)
	}
}
