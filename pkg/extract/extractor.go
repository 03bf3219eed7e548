package extract

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

// Extractor carries a job out, run after run. It is for one goroutine; two of a job, also
// in two processes, do no harm: the newer one goes on where the older one has committed.
type Extractor struct {
	Config
	source      source
	transformer *transform.Transformer

	// What is known as long as nothing went wrong; after any error it is read back.
	producer *kafka.Transactional // nil: cold
	cursor   cursor
	topics   map[string]topic
	batches  map[destination]*batching
	pending  *pending // what the open transaction holds; nil: there is none

	careful bool             // after a fault: page by page, batches of one record, to find what it is about
	refused map[string]error // records that the cluster did not take, by their digest
	slowest time.Duration    // of the pages of this run

	fault func(point string) // of tests
}

// pending is what has been written and not committed.
type pending struct {
	result Result
	cursor cursor // behind it
	begun  time.Time
}

// New checks the configuration, and connects to nothing.
func New(config Config) (*Extractor, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	source, err := config.File.open()
	if err != nil {
		return nil, err
	}
	return &Extractor{
		Config: config, source: source, transformer: config.File.rules.New(),
		refused: map[string]error{}, fault: func(string) {},
	}, nil
}

// Close drops the connections to the source. The target stays open: it is the caller's.
func (e *Extractor) Close() error {
	e.source.close()
	return nil
}

// Run pulls what the source has, until it has no more or the context is about to end.
//
// nil says that all of it is committed, or that the run has stopped at a committed point
// for the reason in Result.Stopped, and the next one goes on there. An error says what is
// wrong, and that everything in Result is committed all the same, and nothing else is.
func (e *Extractor) Run(ctx context.Context) (Result, error) {
	var done Result
	delays := backoff.NewExponentialBackOff()
	delays.InitialInterval, delays.MaxInterval = 20*time.Millisecond, 2*time.Second
	e.slowest = 0
	for since, pages := time.Now(), int64(0); ; {
		err := e.run(ctx, &done)
		done.Total = e.cursor.records
		if err == nil {
			return done, nil
		}
		again := e.again(err)
		e.abandon(ctx, err)
		if done.Pages > pages {
			since, pages = time.Now(), done.Pages
			delays.Reset()
		}
		var wait *waitError
		switch {
		case errors.As(err, &wait):
			done.Stopped = wait.Error()
			return done, nil
		case errors.Is(err, kafka.ErrFenced):
			done.Stopped = "a newer run of the job has taken over"
			return done, nil
		case done.Pages > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded):
			done.Stopped = outOfTime
			return done, nil
		case !again || time.Since(since) > e.RetryFor:
			return done, e.stopped(done, err)
		}
		e.Log(ctx).Debug("extraction is repeated", "job", e.Job, "records", e.cursor.records, "reason", err)
		if pause(ctx, delays.NextBackOff()) != nil {
			return done, e.stopped(done, err)
		}
	}
}

const outOfTime = "the time is over"

// stopped says what is committed.
func (e *Extractor) stopped(done Result, err error) error {
	return fmt.Errorf("extract %s: %w (%d pages with %d records of this run are committed, %d records in all; the next run goes on there)",
		e.Job, err, done.Pages, done.Records, e.cursor.records)
}

// errAgain says that the same work is to be done once more, in another way.
var errAgain = errors.New("again")

// again says whether the same work may succeed now.
func (e *Extractor) again(err error) bool {
	var of permanent
	if errors.Is(err, errAgain) {
		return true
	}
	return !errors.As(err, &of) && !errors.Is(err, ErrSource) && kafka.Retriable(err)
}

// run does all of it once, from what is committed on.
func (e *Extractor) run(ctx context.Context, done *Result) error {
	if err := e.open(ctx); err != nil {
		return err
	}
	if left := e.cursor.wait(e.Now()); left > 0 {
		return &waitError{time.Unix(e.cursor.Until, 0), "as it said before"}
	}
	for next := e.cursor; ; {
		if e.short(ctx) {
			if err := e.commit(ctx, done); err != nil {
				return err
			}
			done.Stopped = outOfTime
			return nil
		}
		e.fault("page")
		began := time.Now()
		p, late, err := e.page(ctx, next)
		if late {
			if err := e.commit(ctx, done); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return e.without(ctx, done, err)
		}
		if next, err = e.take(ctx, p, next); err != nil {
			return err
		}
		e.slowest = max(e.slowest, time.Since(began))
		if p.last || e.full(ctx) {
			if err := e.commit(ctx, done); err != nil {
				return err
			}
		}
		if p.last {
			done.Done = true
			return e.refresh(ctx)
		}
	}
}

