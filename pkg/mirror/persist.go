package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// refences is how often one call takes the transactional id back from another
// instance without getting any further. In the cloud the invocations of a
// partition move between warm instances, so the newest call is in the right;
// two that run at once must not fence each other for ever.
const refences = 2

// errReopen says that what an open partition knows of its topics is not true
// any more, and that it must be opened again.
var errReopen = errors.New("topics have changed")

// persist repeats work that a retry can help. After any error the warm state
// is thrown away: the next try fences and reads back what was committed.
func (p *partition) persist(ctx context.Context, rng Range, work func(context.Context, *PartitionResult) error) (PartitionResult, error) {
	result := PartitionResult{Range: rng, Target: p.Topics.Target(rng.Topic)}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 20*time.Millisecond, 2*time.Second
	p.ceiling, p.block = 0, nil // the limit may have been raised since
	p.fenced = false
	fenced := 0
	for since, done := time.Now(), p.next; ; {
		err := work(ctx, &result)
		result.Next = p.next
		if err == nil {
			return result, nil
		}
		producer := p.producer
		p.producer = nil
		p.forgetSettings(p.to) // they may be the reason
		if p.next > done {     // progress: the bounds count from here
			since, done, fenced = time.Now(), p.next, 0
			wait.Reset()
		}
		switch {
		case kafka.Ended(ctx) != nil || errors.Is(err, errNoTime):
			if p.next == done && producer != nil && p.writing { // a chunk may be more than there is time for
				p.halved = min(p.halved+1, mostHalved)
			}
			p.leave(ctx, producer)
			p.settle(ctx, producer, err)
			return result, p.stopped(err)
		case time.Since(since) > p.RetryFor:
			return result, p.giveUp(ctx, producer, err)
		case errors.Is(err, errReopen):
			wait.Reset()
		case errors.Is(err, kafka.ErrFenced) && fenced < refences:
			fenced++
			p.fenced = true
		case !kafka.Retriable(err) && (p.Process == nil || !deadletter.IsTransient(err)):
			return result, p.giveUp(ctx, producer, err)
		}
		p.Log(ctx).Debug("copy is repeated", "topic", p.topic, "partition", p.number, "offset", p.next, "reason", err)
		if pause(ctx, wait.NextBackOff()) != nil {
			return result, p.stopped(err)
		}
	}
}

// giveUp ends the transaction that may be open: until it times out it would
// hold back those who read committed records of the target.
func (p *partition) giveUp(ctx context.Context, producer *kafka.Transactional, err error) error {
	defer p.settle(ctx, producer, err)
	if producer == nil || errors.Is(err, kafka.ErrFenced) {
		return err
	}
	if abortErr := producer.Abort(ctx); abortErr != nil {
		p.Log(ctx).Debug("the open transaction is left to its time-out", "topic", p.topic, "partition", p.number, "reason", abortErr)
	}
	return err
}

// leaveGrace is how long a copy whose time is over may take to end its
// transaction: less than what a function has left then (ETL_DEADLINE_MARGIN).
const leaveGrace = 300 * time.Millisecond

// leave is giveUp where ctx has ended. A request that was under way then may
// still arrive, behind the end of its transaction even: so after one it is left
// to the next copy, which fences, or to the time-out.
func (p *partition) leave(ctx context.Context, producer *kafka.Transactional) {
	if producer == nil || producer.Failed() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveGrace)
	defer cancel()
	if err := producer.Abort(ctx); err != nil {
		p.Log(ctx).Debug("the open transaction is left to its time-out", "topic", p.topic, "partition", p.number, "reason", err)
	}
}

func (p *partition) stopped(err error) error {
	if p.next < 0 {
		return fmt.Errorf("copy %s/%d stopped before its checkpoint was read: %w", p.topic, p.number, err)
	}
	return fmt.Errorf("copy %s/%d stopped before offset %d: %w", p.topic, p.number, p.next, err)
}
