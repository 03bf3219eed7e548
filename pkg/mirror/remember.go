package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	Remember(r Record)
}

// remember gives a processor that was just made the records before the checkpoint.
func (p *partition) remember(ctx context.Context) error {
	r, ok := p.processor.(Rememberer)
	if !ok || p.Source == nil {
		return nil
	}
	first, err := p.windowStart(ctx, r)
	if err != nil {
		return fmt.Errorf("records before offset %d of %s/%d, which the job decides by: %w", p.next, p.topic, p.number, err)
	}
	for first < p.next {
		fetched, err := p.Source.FetchRecords(ctx, kafka.FetchRequest{
			Topic: p.topic, Partition: p.number, Offset: first, MinBytes: 1, MaxBytes: int32(p.chunk()), MaxWait: fetchWait, ReadCommitted: true,
		})
		if err != nil {
			return fmt.Errorf("records from offset %d of %s/%d, which the job decides by: %w", first, p.topic, p.number, err)
		}
		for _, record := range fetched.Records {
			if record.Offset < p.next {
				r.Remember(Record{record, p.topic, p.number})
			}
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
