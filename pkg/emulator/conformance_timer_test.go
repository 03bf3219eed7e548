package emulator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// When timers fire, and how they come, change and go.
func timerTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"timer-name":           testTimerName,
		"timer-cron":           testTimerCron,
		"timer-argument":       testTimerArgument,
		"timer-fires":          testTimerFires,
		"timer-event":          testTimerEvent,
		"timer-day-or-weekday": testTimerDayOrWeekday,
		"timer-five-fields":    testTimerFiveFields,
		"timer-years-over":     testTimerYearsOver,
		"timer-closed":         testTimerClosed,
		"timer-opened":         testTimerOpened,
		"timer-update":         testTimerUpdate,
		"timer-immutable":      testTimerImmutable,
		"timer-delete":         testTimerDelete,
		"timer-redeploy":       testTimerRedeploy,
		"timer-down":           testTimerDown,
		"timer-slept":          testTimerSlept,
		"timer-overlap":        testTimerOverlap,
	}
}

func withTimer(change func(*scf.TimerTrigger)) func(*scf.Function) {
	return func(f *scf.Function) { f.Events = []scf.Trigger{onTimer(timer("0 0 * * * * *", change))} }
}

func testTimerName(t *testing.T) {
	d := newDeployment(t)
	named := func(name string) func(*scf.Function) { return withTimer(func(t *scf.TimerTrigger) { t.Name = name }) }
	for _, name := range []string{"a", "Every-Day_2", strings.Repeat("a", 60)} {
		d.takes(name, named(name))
	}
	for _, name := range []string{"", "1st", "a.b", "a b", "äb", strings.Repeat("a", 61)} {
		d.refuses(name, named(name), "name is", "1 to 60")
	}
	d.refuses("two of one name", func(f *scf.Function) {
		f.Events = []scf.Trigger{onTimer(timer("0 0 * * * * *")), onTimer(timer("0 1 * * * * *"))}
	}, "tick", "exists already")
}

func testTimerCron(t *testing.T) {
	d := newDeployment(t)
	cron := func(text string) func(*scf.Function) { return withTimer(func(t *scf.TimerTrigger) { t.Cron = text }) }
	d.takes("seven fields", cron("*/5 0-30 1,2 1/2 JAN-JUN SUN 2026-2099"))
	d.takes("five fields", cron("0 2 * * MON-FRI"))
	d.takes("years that are over", cron("0 0 0 1 1 * 2020"))
	d.refuses("none", cron(""), "0 fields", "seven fields")
	d.refuses("six fields", cron("0 0 2 * * *"), "6 fields", "seven fields", "or five")
	d.refuses("minute 60", cron("0 60 * * * * *"), `minute "60" is out of range`, "0 to 59")
	d.refuses("30 February", cron("0 0 0 30 2 * *"), "never fires")
}

func testTimerArgument(t *testing.T) {
	d := newDeployment(t)
	sized := func(n int) func(*scf.Function) {
		return withTimer(func(t *scf.TimerTrigger) { t.Argument = strings.Repeat("a", n) })
	}
	d.takes("4 KB", sized(4096))
	d.refuses("a byte more", sized(4097), "argument has 4097 bytes", "4096")
}

