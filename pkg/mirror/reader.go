package mirror

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// reader fetches and plans the chunks of one partition. It reads ahead: while
// chunks of one fetch are committed the next fetch fills the other buffer.
type reader struct {
	*job
	subject
	source     kafka.Topic // as it was opened
	planner    *planner
	next       int64
	last       int64
	epoch      int32
	chunkBytes int
	perOffset  int64 // bytes that an offset took up in the last fetch, 0: not known
	compacts   *bool // whether the source topic is compacted; nil until it matters
	buffers    *[2]kafka.Buffer
}

func newReader(p *partition, processing *processing, last int64, buffers *[2]kafka.Buffer) *reader {
	return &reader{
		job: p.job, subject: p.subject, source: p.source, planner: newPlanner(p, processing, last), buffers: buffers,
		chunkBytes: p.chunk(),
		next:       p.next, last: last, epoch: p.known.Epoch, perOffset: p.perOffset,
	}
}

// planned is a chunk and what stops the partition after it; either may be nil.
type planned struct {
	chunk *chunk
	err   error
}

// chunks reads until last has been planned, an error, or the end of ctx. The
// channel is not buffered: that is what keeps a buffer from being overwritten
// while a chunk of it is being sent.
func (r *reader) chunks(ctx context.Context) <-chan planned {
	out := make(chan planned)
	go func() {
		defer close(out)
		emit := func(c *chunk, err error) bool {
			select {
			case out <- planned{c, err}:
				return err == nil
			case <-ctx.Done():
				return false
			}
		}
		for i := 0; r.next <= r.last; i++ {
			err := r.throttle.wait(ctx)
			var answer kafka.FetchResponse
			if err == nil {
				answer, err = r.fetch(ctx, &r.buffers[i%2])
			}
			if err != nil {
				emit(nil, err)
				return
			}
			if !r.plan(ctx, answer, emit) {
				return
			}
		}
	}()
	return out
}

const (
	// fetchWait is how long the broker holds a fetch that has nothing to give.
	// The records of an event are there already; only an open transaction, or a
	// replica that is behind, makes us wait.
	fetchWait = 200 * time.Millisecond

	// fetchSpare is asked for on top of what the range should take.
	fetchSpare = 64 << 10
)

// fetch waits for an answer with something at next, of the topic that the
// checkpoint speaks of.
func (r *reader) fetch(ctx context.Context, buf *kafka.Buffer) (kafka.FetchResponse, error) {
	for since := time.Now(); ; {
		answer, err := r.From.Fetch(ctx, kafka.FetchRequest{
			Topic: r.topic, Partition: r.number, Offset: r.next,
			MinBytes: 1, MaxBytes: r.fetchBytes(), MaxWait: fetchWait, ReadCommitted: true,
		}, buf)
		switch {
		case errors.Is(err, kafka.ErrOffsetOutOfRange):
			if err := r.explain(ctx); err != nil {
				return answer, err
			}
			// A leader was behind for a moment, unless it goes on.
			if time.Since(since) > r.RetryFor || pause(ctx, fetchWait) != nil {
				return answer, err
			}
		case err != nil:
			return answer, err
		case len(answer.Batches) > 0:
			// After the fetch, because ids never come back.
			return answer, r.check(ctx)
		default:
			if err := r.stalled(ctx, answer); err != nil {
				return answer, err
			}
		}
	}
}

// fetchBytes is what the rest of the range should take, a quarter more, but no
// more than a chunk: what is fetched beyond the range is thrown away.
func (r *reader) fetchBytes() int32 {
	if r.perOffset == 0 {
		return int32(r.chunkBytes)
	}
	want := float64(r.last-r.next+1)*float64(r.perOffset)*1.25 + fetchSpare
	return int32(min(want, float64(r.chunkBytes)))
}

// plan emits the chunks of an answer; false where that is the end.
func (r *reader) plan(ctx context.Context, answer kafka.FetchResponse, emit func(*chunk, error) bool) bool {
	first, taken := r.next, 0
	r.planner.merge = manySmall(answer.Batches)
	r.planner.begin(r.next, r.epoch)
	for stored, err := range answer.Visible(true) {
		if r.planner.chunk.next > r.last {
			break
		}
		if err != nil {
			err = fmt.Errorf("read %s/%d at offset %d: %w", r.topic, r.number, r.planner.chunk.next, err)
		} else if err = r.continues(ctx, stored); err == nil {
			err = r.planner.add(ctx, stored)
		}
		for err == nil && r.planner.chunk.next <= min(stored.LastOffset(), r.last) { // a job may take several chunks for a unit
			if !r.emit(nil, emit) {
				return false
			}
			r.planner.begin(r.next, r.epoch)
			err = r.planner.add(ctx, stored)
		}
		if err != nil {
			r.emit(err, emit)
			return false
		}
		taken += len(stored.Batch) + len(stored.Message)
		if r.planner.full(r.chunkBytes) {
			if !r.emit(nil, emit) {
				return false
			}
			r.planner.begin(r.next, r.epoch)
		}
	}
	if r.planner.chunk.next == first {
		return emit(nil, fmt.Errorf("read %s/%d at offset %d: the broker gave %d bytes without a whole batch", r.topic, r.number, r.next, len(answer.Batches)))
	}
	r.perOffset = int64(taken)/(r.planner.chunk.next-first) + 1
	return r.emit(nil, emit)
}

