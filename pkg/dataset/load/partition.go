package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// partition is one that is loaded, by one call at a time.
type partition struct {
	*Loader
	place   place
	topic   string
	journal *journal
	turn    sync.Mutex

	// What is known of the log.
	next   int64     // all before it is in the dataset; -1: nothing is known
	at     time.Time // when there was no entry at next, or at one before it
	id     string    // of the topic
	unsure *span     // of the last entry, to be noted in the next
	made   int       // entries since the last hint

	compacts *bool
	buffer   kafka.Buffer
	decoder  batch.Decoder
	rows     *decoder // with its memory
}

// hintEvery is how many entries there are between two hints: a listing of the others is less than a page.
const hintEvery = 200

// load brings the partition up to the end of a range.
func (p *partition) load(ctx context.Context, r Range) (result Result, err error) {
	defer func() {
		if err != nil {
			p.next = -1 // what is true is found anew
			err = timely(ctx, err)
		}
	}()
	for {
		// why before every step: others may have gone on while this call goes through what they have done already
		if age := p.now().Sub(p.at); p.next < 0 || age < 0 || age > trusted {
			p.next = -1
			if err := p.find(ctx, r.First, &result); err != nil {
				return result, err
			}
		}
		if p.next > r.Last {
			return result, nil
		}
		if err := p.step(ctx, r.Last, &result); err != nil {
			return result, err
		}
	}
}

// find finds the end of the log, and does its last entry again: nobody knows whether it was finished.
func (p *partition) find(ctx context.Context, first int64, result *Result) error {
	p.unsure, p.compacts = nil, nil
	topic, err := p.Source.Topic(ctx, p.topic)
	if err != nil {
		return err
	}
	p.id = topic.ID.String()
	at := p.now()
	if p.FromEarliest {
		earliest, err := p.Source.Offsets(ctx, p.topic, kafka.Earliest, p.place.partition)
		if err != nil {
			return err
		}
		first = min(first, earliest[p.place.partition])
	}
	start, err := p.journal.begin(ctx, first, p.id)
	if err != nil {
		return err
	}
	last, seen, err := p.journal.last(ctx)
	if err != nil {
		return err
	}
	next := start.Offset
	if last != nil {
		if err := p.redo(ctx, *last, result); err != nil {
			return err
		}
		next = last.Last + 1
		if seen > hintEvery {
			if err := p.journal.hint(ctx, last.First); err != nil {
				return err
			}
			p.made = 0
		}
	}
	p.next, p.at = next, at
	return nil
}