func testTimerFires(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 30 12 * * * *"))
	if s := r.trigger().Timer; !s.Next.Equal(utc8(t, "2026-11-27 12:30:00")) || !s.Last.IsZero() || s.State != emulator.Waiting {
		t.Errorf("before: %+v", s)
	}
	r.at("2026-11-27 12:29:59")
	if n := r.trigger().Async.Sent; n != 0 {
		t.Fatalf("%d events were sent before the time", n)
	}
	r.at("2026-11-27 12:30:00")
	r.awaitSucceeded(1)
	s := r.trigger().Timer
	if !s.Last.Equal(utc8(t, "2026-11-27 12:30:00")) || !s.Next.Equal(utc8(t, "2026-11-28 12:30:00")) {
		t.Errorf("after: %+v", s)
	}
	r.at("2026-11-28 12:30:00")
	r.awaitSucceeded(2)
	if diff := cmp.Diff([]string{"2026-11-27 12:30:00", "2026-11-28 12:30:00"}, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func testTimerEvent(t *testing.T) {
	r := newTimers(t)
	r.run(timer("5 0 12 * * * *", func(t *scf.TimerTrigger) { t.Argument = `{"retain":"30d"}` }))
	r.at("2026-11-27 12:00:07") // late: the event has the time that was due
	got := r.awaitEvents(1)[0].Event
	if want := `{"Type":"Timer","TriggerName":"tick","Time":"2026-11-27T04:00:05Z","Message":"{\"retain\":\"30d\"}"}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.awaitSucceeded(1)
	if i := r.p.Invocations()[0]; i.Trigger != "tick" || i.EventBytes != len(got) {
		t.Errorf("recorded as %+v", i)
	}
}

func testTimerDayOrWeekday(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 0 0 1 * MON *"))
	want := []string{"2026-11-30 00:00:00", "2026-12-01 00:00:00", "2026-12-07 00:00:00"}
	for i, at := range want {
		r.at(at)
		r.awaitSucceeded(int64(i + 1))
	}
	if diff := cmp.Diff(want, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func testTimerFiveFields(t *testing.T) {
	r := newTimers(t)
	r.run(timer("*/20 12 * * *"))
	want := []string{"2026-11-27 12:20:00", "2026-11-27 12:40:00", "2026-11-28 12:00:00"}
	for i, at := range want {
		r.at(at)
		r.awaitSucceeded(int64(i + 1))
	}
	if diff := cmp.Diff(want, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func testTimerYearsOver(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 1 12 27 11 * 2026"))
	r.at("2026-11-27 12:01:00")
	r.awaitSucceeded(1)
	if s := r.trigger().Timer; s.State != emulator.Finished || !s.Next.IsZero() {
		t.Errorf("status: %+v", s)
	}
}

func testTimerClosed(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 * * * * * *", off))
	r.clock.advance(time.Hour)
	r.update(timer("0 * * * * * *"))
	r.at("2026-11-27 13:01:00")
	r.awaitSucceeded(1)
	r.update(timer("0 * * * * * *", off))
	if s := r.trigger(); s.Enabled || s.Timer.State != emulator.Stopped || !s.Timer.Next.IsZero() {
		t.Errorf("status: %+v, %+v", s, s.Timer)
	}
	r.clock.advance(time.Hour)
	r.stop() // why: after that nothing is on its way
	if diff := cmp.Diff([]string{"2026-11-27 13:01:00"}, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func testTimerOpened(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 * * * * * *", off))
	r.clock.advance(90 * time.Second)
	r.update(timer("0 * * * * * *"))
	if s := r.trigger(); !s.Enabled || !s.Timer.Next.Equal(utc8(t, "2026-11-27 12:02:00")) {
		t.Errorf("status: %+v, %+v", s, s.Timer)
	}
	r.at("2026-11-27 12:02:00")
	r.at("2026-11-27 12:03:00")
	r.awaitSucceeded(2)
	if diff := cmp.Diff([]string{"2026-11-27 12:02:00", "2026-11-27 12:03:00"}, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func testTimerUpdate(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 * * * * * *"))
	r.at("2026-11-27 12:01:00")
	r.awaitSucceeded(1)
	r.update(timer("30 * * * * * *", func(t *scf.TimerTrigger) { t.Argument = "other" }))
	r.at("2026-11-27 12:01:30")
	got := r.awaitEvents(2)
	if e := got[1].timer; e.Message != "other" || !e.Time.Equal(utc8(t, "2026-11-27 12:01:30")) {
		t.Errorf("got %+v", e)
	}
	r.awaitSucceeded(2)
	if s := r.trigger(); s.Timer.Cron != "30 * * * * * *" || s.Async.Sent != 2 {
		t.Errorf("status: %+v, %+v", s.Timer, s.Async)
	}
	bad := timer("99 * * * * * *")
	if err := r.p.UpdateTrigger(t.Context(), function, onTimer(bad)); err == nil || !strings.Contains(err.Error(), `second "99"`) {
		t.Errorf("a cron that is none: got %v", err)
	}
}

func testTimerImmutable(t *testing.T) {
	r := newTimers(t)
	r.deploy(timer("0 * * * * * *"))
	changed := timer("0 * * * * * *", func(t *scf.TimerTrigger) { t.Qualifier = "1" })
	errs := map[string]error{
		"update": r.p.UpdateTrigger(t.Context(), function, onTimer(changed)),
		"deploy": r.p.Deploy(t.Context(), scf.Function{
			Name: function, Handler: "main", MemorySize: 128, Timeout: 1, Events: []scf.Trigger{onTimer(changed)},
		}, probeDir),
	}
	for how, err := range errs {
		if !errors.Is(err, emulator.ErrImmutable) || !strings.Contains(err.Error(), "qualifier") {
			t.Errorf("%s: got %v", how, err)
		}
	}
}

func testTimerDelete(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 * * * * * *"))
	r.at("2026-11-27 12:01:00")
	r.awaitSucceeded(1)
	if err := r.p.DeleteTrigger(t.Context(), function, "timer", "tick"); err != nil {
		t.Fatal(err)
	}
	if err := r.p.DeleteTrigger(t.Context(), function, "timer", "tick"); !errors.Is(err, emulator.ErrUnknownTrigger) {
		t.Errorf("deleted again: got %v", err)
	}
	r.clock.advance(time.Hour)
	if err := r.p.CreateTrigger(t.Context(), function, onTimer(timer("0 * * * * * *"))); err != nil {
		t.Fatal(err)
	}
	r.at("2026-11-27 13:02:00")
	r.awaitSucceeded(1)
	if diff := cmp.Diff([]string{"2026-11-27 12:01:00", "2026-11-27 13:02:00"}, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
	if err := r.p.CreateTrigger(t.Context(), function, onTimer(timer("1 * * * * * *"))); !errors.Is(err, emulator.ErrTriggerExists) {
		t.Errorf("created again: got %v", err)
	}
}

func testTimerRedeploy(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 * * * * * *"))
	r.at("2026-11-27 12:01:00")
	r.awaitSucceeded(1)
	r.at("2026-11-27 12:01:59")
	r.deploy(timer("0 * * * * * *"))
	r.at("2026-11-27 12:02:00")
	r.awaitSucceeded(2)
	got := r.events()
	if got[0].PID == got[1].PID {
		t.Error("the same process was called: nothing was deployed")
	}
	r.deploy() // without it, it is gone
	if n := len(r.p.Triggers()); n != 0 {
		t.Errorf("%d triggers are left", n)
	}
}

func testTimerDown(t *testing.T) {
	r := newTimers(t)
	r.run(timer("0 * * * * * *"))
	r.at("2026-11-27 12:01:00")
	r.awaitSucceeded(1)
	r.stop()
	if s := r.trigger().Timer; s.State != emulator.Stopped || !s.Last.Equal(utc8(t, "2026-11-27 12:01:00")) {
		t.Errorf("status: %+v", s)
	}
	r.clock.advance(time.Hour)
	start(t, r.p)
	await(t, "the platform runs", func() bool { return r.trigger().Timer.State == emulator.Waiting })
	r.at("2026-11-27 13:02:00")
	r.awaitSucceeded(2)
	if diff := cmp.Diff([]string{"2026-11-27 12:01:00", "2026-11-27 13:02:00"}, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func testTimerSlept(t *testing.T) {
	r := newTimers(t)
	r.run(timer("*/30 * * * * * *"))
	r.at("2026-11-27 12:01:00") // busy for less than a minute: both are sent
	r.awaitSucceeded(2)
	r.at("2026-11-27 15:00:10") // asleep: nothing is made up for
	r.at("2026-11-27 15:00:30")
	r.awaitSucceeded(3)
	want := []string{"2026-11-27 12:00:30", "2026-11-27 12:01:00", "2026-11-27 15:00:30"}
	if diff := cmp.Diff(want, r.fired()); diff != "" {
		t.Errorf("fired (-want +got):\n%s", diff)
	}
}

func testTimerOverlap(t *testing.T) {
	r := newTimers(t)
	open, until := gate(t)
	r.do("[" + until + "]")
	r.run(timer("0 * * * * * *"))
	r.at("2026-11-27 12:01:00")
	r.awaitEvents(1)
	r.at("2026-11-27 12:02:00")
	got := r.awaitEvents(2)
	if got[0].PID == got[1].PID || r.trigger().Async.Running != 2 {
		t.Errorf("processes %d and %d, %+v", got[0].PID, got[1].PID, r.trigger().Async)
	}
	open()
	r.awaitSucceeded(2)
}
