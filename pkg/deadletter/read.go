package deadletter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Topic is a dead-letter topic.
type Topic struct {
	Client *kafka.Client // of its cluster
	Name   string
	// Objects are where records are that are not in their letters; nil: those letters
	// are read without them.
	Objects Objects
	// Progress, where it is set, is told how many offsets of how many have been
	// read.
	Progress func(done, total int64)
}

// Selection is what is read of a topic. The zero value is all of it.
type Selection struct {
	Partitions []int32   // none: all
	From, To   int64     // offsets, before To; 0: no end
	Since      time.Time // begins with the first record of that time or later
	Only       []Position
	Before     bool // with Only: and the letters before them in their partitions
}

// Found is a letter, whole, with its place.
type Found struct {
	Position Position
	Records  int // how many it takes up: its parts
	Letter   Letter
}

// Reading is what was read.
type Reading struct {
	Letters int64 `json:"letters"`
	// NotLetters counts records that are none, and parts of which the others are
	// not there. Others are the first of them.
	NotLetters int64   `json:"not_letters"`
	Others     []Other `json:"others,omitempty"`
	// Missing are positions of Only at which no letter begins.
	Missing []Position `json:"missing,omitempty"`
}

// Other is a record that is no letter, and why.
type Other struct {
	Position Position `json:"position"`
	Error    string   `json:"error"`
}

// mostOthers are shown; all are counted.
const mostOthers = 10

func (r *Reading) other(at Position, err error) {
	r.NotLetters++
	if len(r.Others) < mostOthers {
		r.Others = append(r.Others, Other{Position: at, Error: err.Error()})
	}
}

// Read calls see for each letter of a selection: partition after partition, those
// of one in the order in which they were complete. It reads committed records, up
// to where the topic ended when it began. A record that is no letter is counted.
// What see gives ends the reading. The letter owns its memory.
func (t Topic) Read(ctx context.Context, sel Selection, see func(Found) error) (Reading, error) {
	var reading Reading
	spans, total, err := t.spans(ctx, sel)
	if err != nil {
		return reading, err
	}
	done := int64(0)
	missing := map[Position]bool{}
	for _, p := range sel.Only {
		missing[p] = true
	}
	for _, s := range spans {
		r := &reader{partition: s.partition, see: see, reading: &reading, pending: map[identity]*pending{}, all: len(sel.Only) == 0, before: sel.Before, only: missing}
		for p := range missing {
			if p.Partition == s.partition {
				r.left++
				r.last = max(r.last, p.Offset)
			}
		}
		got := func(offsets int64) {
			if done += offsets; t.Progress != nil {
				t.Progress(done, total)
			}
		}
		if err := s.read(ctx, t.Client, r.record, got); err != nil {
			return reading, err
		}
		r.end()
	}
	reading.Missing = slices.SortedFunc(maps.Keys(missing), Position.Compare)
	return reading, nil
}

// spans gives the parts of the partitions that a selection is in, in their order,
// and how many offsets they have.
func (t Topic) spans(ctx context.Context, sel Selection) (spans []span, total int64, err error) {
	topic, err := t.Client.Topic(ctx, t.Name)
	if err != nil {
		return nil, 0, fmt.Errorf("dead-letter topic: %w", err)
	}
	wanted := slices.Clone(sel.Partitions)
	first := map[int32]int64{} // of Only
	for _, p := range sel.Only {
		if offset, ok := first[p.Partition]; !ok || p.Offset < offset {
			first[p.Partition] = p.Offset
		}
		if sel.Before {
			first[p.Partition] = 0
		}
	}
	wanted = slices.AppendSeq(wanted, maps.Keys(first))
	for _, p := range wanted {
		if int(p) >= len(topic.Partitions) || p < 0 {
			return nil, 0, fmt.Errorf("dead-letter topic %s has no partition %d: it has 0 to %d", t.Name, p, len(topic.Partitions)-1)
		}
	}
	var partitions []int32
	for _, p := range topic.Partitions {
		if len(wanted) == 0 || slices.Contains(wanted, p.ID) {
			partitions = append(partitions, p.ID)
		}
	}
	begin := kafka.Earliest
	if !sel.Since.IsZero() {
		begin = max(sel.Since.UnixMilli(), 0)
	}
	from, end, err := bounds(ctx, t.Client, t.Name, begin, partitions...)
	if err != nil {
		return nil, 0, fmt.Errorf("dead-letter topic: %w", err)
	}
	for _, p := range partitions {
		s := span{topic: t.Name, partition: p, from: max(from[p], sel.From, first[p]), end: end[p]}
		if sel.To > 0 {
			s.end = min(s.end, sel.To)
		}
		if s.from < s.end {
			spans = append(spans, s)
			total += s.end - s.from
		}
	}
	return spans, total, nil
}

