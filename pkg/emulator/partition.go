package emulator

import (
	"sync"
	"time"
)

// partition is the status of one partition of a trigger. It outlives the
// poller: a rebalance begins a new one.
type partition struct {
	trigger *kafkaTrigger

	mu     sync.Mutex
	status PartitionStatus
	start  int64 // where delivery began, for the lag before the first commit
}

// set changes the status, and tells when that changes the state.
func (p *partition) set(change func(*PartitionStatus)) {
	p.mu.Lock()
	before := p.status
	change(&p.status)
	s := &p.status
	if s.State != Retrying && s.State != BackingOff {
		s.Next = time.Time{}
	}
	if s.HighWatermark >= 0 {
		s.Lag = max(0, s.HighWatermark-max(s.Committed, p.start))
	}
	after := p.status
	p.mu.Unlock()
	if after.State != before.State || after.Reason != before.Reason {
		p.trigger.tell(after)
	}
}

// begin is set when a poller begins.
func (p *partition) begin(at position) {
	p.mu.Lock()
	p.start = at.start
	p.mu.Unlock()
	p.set(func(s *PartitionStatus) { s.Committed = at.committed })
}

// failure is set for a batch that will be delivered again.
func (p *partition) failure(e *FunctionError, failed int, next time.Time) {
	p.set(func(s *PartitionStatus) {
		s.State, s.Reason = Retrying, e.Message
		if e.Kind == KindSystem {
			s.State = BackingOff
		}
		s.Invocations++
		s.Failures++
		s.Failed, s.Next, s.LastError = failed, next, e.Error()
	})
}

// lastFailure is set for a batch that will not be delivered again.
func (p *partition) lastFailure(e *FunctionError, failed int) {
	p.set(func(s *PartitionStatus) {
		s.Invocations++
		s.Failures++
		s.Failed, s.LastError = failed, e.Error()
	})
}

func (p *partition) get() PartitionStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// attrs are the log attributes that say which partition this is.
func (p *partition) attrs(more ...any) []any {
	t := p.trigger
	return append([]any{"function", t.function, "trigger", t.name, "topic", t.set.Topic, "partition", p.get().Partition}, more...)
}

// tell passes a change of state on.
func (t *kafkaTrigger) tell(s PartitionStatus) {
	if hook := t.platform.config.Hooks.Trigger; hook != nil {
		hook(TriggerEvent{Function: t.function, Trigger: t.name, Topic: t.set.Topic, Status: s})
	}
	attrs := []any{"function", t.function, "trigger", t.name, "topic", t.set.Topic, "partition", s.Partition, "state", s.State}
	if s.State != Retrying && s.State != BackingOff {
		t.log().Debug("trigger", attrs...)
		return
	}
	t.log().Warn("trigger", append(attrs, "reason", s.Reason, "failed", s.Failed, "retry", s.Retry, "next", s.Next)...)
}

// seen is set after each read: where the partition ends.
func (p *partition) seen(end int64) {
	p.set(func(s *PartitionStatus) {
		s.HighWatermark = end
		if s.State == BackingOff && s.Count == 0 {
			s.State, s.Reason = Polling, ""
		}
	})
}

// unreadable is set after a read that failed.
func (p *partition) unreadable(err error) {
	p.set(func(s *PartitionStatus) {
		s.LastError = err.Error()
		// why: while a batch is delivered, only reading ahead has failed.
		if s.Count == 0 {
			s.State, s.Reason = BackingOff, err.Error()
		}
	})
}
