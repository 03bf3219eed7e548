package emulator

import (
	"context"
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// poller delivers one partition's batches to the function, one after the other:
// the next only after the one before succeeded and was committed.
type poller struct {
	trigger *kafkaTrigger
	part    *partition
	batcher *batcher
	retry   int
	// invoke runs the function. Its context does not end with the poller's: an
	// invocation that has begun is finished.
	invoke func(payload []byte) (*FunctionError, error)
	// commit sets the group's offset. gone means that the partition belongs to
	// somebody else by now.
	commit func(next int64) (gone bool, err error)
}

// run delivers until the context ends, or nothing more can be delivered.
func (p *poller) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan kafkaBatch)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.batcher.run(ctx, batches)
	}()
	defer func() { cancel(); <-done }()
	for {
		p.part.set(func(s *PartitionStatus) {
			s.State, s.Reason, s.First, s.Last, s.Count, s.Failed = Polling, "", 0, 0, 0, 0
		})
		select {
		case b := <-batches:
			if !p.deliver(ctx, b) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// deliver invokes the function with a batch until that succeeds, and commits.
// It is false where the poller is to end, with the batch not committed.
func (p *poller) deliver(ctx context.Context, b kafkaBatch) bool {
	if b.tooLarge > 0 {
		return p.giveUp(ctx, b, p.trigger.config().Oversize, fmt.Sprintf(
			"the record at offset %d has %d bytes, an event holds at most %d", b.first, b.tooLarge, scf.MaxSyncPayload))
	}
	try := attempts{retry: p.retry, interval: p.trigger.config().RetryInterval, system: p.trigger.backOff()}
	for ctx.Err() == nil {
		failed := p.attempt(b)
		if failed == nil {
			return p.success(ctx, b)
		}
		if errors.Is(failed, ErrClosed) {
			return false
		}
		pause, giveUp := try.after(failed.Kind)
		if giveUp {
			p.part.lastFailure(failed, try.failed)
			return p.giveUp(ctx, b, p.trigger.config().AfterLastRetry, fmt.Sprintf(
				"the function failed %d times on offsets %d-%d, the last time: %v", try.failed, b.first, b.last, failed.Message))
		}
		p.part.failure(failed, try.failed, p.trigger.clock().Now().Add(pause))
		if wait(ctx, p.trigger.clock(), pause) != nil {
			return false
		}
	}
	return false
}

// attempt is one delivery; nil means success.
func (p *poller) attempt(b kafkaBatch) *FunctionError {
	p.part.set(func(s *PartitionStatus) {
		s.State, s.Reason, s.First, s.Last, s.Count = Invoking, "", b.first, b.last, b.count
	})
	failed, err := p.invoke(b.payload)
	if err != nil {
		return systemError("invoke the function", err)
	}
	return failed
}

// success commits a batch.
func (p *poller) success(ctx context.Context, b kafkaBatch) bool {
	if !p.commitUntilDone(ctx, b.next) {
		return false
	}
	p.part.set(func(s *PartitionStatus) {
		s.Invocations++
		s.Delivered += int64(b.count)
	})
	return true
}

// giveUp does what the policy says with a batch that cannot be delivered.
func (p *poller) giveUp(ctx context.Context, b kafkaBatch, policy Policy, why string) bool {
	if policy == Drop {
		p.trigger.log().Error("records dropped", p.part.attrs("first", b.first, "last", b.last, "records", b.count, "reason", why)...)
		if !p.commitUntilDone(ctx, b.next) {
			return false
		}
		p.part.set(func(s *PartitionStatus) {
			s.Dropped += int64(b.count)
			s.LastError = why
		})
		return true
	}
	p.trigger.log().Error("partition stalled", p.part.attrs("first", b.first, "last", b.last, "records", b.count, "reason", why)...)
	p.part.set(func(s *PartitionStatus) {
		s.State, s.First, s.Last, s.Count = Stalled, b.first, b.last, b.count
		s.Reason = why + "; close and open the trigger to try again, or set the group's offset past it"
		s.LastError = why
	})
	<-ctx.Done()
	return false
}

// commitUntilDone commits, and tries again while the partition is this
// member's. A poller that is told to stop tries once.
func (p *poller) commitUntilDone(ctx context.Context, next int64) bool {
	pause := p.trigger.backOff()
	for {
		gone, err := p.commit(next)
		if err == nil {
			p.part.set(func(s *PartitionStatus) { s.Committed = next })
			return true
		}
		p.trigger.log().Warn("commit failed", p.part.attrs("offset", next, "error", err)...)
		if gone {
			p.part.set(func(s *PartitionStatus) {
				s.LastError = fmt.Sprintf("%v: the records before offset %d will be delivered again", err, next)
			})
			return false
		}
		d := pause.next()
		p.part.set(func(s *PartitionStatus) {
			s.State, s.Reason, s.LastError, s.Next = BackingOff, err.Error(), err.Error(), p.trigger.clock().Now().Add(d)
		})
		if wait(ctx, p.trigger.clock(), d) != nil {
			return false
		}
	}
}
