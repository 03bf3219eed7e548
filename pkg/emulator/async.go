package emulator

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// asyncEvent is an event for whose outcome no caller waits.
type asyncEvent struct {
	function  string
	trigger   string // its name; empty for one sent by hand
	qualifier string
	routing   map[string]string
	requestID string // of the first try; empty for a new one
	payload   []byte // not changed any more
	status    *asyncStatus
}

// asyncRun delivers asynchronous events during one Run: each for itself, at the
// same time as others. An event belongs to the run and not to its trigger, whose
// end does not call it back.
type asyncRun struct {
	platform *Platform
	sending  context.Context // its end lets nothing be sent again
	stop     context.CancelFunc
	invoking context.Context // its end gives up running invocations
	giveUp   context.CancelCauseFunc
	events   sync.WaitGroup

	mu    sync.Mutex
	ended bool // nothing is offered any more
}

func newAsyncRun(run context.Context, p *Platform) *asyncRun {
	r := &asyncRun{platform: p}
	r.sending, r.stop = context.WithCancel(run)
	// why: an invocation that has begun is finished, whatever ends the run.
	r.invoking, r.giveUp = context.WithCancelCause(context.WithoutCancel(run))
	return r
}

// send takes an event over and returns at once. It must not be called after the
// trigger was halted.
func (r *asyncRun) send(e asyncEvent) {
	e.status.set(func(s *AsyncStatus) { s.Sent++ })
	r.events.Go(func() {
		if why := r.deliver(e); why != "" {
			r.lose(e, why)
		}
	})
}

// offer is send for who does not know whether the run still takes events.
func (r *asyncRun) offer(e asyncEvent) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || r.sending.Err() != nil {
		return false
	}
	r.send(e)
	return true
}

// end waits, after stop, until nothing is running any more. The end of patience
// gives up what is.
func (r *asyncRun) end(patience context.Context) {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	done := make(chan struct{})
	go func() {
		r.events.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-patience.Done():
		r.giveUp(errStopped)
		<-done
	}
	r.giveUp(nil)
}

// deliver invokes the function until that succeeds, or says why it is given up.
func (r *asyncRun) deliver(e asyncEvent) (why string) {
	clock := r.platform.config.Clock
	try := asyncAttempts{config: r.platform.config.Async, began: clock.Now()}
	for {
		failed, err := r.attempt(e)
		if err != nil {
			return err.Error()
		}
		if failed == nil {
			return ""
		}
		pause, giveUp := try.after(failed.Kind, clock.Now())
		if giveUp {
			return fmt.Sprintf("%s, the last time: %v", try.told(clock.Now()), failed)
		}
		e.status.set(func(s *AsyncStatus) { s.Retrying++ })
		err = wait(r.sending, clock, pause)
		e.status.set(func(s *AsyncStatus) { s.Retrying-- })
		if err != nil {
			return fmt.Sprintf("the platform stopped before it was sent again, after: %v", failed)
		}
	}
}

// attempt is one invocation. The error says that there was none and will be none.
func (r *asyncRun) attempt(e asyncEvent) (*FunctionError, error) {
	e.status.set(func(s *AsyncStatus) { s.Running++ })
	i, err := r.platform.Invoke(r.invoking, e.function, e.payload, InvokeOptions{
		Async: true, Trigger: e.trigger, Qualifier: e.qualifier, RoutingKey: e.routing, RequestID: e.requestID,
	})
	e.status.set(func(s *AsyncStatus) {
		s.Running--
		switch {
		case err != nil:
			s.LastError = err.Error()
			return
		case i.Error == nil:
			s.Succeeded++
		case i.Error.Kind == KindLimit:
			s.OverLimit++
			s.LastError = i.Error.Error()
			return
		default:
			s.Failures++
			s.LastError = i.Error.Error()
		}
		s.Invocations++
	})
	return i.Error, err
}

// lose tells of an event that is given up.
func (r *asyncRun) lose(e asyncEvent, why string) {
	e.status.set(func(s *AsyncStatus) { s.GivenUp++ })
	r.platform.config.Log.Error("event given up", "function", e.function, "trigger", e.trigger, "reason", why)
	if hook := r.platform.config.Hooks.GivenUp; hook != nil {
		hook(GivenUp{Function: e.function, Trigger: e.trigger, Reason: why, Event: e.payload})
	}
}

// asyncAttempts counts the tries of one event against [AsyncConfig].
type asyncAttempts struct {
	config AsyncConfig
	began  time.Time // when the event was sent

	failed  int // of the function
	refused int // before the function
}

// after says what to do after a failure: wait, or give up.
func (a *asyncAttempts) after(k Kind, now time.Time) (pause time.Duration, giveUp bool) {
	if k == KindLimit || k == KindSystem {
		a.refused++
		return a.config.LimitInterval, now.Add(a.config.LimitInterval).Sub(a.began) > a.config.LimitFor
	}
	a.failed++
	return a.config.RetryInterval, a.failed > scf.AsyncRetries
}

// told is the tries in words.
func (a *asyncAttempts) told(now time.Time) string {
	if a.failed > scf.AsyncRetries {
		return fmt.Sprintf("the function failed %d times", a.failed)
	}
	return fmt.Sprintf("it could not be handed over %d times in %v", a.refused, now.Sub(a.began))
}
