package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Rememberer is a [Processor] that decides by records before the one at hand, as one
// that leaves out duplicates does. A partition that is opened gives it those of its
// window, before the first that it processes, where there is a source to read them
// from.
type Rememberer interface {
	Processor

	// Window is how far back it looks: over so many offsets, or so long before the
	// timestamp of the next record, at most over that many offsets. Zero is not at all.
	Window() (offsets int64, span time.Duration, most int64)

	// Remember is told of a record that is done already.
	Remember(ctx context.Context, r Record)
}

// remember gives a processor that was just made the records before the checkpoint. It
// takes at most half of the time that there is: then the records that come next are
// more urgent.
func (p *partition) remember(ctx context.Context) error {
	r, ok := p.processor.(Rememberer)
	if !ok || p.Source == nil {
		return nil
	}
	first, err := p.windowStart(ctx, r)
	if err != nil {
		return fmt.Errorf("records before offset %d of %s/%d, which the job decides by: %w", p.next, p.topic, p.number, err)
	}
	latest, err := p.Source.Offsets(ctx, p.topic, kafka.Latest, p.number)
	if err != nil {
		return fmt.Errorf("end of %s/%d: %w", p.topic, p.number, err)
	}
	until := time.Now().Add(24 * time.Hour)
	if deadline, ok := ctx.Deadline(); ok {
		until = time.Now().Add(time.Until(deadline) / 2)
	}
	for end := min(p.next, latest[p.number]); first < end; { // a log that ends before the checkpoint is the copy's to explain
		if time.Now().After(until) {
			p.Log(ctx).Warn("the window that the job looks back over is too long to be read again in half of an invocation: what repeats records between these offsets may pass",
				"topic", p.topic, "partition", p.number, "first", first, "last", end-1)
			return nil
		}
		fetched, err := p.Source.FetchRecords(ctx, kafka.FetchRequest{
			Topic: p.topic, Partition: p.number, Offset: first, MinBytes: 1, MaxBytes: int32(p.chunk()), MaxWait: fetchWait, ReadCommitted: true,
		})
		if errors.Is(err, kafka.ErrOffsetOutOfRange) {
			return nil // likewise
		}
		if err != nil {
			return fmt.Errorf("records from offset %d of %s/%d, which the job decides by: %w", first, p.topic, p.number, err)
		}
		for _, record := range fetched.Records {
			if record.Offset < p.next {
				record, redrive := deadletter.TakeRedrive(record)
				r.Remember(ctx, Record{Record: record, Topic: p.topic, Partition: p.number, Redriven: redrive.Count})
			}
		}
		if fetched.Next <= first {
			return nil // nothing of it can be read
		}
		first = fetched.Next
	}
	return nil
}

// windowStart is the first offset of the window, of those that are still there.
func (p *partition) windowStart(ctx context.Context, r Rememberer) (int64, error) {
	offsets, span, most := r.Window()
	first := p.next
	if offsets > 0 {
		first = p.next - offsets
	}
	if span > 0 {
		next, err := p.Source.FetchRecords(ctx, kafka.FetchRequest{Topic: p.topic, Partition: p.number, Offset: p.next, MinBytes: 1, MaxBytes: 1, MaxWait: fetchWait, ReadCommitted: true})
		if err != nil && !errors.Is(err, kafka.ErrOffsetOutOfRange) {
			return 0, err
		}
		since := time.Now()
		if len(next.Records) > 0 {
			since = time.UnixMilli(next.Records[0].Timestamp)
		}
		at, err := p.Source.Offsets(ctx, p.topic, since.Add(-span).UnixMilli(), p.number)
		if err != nil {
			return 0, err
		}
		if begin := at[p.number]; begin >= 0 {
			first = min(first, max(begin, p.next-most))
		}
	}
	if first == p.next {
		return first, nil
	}
	earliest, err := p.Source.Offsets(ctx, p.topic, kafka.Earliest, p.number)
	return max(first, earliest[p.number], 0), err
}