// page asks for the page at a cursor. late says that a transaction is open, which must not
// become too old for that, and has to be committed first.
func (e *Extractor) page(ctx context.Context, at cursor) (p page, late bool, err error) {
	if e.pending == nil {
		p, err = e.source.page(ctx, at.State)
		return p, false, err
	}
	// why no deadline: the source looks at that to know how long it may wait
	bounded, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(e.TransactionTimeout/2, cancel).Stop()
	p, err = e.source.page(bounded, at.State)
	return p, err != nil && bounded.Err() != nil && ctx.Err() == nil, err
}

// without commits the pages before one that could not be had.
func (e *Extractor) without(ctx context.Context, done *Result, err error) error {
	if ctx.Err() != nil {
		return err
	}
	var wait *waitError
	if errors.As(err, &wait) && e.pending == nil && wait.until.Unix() > e.cursor.Until {
		e.pending = &pending{cursor: e.cursor, begun: time.Now()}
	}
	if e.pending != nil && wait != nil {
		e.pending.cursor.Until = wait.until.Unix()
	}
	if failed := e.commit(ctx, done); failed != nil {
		return failed
	}
	return err
}

// take maps a page and writes what it became; it gives the cursor behind it.
func (e *Extractor) take(ctx context.Context, p page, from cursor) (cursor, error) {
	to := from
	to.State, to.Until, to.records = p.state, 0, from.records+int64(len(p.items))
	if _, err := to.encode(); err != nil { // before anything is written that could not be committed
		return from, fmt.Errorf("%s: %w", p.name, err)
	}
	if e.pending == nil {
		if len(p.items) == 0 && string(p.state) == string(e.cursor.State) {
			return from, nil // nothing is new
		}
		e.pending = &pending{begun: time.Now()}
	}
	mapped, err := e.mapPage(ctx, p, from.records)
	if err != nil {
		return from, err
	}
	e.pending.cursor = to
	e.pending.result.add(mapped)
	return to, nil
}

// full says that nothing more should be waited for. Near the deadline each page is
// committed: what is not committed then was done for nothing.
func (e *Extractor) full(ctx context.Context) bool {
	if e.pending == nil {
		return false
	}
	deadline, ok := ctx.Deadline()
	return e.careful || e.pending.result.Bytes >= e.TransactionBytes || time.Since(e.pending.begun) >= e.CommitInterval ||
		ok && time.Until(deadline) < 2*e.CommitInterval+2*e.slowest
}

// short says that there is no time for another page.
func (e *Extractor) short(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && e.slowest > 0 && time.Until(deadline) < e.slowest+e.slowest/2
}

// commit ends the transaction, with the cursor in it.
func (e *Extractor) commit(ctx context.Context, done *Result) error {
	if e.pending == nil {
		return nil
	}
	if err := e.flush(ctx); err != nil {
		return err
	}
	next := e.pending.cursor
	if err := e.commitCursor(ctx, &next); err != nil {
		return err
	}
	e.cursor = next
	done.add(e.pending.result)
	e.pending, e.careful = nil, false
	clear(e.refused)
	return nil
}

// commitCursor puts a cursor into the transaction and ends it.
func (e *Extractor) commitCursor(ctx context.Context, next *cursor) error {
	next.At, next.Kind, next.Topic = e.Now().Unix(), e.source.kind(), e.topics[e.File.Topic()].id
	text, err := next.encode()
	if err != nil {
		return err
	}
	e.fault("cursor")
	offset := map[int32]kafka.Committed{cursorPartition: {Offset: next.records, Metadata: text}}
	if err := e.producer.CommitOffsets(ctx, Group(e.Job), e.File.Topic(), offset); err != nil {
		return err
	}
	e.fault("commit")
	err = e.producer.Commit(ctx)
	e.fault("committed")
	return err
}

// refreshEvery is how old a cursor may become: brokers forget what a group without
// members has committed, after a day at the earliest by their defaults
// (offsets.retention.minutes, 0.11 to 1.1).
const refreshEvery = time.Hour

// refresh commits the cursor once more where nothing was new for long.
func (e *Extractor) refresh(ctx context.Context) error {
	at := e.cursor.At
	if at == 0 || e.Now().Sub(time.Unix(at, 0)).Abs() < refreshEvery {
		return nil
	}
	next := e.cursor
	if err := e.commitCursor(ctx, &next); err != nil {
		return err
	}
	e.cursor = next
	return nil
}