// reader makes letters of the records of one partition.
type reader struct {
	partition int32
	see       func(Found) error
	reading   *Reading
	pending   map[identity]*pending // letters of which parts are to come

	all    bool              // not only those in only
	before bool              // those before them, too
	only   map[Position]bool // of all partitions; those that were found are taken out
	left   int               // how many of them are in this partition
	last   int64             // the largest offset of them
}

// pending is a letter of which parts are to come. Those of several letters may
// alternate, because several jobs write to a partition.
type pending struct {
	at    Position
	parts []Letter
}

func (r *reader) record(record batch.Record) error {
	at := Position{r.partition, record.Offset}
	letter, err := Decode(record)
	if err != nil {
		if r.all || r.only[at] {
			r.reading.other(at, err)
		}
		return r.enough(record.Offset)
	}
	found := Found{Position: at, Records: 1, Letter: letter}
	if letter.Part != (Part{}) {
		id := letter.identity()
		p := r.pending[id]
		if p == nil {
			p = &pending{at: at}
			r.pending[id] = p
		}
		p.parts = append(p.parts, letter)
		if letter.Part.Number < letter.Part.Of {
			return r.enough(record.Offset)
		}
		delete(r.pending, id)
		found.Position, found.Records = p.at, len(p.parts)
		if found.Letter, err = Join(p.parts); err != nil {
			if r.all || r.only[p.at] {
				r.reading.other(p.at, err)
			}
			return r.enough(record.Offset)
		}
	}
	if r.all || r.before || r.only[found.Position] {
		r.reading.Letters++
		if r.only[found.Position] {
			delete(r.only, found.Position)
			r.left--
		}
		if err := r.see(found); err != nil {
			return err
		}
	}
	return r.enough(record.Offset)
}

// enough ends the reading once every letter that was asked for is there, or
// cannot come any more.
func (r *reader) enough(offset int64) error {
	if r.all || r.left > 0 && offset < r.last {
		return nil
	}
	if r.left > 0 {
		for _, p := range r.pending {
			if r.only[p.at] {
				return nil
			}
		}
	}
	return errStop
}

// end counts the letters whose last parts have not come.
func (r *reader) end() {
	for _, p := range r.pending {
		if r.all || r.only[p.at] {
			_, err := Join(p.parts)
			r.reading.other(p.at, err)
		}
	}
}

// ErrNoLetter says that no letter begins at a position.
var ErrNoLetter = errors.New("no letter begins there")

// Letter reads the letter at a position, [ErrNoLetter] where there is none.
func (t Topic) Letter(ctx context.Context, at Position) (Found, error) {
	var found Found
	reading, err := t.Read(ctx, Selection{Only: []Position{at}}, func(f Found) error {
		found = f
		return nil
	})
	switch {
	case err != nil:
		return Found{}, err
	case reading.NotLetters > 0:
		return Found{}, fmt.Errorf("%s at %s: %w: %s", t.Name, at, ErrNoLetter, reading.Others[0].Error)
	case reading.Letters == 0:
		return Found{}, fmt.Errorf("%s at %s: %w", t.Name, at, ErrNoLetter)
	}
	return found, nil
}
