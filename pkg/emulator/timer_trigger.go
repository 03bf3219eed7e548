package emulator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// TimerStatus is a timer and its times.
type TimerStatus struct {
	Cron  string `json:"cron"`  // evaluated in UTC+8
	State State  `json:"state"` // Waiting, Stopped or Finished
	// Last is the time for which it has fired last; zero for never. It is kept
	// from one run to the next.
	Last time.Time `json:"last,omitzero"`
	// Next is when it fires next, if the platform runs then; zero where it is
	// closed or finished.
	Next time.Time `json:"next,omitzero"`
}

// The states of a timer, besides Stopped: the trigger is closed, or the platform
// does not run.
const (
	// Waiting is open, until its next time.
	Waiting State = "waiting"
	// Finished is open and never fires again: the years of its cron are over.
	Finished State = "finished"
)

const (
	// longestWait bounds one wait for the next time, so that a clock that was set,
	// or a machine that slept, is noticed.
	longestWait = 10 * time.Second
	// longestLate is how late a firing still counts as one of a busy machine. After
	// that the machine has slept or its clock was set: what was due in between is
	// left out, as while the platform is down.
	longestLate = time.Minute
)

// timerTrigger sends an event at each time of its cron.
type timerTrigger struct {
	platform *Platform
	function string
	name     string
	sent     asyncStatus

	mu   sync.Mutex
	set  scf.TimerTrigger // changed only while it is not running
	cron scf.Cron
	stop func() // ends run and waits for it; nil while it is not running
	last time.Time
	next time.Time
}

func newTimerTrigger(p *Platform, function string, s scf.TimerTrigger) (*timerTrigger, error) {
	cron, err := scf.ParseCron(s.Cron)
	if err != nil {
		return nil, err
	}
	return &timerTrigger{platform: p, function: function, name: s.Name, set: s, cron: cron}, nil
}

// checkTimer refuses what the cloud refuses of a timer.
func checkTimer(t scf.TimerTrigger) error {
	var errs []error
	if !scf.ValidTimerName(t.Name) {
		errs = append(errs, fmt.Errorf("name is %q, allowed are %s", t.Name, scf.TimerNames))
	}
	if n := len(t.Argument); n > scf.MaxTimerArgument {
		errs = append(errs, fmt.Errorf("argument has %d bytes, allowed are %d", n, scf.MaxTimerArgument))
	}
	if _, err := scf.ParseCron(t.Cron); err != nil {
		errs = append(errs, fmt.Errorf("cron: %w", err))
	}
	return errors.Join(errs...)
}

func (t *timerTrigger) key() triggerKey { return triggerKey{t.function, "timer", t.name} }

func (t *timerTrigger) settings() scf.Trigger {
	s := t.set
	return scf.Trigger{Timer: &s}
}

func (t *timerTrigger) change(to scf.Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set = *to.Timer
	t.cron, _ = scf.ParseCron(t.set.Cron) // why: it was checked before
}

func (t *timerTrigger) close() error { return nil }

// start fires from now on: what was due before is not made up for.
func (t *timerTrigger) start(run context.Context) {
	ctx, cancel := context.WithCancel(run)
	done := make(chan struct{})
	events := t.platform.async
	began := t.platform.config.Clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop = func() {
		cancel()
		<-done
	}
	t.next, _ = t.cron.Next(began)
	go func() {
		defer close(done)
		t.run(ctx, events)
	}()
}

// halt ends that. It waits for nothing that has been sent.
func (t *timerTrigger) halt(context.Context) {
	t.mu.Lock()
	stop := t.stop
	t.mu.Unlock()
	if stop != nil {
		stop()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop = nil
}

// run fires until the context ends, or there is no next time.
func (t *timerTrigger) run(ctx context.Context, events *asyncRun) {
	clock := t.platform.config.Clock
	for due := t.next; !due.IsZero(); {
		left := due.Sub(clock.Now())
		if left > 0 {
			if wait(ctx, clock, min(left, longestWait)) != nil {
				return
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		after := due
		if late := -left; late > longestLate {
			after = clock.Now()
			t.platform.config.Log.Warn("timer left out what was due while this machine slept or its clock was set",
				"function", t.function, "trigger", t.name, "first", due, "late", late)
		} else {
			events.send(t.event(due))
		}
		next, _ := t.cron.Next(after)
		t.mu.Lock()
		if after.Equal(due) {
			t.last = due
		}
		t.next = next
		t.mu.Unlock()
		due = next
	}
}

// event is the event of one time.
func (t *timerTrigger) event(due time.Time) asyncEvent {
	// why: no error, as it is for years that no cron has.
	payload, _ := event.Timer{TriggerName: t.name, Time: due, Message: t.set.Argument}.MarshalJSON()
	return asyncEvent{function: t.function, trigger: t.name, qualifier: t.set.Qualifier, payload: payload, status: &t.sent}
}

// status is what the trigger is doing.
func (t *timerTrigger) status() TriggerStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	timer := TimerStatus{Cron: t.set.Cron, State: Stopped, Last: t.last}
	if t.set.Enabled {
		if timer.Next = t.next; t.stop == nil {
			timer.Next, _ = t.cron.Next(t.platform.config.Clock.Now())
		}
		switch {
		case timer.Next.IsZero():
			timer.State = Finished
		case t.stop != nil:
			timer.State = Waiting
		}
	}
	sent := t.sent.get()
	return TriggerStatus{
		Function: t.function, Kind: "timer", Name: t.name, Enabled: t.set.Enabled,
		Retry: scf.AsyncRetries, RetryInterval: t.platform.config.Async.RetryInterval, AfterLastRetry: Drop,
		Timer: &timer, Async: &sent,
	}
}