// finished says that all objects of an entry are there. Its letters are then, too: they come first. One without objects
// is finished when its letters have been written.
func (p *partition) finished(ctx context.Context, e entry) (bool, error) {
	if len(e.Folders) == 0 && e.Letters > 0 {
		return p.delivered(ctx, e)
	}
	for _, folder := range e.Folders {
		key := p.Dataset.Key(folder + objectName(p.place, e.First, e.Last) + ".parquet")
		body, _, err := p.Dataset.Store().GetRange(ctx, key, 0, 1)
		if errors.Is(err, cos.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err := body.Close(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// redo writes what an entry stands for, where that is not there.
func (p *partition) redo(ctx context.Context, e entry, result *Result) error {
	if finished, err := p.finished(ctx, e); finished || err != nil {
		return describe(p.place, err)
	}
	result.Redone++
	schema, err := p.schemas.version(ctx, e.Schema)
	if err != nil {
		return describe(p.place, err)
	}
	w, next, err := p.read(ctx, schema, e.Change, e.First, e.Last, true)
	var gap *GapError
	if errors.As(err, &gap) {
		gap.Begun = true
		gap.First, gap.Last = max(gap.First, e.First), min(gap.Last, e.Last)
		if !p.Gaps {
			return gap
		}
		// why nothing is written: what is there may be more than what is left of the range
		p.Log(ctx).Warn("an entry may be unfinished, and its records are gone", "reason", gap)
		p.unsure = &span{e.First, e.Last}
		return nil
	}
	if err != nil {
		return err
	}
	if next <= e.Last {
		return fmt.Errorf(
			"load %s: offsets %d to %d of an entry take more than one: it was changed by hand",
			p.place,
			e.First,
			e.Last,
		)
	}
	if err := p.same(ctx); err != nil {
		return err
	}
	if rows := int64(w.decoder.rows.Len()); rows != e.Rows {
		p.Log(ctx).Warn("an entry has other rows than when it was made: has the source been compacted?",
			"topic", p.topic, "partition", p.place.partition, "first", e.First, "rows", e.Rows, "now", rows)
	}
	return p.write(ctx, w, e, result)
}

// step makes the next entry of the log, and writes what it stands for.
func (p *partition) step(ctx context.Context, last int64, result *Result) error {
	if err := p.timeLeft(ctx); err != nil {
		return err
	}
	schema, err := p.schemas.settle(ctx, p.Schema, func() (Schema, error) { return p.infer(ctx, last) })
	if err != nil {
		return describe(p.place, err)
	}
	w, next, err := p.read(ctx, schema, p.Change, p.next, last, false)
	var gap *GapError
	if errors.As(err, &gap) {
		if gap.First > p.next { // what comes before it is loaded first
			w, next, err = p.read(ctx, schema, p.Change, p.next, gap.First-1, false)
		} else if p.Gaps {
			return p.leaveBehind(ctx, gap, result)
		}
	}
	if err != nil {
		return err
	}
	if w.decoder.unknown != nil && len(w.decoder.unknown.names) > 0 {
		return describe(p.place, p.schemas.add(ctx, w.decoder.unknown)) // and the step is done again
	}
	if err := p.same(ctx); err != nil {
		return err
	}
	return p.enter(ctx, w, entry{
		Format: format, First: p.next, Last: next - 1, Schema: schema.Version, Change: p.Change,
		Rows: int64(w.decoder.rows.Len()), Letters: int64(len(w.letters)), Folders: slices.Clone(w.decoder.folders),
	}, result)
}

// leaveBehind notes offsets that are gone.
func (p *partition) leaveBehind(ctx context.Context, gap *GapError, result *Result) error {
	p.Log(ctx).Warn("records were deleted before they were loaded", "reason", gap)
	if err := p.same(ctx); err != nil {
		return err
	}
	result.Gaps += gap.Last - p.next + 1
	return p.enter(ctx, nil, entry{Format: format, First: p.next, Last: gap.Last, Gap: true}, result)
}

// enter makes an entry, or takes that of who was faster, and finishes it.
func (p *partition) enter(ctx context.Context, w *work, e entry, result *Result) error {
	now := p.now()
	at := now.UTC().Truncate(time.Second)
	e.At, e.Unsure = &at, p.unsure
	err := p.journal.create(ctx, e)
	switch {
	case errors.Is(err, cos.ErrExists):
		// why p.at stays: the entry may be an old one, with others behind it, and its objects about to be merged
		if e, err = p.journal.read(ctx, p.next); err == nil {
			err = p.redo(ctx, e, result)
		}
	case err == nil:
		p.unsure, p.at = nil, now
		result.Entries++
		if w != nil {
			err = p.write(ctx, w, e, result)
		}
	}
	if err != nil {
		return describe(p.place, err)
	}
	p.next = e.Last + 1
	if p.made++; p.made >= hintEvery {
		p.made = 0
		return p.journal.hint(ctx, e.First)
	}
	return nil
}

// read decodes records: as many as an entry may have, unless all of them are asked for.
func (p *partition) read(
	ctx context.Context,
	s Schema,
	change Change,
	first, last int64,
	whole bool,
) (*work, int64, error) {
	if p.rows == nil || p.rows.schema.Version != s.Version || p.rows.change != change {
		p.rows = newDecoder(s, change, p.topic, p.place.partition)
	}
	w := &work{decoder: p.rows}
	w.decoder.reset()
	next, err := p.walk(ctx, first, last, func(r batch.Record) error {
		if !whole && p.full(w) {
			return errStop
		}
		w.bytes += recordBytes(r)
		if err := w.decoder.record(r); err != nil {
			if p.Letters == nil {
				return fmt.Errorf("load %s: offset %d: %w: %w", p.place, r.Offset, ErrRefused, err)
			}
			l := p.letter(r, err)
			w.letters = append(w.letters, l)
			w.bytes += letterBytes(l)
		}
		return nil
	})
	return w, next, err
}

// infer looks at the first records.
func (p *partition) infer(ctx context.Context, last int64) (Schema, error) {
	const most = 1000
	n := newInference()
	records := 0
	_, err := p.walk(ctx, p.next, last, func(r batch.Record) error {
		if records++; records > most {
			return errStop
		}
		n.record(r.Value)
		return nil
	})
	if err != nil {
		return Schema{}, err
	}
	s := Schema{Columns: n.fields(nil)}
	if len(s.Columns) == 0 {
		return s, fmt.Errorf(
			"none of the %d records from offset %d on is a JSON object with members: give a schema",
			records,
			p.next,
		)
	}
	return s, nil
}

// objectName is that of an entry's objects.
func objectName(at place, first, last int64) string {
	return fmt.Sprintf("%s-%d-%0*d-%0*d", at.topic, at.partition, digits, first, digits, last)
}

// uploads is how many objects of an entry are under way at a time.
const uploads = 3

// write writes letters and objects. It may be done any number of times.
func (p *partition) write(ctx context.Context, w *work, e entry, result *Result) error {
	if len(w.letters) > 0 {
		if err := p.deliver(ctx, w.letters, e); err != nil {
			return err
		}
	}
	selections := make([][]int32, len(w.decoder.folders))
	if len(selections) > 1 {
		for row, folder := range w.decoder.folderOf {
			selections[folder] = append(selections[folder], int32(row))
		}
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for i, folder := range w.decoder.folders {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			o, err := p.Dataset.WriteSome(ctx, folder, objectName(p.place, e.First, e.Last), w.decoder.rows, selections[i])
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			result.Bytes += o.Size
			result.Objects++
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("write offsets %d to %d: %w", e.First, e.Last, err)
	}
	result.Records += int64(w.decoder.rows.Len())
	result.Letters += int64(len(w.letters))
	return nil
}
