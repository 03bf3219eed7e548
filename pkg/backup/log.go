package backup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// unit is one record batch of a log, or a message of an older format, with its bytes.
type unit struct {
	kafka.Stored
	bytes []byte
	first int64 // the first offset that it takes up: of a message that holds others, its last
}

// units walks through a log. Every batch's checksum is verified; those of messages are
// when they are decoded. Bytes that are no whole unit are an error.
func units(log []byte) iter.Seq2[unit, error] { return walkUnits(log, nextUnit) }

// trusted is units of a log whose checksums were verified before.
func trusted(log []byte) iter.Seq2[unit, error] { return walkUnits(log, trustedUnit) }

func walkUnits(log []byte, next func([]byte) (unit, error)) iter.Seq2[unit, error] {
	return func(yield func(unit, error) bool) {
		for rest := log; len(rest) > 0; {
			u, err := next(rest)
			if err != nil {
				yield(unit{}, fmt.Errorf("at byte %d: %w", len(log)-len(rest), err))
				return
			}
			if !yield(u, nil) {
				return
			}
			rest = rest[len(u.bytes):]
		}
	}
}

// nextUnit is the first unit of a log, its checksum verified.
func nextUnit(p []byte) (unit, error) {
	u, err := trustedUnit(p)
	if err == nil && u.Batch != nil {
		err = u.Batch.Verify()
	}
	return u, err
}

func trustedUnit(p []byte) (unit, error) {
	b, rest, err := batch.Next(p)
	if errors.Is(err, batch.ErrOldFormat) {
		m, rest, err := batch.NextMessage(p)
		if err == nil && m == nil {
			err = errCut
		}
		if err != nil {
			return unit{}, err
		}
		return unit{Stored: kafka.Stored{Message: m}, bytes: p[:len(p)-len(rest)], first: m.LastOffset()}, nil
	}
	if err == nil && b == nil {
		err = errCut
	}
	if err != nil {
		return unit{}, err
	}
	return unit{
		Stored: kafka.Stored{Batch: b, Skip: b.Control()},
		bytes:  p[:len(p)-len(rest)],
		first:  b.BaseOffset(),
	}, nil
}

var errCut = fmt.Errorf("%w: a batch is cut short", batch.ErrCorrupt)

// aborts follows aborted transactions through a log, as a consumer does: an entry
// counts from its first offset on, up to and with the next control batch of its
// producer.
type aborts struct {
	pending []Aborted // in order of First
	open    map[int64]int64
	fresh   []Aborted // opened since took was called
}

func newAborts(list []Aborted) *aborts {
	a := &aborts{open: map[int64]int64{}}
	a.add(list)
	return a
}

// add takes entries in that are not known yet.
func (a *aborts) add(list []Aborted) {
	for _, entry := range list {
		if first, ok := a.open[entry.Producer]; ok && first == entry.First || slices.Contains(a.pending, entry) {
			continue
		}
		a.pending = append(a.pending, entry)
	}
	slices.SortStableFunc(a.pending, func(x, y Aborted) int {
		return int(max(-1, min(1, x.First-y.First)))
	})
}

// skip says that a unit's records do not count. It must see every unit, in order.
func (a *aborts) skip(u unit) bool {
	for len(a.pending) > 0 && a.pending[0].First <= u.LastOffset() {
		a.open[a.pending[0].Producer] = a.pending[0].First
		a.fresh = append(a.fresh, a.pending[0])
		a.pending = a.pending[1:]
	}
	if u.Batch == nil {
		return false
	}
	if u.Batch.Control() {
		delete(a.open, u.Batch.ProducerID())
		return true
	}
	_, aborted := a.open[u.Batch.ProducerID()]
	return aborted && u.Batch.Transactional()
}

// took lists the entries that were opened since it was called last.
func (a *aborts) took() []Aborted {
	list := a.fresh
	a.fresh = nil
	return list
}

// opened lists the entries that are open now.
func (a *aborts) opened() (list []Aborted) {
	for producer, first := range a.open {
		list = append(list, Aborted{producer, first})
	}
	sortAborted(list)
	return list
}

func sortAborted(list []Aborted) {
	slices.SortFunc(list, func(x, y Aborted) int {
		if x.First != y.First {
			return int(max(-1, min(1, x.First-y.First)))
		}
		return int(max(-1, min(1, x.Producer-y.Producer)))
	})
}

// maxDecoded bounds the memory that the records of one batch take, in bytes.
const maxDecoded = 64 << 20

// content is what the records of a segment come to.
type content struct {
	records          int64
	digest           string // "" where a record cannot be decoded
	minTime, maxTime int64  // -1: none
	unreadable       error  // why digest is ""
}

// inspect walks through a segment's log and checks its structure: whole units, offsets
// that go up, nothing outside of [first, next). The error is what is wrong, and the
// offset up to which all was right. now is the manifest's Time.
func inspect(log iter.Seq2[unit, error], s Segment, now int64, decoder *batch.Decoder) (c content, at int64, err error) {
	c.minTime, c.maxTime = -1, -1
	var digest batch.Digest
	skips := newAborts(s.Aborted)
	at = s.First
	for u, err := range log {
		if err != nil {
			return c, at, err
		}
		switch {
		case u.LastOffset() < at || u.first < at && at > s.First:
			return c, at, fmt.Errorf(
				"a batch of the offsets %d to %d comes where %d or more should",
				u.first,
				u.LastOffset(),
				at,
			)
		case u.LastOffset() >= s.Next:
			return c, at, fmt.Errorf(
				"a batch reaches offset %d, and the segment ends before %d",
				u.LastOffset(),
				s.Next,
			)
		}
		if !skips.skip(u) {
			c.add(u, s.First, now, &digest, decoder)
		}
		at = u.LastOffset() + 1
	}
	if at != s.Next {
		return c, at, fmt.Errorf("it ends at offset %d, and should before %d", at, s.Next)
	}
	if c.unreadable == nil {
		sum := digest.Sum()
		c.digest = hex.EncodeToString(sum[:])
	}
	return c, at, nil
}

func (c *content) add(u unit, first, now int64, digest *batch.Digest, decoder *batch.Decoder) {
	for r, err := range u.Records(decoder) {
		if err != nil {
			if c.unreadable == nil {
				c.unreadable = fmt.Errorf("the batch up to offset %d cannot be decoded: %w", u.LastOffset(), err)
			}
			if u.Batch != nil { // its header says enough for the search of a moment
				c.time(u.Batch.MaxTimestamp(), now)
			}
			return
		}
		if r.Offset < first {
			continue
		}
		c.records++
		c.time(r.Timestamp, now)
		digest.Add(r)
	}
}

func (c *content) time(t, now int64) {
	if t < 0 {
		return
	}
	if c.minTime < 0 || t < c.minTime {
		c.minTime = t
	}
	if t <= now {
		c.maxTime = max(c.maxTime, t)
	}
}