// emit completes the chunk under way and sends it with what comes after it.
func (r *reader) emit(err error, emit func(*chunk, error) bool) bool {
	c, endErr := r.planner.end()
	if endErr != nil {
		return emit(nil, endErr)
	}
	if errors.Is(err, ErrRecreated) || c.next == r.next {
		c = nil
	} else {
		r.next, r.epoch = c.next, c.epoch
		r.throttle.took(c.bytes, c.records)
	}
	if c == nil && err == nil {
		return true
	}
	return emit(c, err)
}

// continues makes sure that a unit is what comes next: of the same log, and
// without a hole before it. Offsets are missing between batches of a compacted
// topic as a rule; elsewhere records were lost.
func (r *reader) continues(ctx context.Context, s kafka.Stored) error {
	if s.Batch == nil {
		return nil
	}
	next := r.planner.chunk.next
	if epoch := s.Batch.LeaderEpoch(); r.source.ID == (kafka.TopicID{}) && epoch >= 0 {
		// Brokers before 2.8 have no topic ids. Epochs never go back in a log.
		if epoch < r.planner.chunk.epoch {
			return r.recreated(next, theSource, fmt.Sprintf("leader epoch was %d and is %d at offset %d: it was deleted and created again",
				r.planner.chunk.epoch, epoch, s.Batch.BaseOffset()))
		}
		r.planner.chunk.epoch = epoch
	}
	if s.Batch.BaseOffset() <= next {
		return nil
	}
	if compacted, err := r.compacted(ctx); err != nil || compacted {
		return err
	}
	return r.gone(next, s.Batch.BaseOffset())
}

// compacted asks for the cleanup.policy once. Where it may not be read the
// topic counts as compacted: better no alarm than a false one.
func (r *reader) compacted(ctx context.Context) (bool, error) {
	if r.compacts == nil {
		settings, _, err := r.From.TopicSettings(ctx, r.topic)
		hidden := errors.Is(err, kafka.ErrAuthorization) || errors.Is(err, kafka.ErrUnsupported)
		if err != nil && !hidden {
			return false, fmt.Errorf("source: %w", err)
		}
		compacts := hidden || strings.Contains(settings[settingCleanup], "compact")
		r.compacts = &compacts
	}
	return *r.compacts, nil
}

// check makes sure that the source topic is the one that was opened.
func (r *reader) check(ctx context.Context) error {
	now, err := r.job.source(ctx, r.topic)
	if err != nil {
		return err
	}
	if then, id := r.source.ID.String(), now.ID.String(); differs(then, id) {
		return r.recreated(r.next, theSource, replaced(then, id))
	}
	if len(now.Partitions) != len(r.source.Partitions) {
		return fmt.Errorf("%w: source topic %s has %d partitions now", errReopen, r.topic, len(now.Partitions))
	}
	return nil
}

// explain says which way next is out of range; nil where it is not (any more).
func (r *reader) explain(ctx context.Context) error {
	if err := r.check(ctx); err != nil {
		return err
	}
	earliest, err := r.From.Offsets(ctx, r.topic, kafka.Earliest, r.number)
	if err != nil {
		return err
	}
	if available := earliest[r.number]; r.next < available {
		return r.gone(r.next, available)
	}
	latest, err := r.From.Offsets(ctx, r.topic, kafka.Latest, r.number)
	if err != nil {
		return err
	}
	if end := latest[r.number]; r.next > end {
		return r.recreated(r.next, theSource, wentBack(end))
	}
	return nil
}

// stalled is called when a fetch gave nothing; it is an error once ctx has no
// time for another one.
func (r *reader) stalled(ctx context.Context, answer kafka.FetchResponse) error {
	deadline, ok := ctx.Deadline()
	if ctx.Err() == nil && (!ok || time.Until(deadline) > 2*fetchWait) {
		return nil
	}
	if answer.LastStable >= 0 && answer.LastStable < answer.HighWatermark {
		return fmt.Errorf("copy %s/%d: %w: the next offset is %d, the last stable offset %d; it is copied once its producer commits or aborts",
			r.topic, r.number, ErrNotStable, r.next, answer.LastStable)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("copy %s/%d: nothing at offset %d, the high watermark is %d and offset %d was asked for: is a replica behind, did an unclean election lose records, or does the event name offsets that were never written?",
		r.topic, r.number, r.next, answer.HighWatermark, r.last)
}
