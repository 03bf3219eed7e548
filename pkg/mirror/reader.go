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
// a chunk is committed the next one is fetched into the other buffer.
type reader struct {
	config  Config
	source  kafka.Topic
	policy  func() string // cleanup.policy of the source topic, asked for when it matters
	planner *planner
	next    int64
	last    int64
	buffers [2]kafka.Buffer
}

// planned is a chunk and what stops the partition after it.
type planned struct {
	chunk *chunk
	err   error
}

// chunks reads until last has been planned, an error, or the end of ctx. The
// channel is not buffered: that is what keeps a buffer from being overwritten
// while its chunk is being sent.
func (r *reader) chunks(ctx context.Context) <-chan planned {
	out := make(chan planned)
	go func() {
		defer close(out)
		for i := 0; r.next <= r.last; i++ {
			c, err := r.read(ctx, &r.buffers[i%2])
			if c != nil {
				r.next = c.next
			}
			select {
			case out <- planned{c, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

// fetchWait is how long the broker holds a fetch that has nothing to give.
// The records of an event are there already; only an open transaction, or a
// replica that is behind, makes us wait.
const fetchWait = 200 * time.Millisecond

// read plans the next chunk. With an error it is what came before it, or nil.
func (r *reader) read(ctx context.Context, buf *kafka.Buffer) (*chunk, error) {
	for {
		answer, err := r.config.Source.Fetch(ctx, kafka.FetchRequest{
			Topic: r.source.Name, Partition: r.planner.partition, Offset: r.next,
			MinBytes: 1, MaxBytes: int32(r.config.ChunkBytes), MaxWait: fetchWait, ReadCommitted: true,
		}, buf)
		if errors.Is(err, kafka.ErrOffsetOutOfRange) {
			return nil, r.explain(ctx, err)
		}
		if err != nil {
			return nil, err
		}
		c, err := r.plan(answer)
		if err == nil && c.next > r.next {
			err = r.check(ctx)
		}
		if err != nil || c.next > r.next {
			return r.result(c, err)
		}
		if err := r.stalled(ctx, answer); err != nil {
			return nil, err
		}
	}
}

// result drops a chunk of a topic that is not ours any more.
func (r *reader) result(c *chunk, err error) (*chunk, error) {
	if errors.Is(err, ErrRecreated) || c.next == r.next {
		return nil, err
	}
	return c, err
}

// plan turns a fetch into a chunk.
func (r *reader) plan(answer kafka.FetchResponse) (*chunk, error) {
	r.planner.begin(r.next)
	for stored, err := range answer.Visible(true) {
		if err != nil {
			return r.abandon(fmt.Errorf("read %s/%d at offset %d: %w", r.source.Name, r.planner.partition, r.planner.chunk.next, err))
		}
		if r.planner.chunk.next > r.last {
			break
		}
		if err := r.hole(stored); err != nil {
			return r.abandon(err)
		}
		if err := r.planner.add(stored); err != nil {
			return r.abandon(err)
		}
	}
	return r.planner.end()
}

// abandon completes the chunk before what went wrong.
func (r *reader) abandon(err error) (*chunk, error) {
	c, endErr := r.planner.end()
	if endErr != nil {
		return c, endErr
	}
	return c, err
}

// hole notices offsets that are missing between two batches. In a compacted
// topic that is usual; elsewhere records were lost.
func (r *reader) hole(s kafka.Stored) error {
	if s.Batch == nil || s.Batch.BaseOffset() <= r.planner.chunk.next || r.compacted() {
		return nil
	}
	return &GapError{Job: r.config.Job, Topic: r.source.Name, Partition: r.planner.partition, Next: r.planner.chunk.next, Available: s.Batch.BaseOffset()}
}

func (r *reader) compacted() bool { return strings.Contains(r.policy(), "compact") }

// check makes sure that what was fetched is of the topic that the checkpoint
// speaks of. It comes after the fetch, because ids never come back.
func (r *reader) check(ctx context.Context) error {
	now, err := r.config.Source.Topic(ctx, r.source.Name)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if differs(r.source.ID.String(), now.ID.String()) {
		return r.recreated(fmt.Sprintf("topic id was %s and is %s", r.source.ID, now.ID))
	}
	return nil
}

// explain says which way an offset is out of range.
func (r *reader) explain(ctx context.Context, cause error) error {
	p := r.planner.partition
	if err := r.check(ctx); err != nil {
		return err
	}
	earliest, err := r.config.Source.Offsets(ctx, r.source.Name, kafka.Earliest, p)
	if err != nil {
		return errors.Join(cause, err)
	}
	if r.next < earliest[p] {
		return &GapError{Job: r.config.Job, Topic: r.source.Name, Partition: p, Next: r.next, Available: earliest[p]}
	}
	latest, err := r.config.Source.Offsets(ctx, r.source.Name, kafka.Latest, p)
	if err != nil {
		return errors.Join(cause, err)
	}
	if r.next > latest[p] {
		return r.recreated(fmt.Sprintf("its log ends at offset %d", latest[p]))
	}
	return cause // a leader that was behind for a moment
}

func (r *reader) recreated(evidence string) error {
	return &RecreatedError{Job: r.config.Job, Topic: r.source.Name, Partition: r.planner.partition, Next: r.next, Which: "the source topic", Evidence: evidence}
}

// stalled is called when a fetch gave nothing new; it is an error once ctx has
// no time for another one.
func (r *reader) stalled(ctx context.Context, answer kafka.FetchResponse) error {
	deadline, ok := ctx.Deadline()
	if ctx.Err() == nil && (!ok || time.Until(deadline) > 2*fetchWait) {
		return nil
	}
	if answer.LastStable >= 0 && answer.LastStable < answer.HighWatermark {
		return fmt.Errorf("copy %s/%d: %w: offset %d, of which the last stable offset is %d; they are copied once its producer commits or aborts",
			r.source.Name, r.planner.partition, ErrNotStable, r.next, answer.LastStable)
	}
	return fmt.Errorf("copy %s/%d: nothing at offset %d, the high watermark is %d and offset %d was asked for: is a replica behind, or did an unclean election lose records?",
		r.source.Name, r.planner.partition, r.next, answer.HighWatermark, r.last)
}
