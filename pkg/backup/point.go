package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Point says up to where a backup is read. The zero value is all that it has.
//
// A moment means, for each partition: the records before the first one whose timestamp is
// later. That is what Kafka itself means by the offset of a time. Two things are known
// better: what a run had backed up by that moment was there, whatever its timestamp; and a
// timestamp that is later than the run which read it is no time (a record of 2100), and
// ends nothing.
type Point struct {
	// Time is a moment, in milliseconds; zero for none.
	Time time.Time
	// Sequence is a manifest, at most one of both: all that was in the cluster at its time.
	Sequence int64
	// Offsets are ends of partitions by topic: records from there on are left out. One of a
	// partition that is not in what is restored is an error.
	Offsets map[string]map[int32]int64

	newest int64 // later manifests do not count; 0: all do
}

// cut is where a partition ends.
type cut struct {
	state Partition // as of the manifest that it ends in
	end   int64
}

// snapshot is a backup up to a point.
type snapshot struct {
	newest *Manifest
	at     *Manifest // the manifest that groups are taken from
	last   int64     // the manifest with the last segments
	topics []Topic   // without partitions
	cuts   map[place]cut
}

// snapshot finds out what there is at a point, of topics that are wanted. It reads a few
// manifests, and of a moment one segment a partition.
func (c *Chain) snapshot(
	ctx context.Context,
	point Point,
	wanted func(topic string) bool,
	identities []age.Identity,
) (*snapshot, error) {
	newest, err := c.Newest(ctx)
	if err != nil {
		return nil, err
	}
	s := &snapshot{newest: newest, at: newest, last: newest.Sequence, cuts: map[place]cut{}}
	if point.newest > 0 && point.Sequence == 0 && point.Time.IsZero() {
		point.Sequence = point.newest
	}
	switch {
	case point.Sequence != 0 && !point.Time.IsZero():
		return nil, errors.New("a point is a manifest or a moment, not both")
	case point.Sequence != 0:
		if point.Sequence < newest.Oldest || point.Sequence > newest.Sequence {
			return nil, fmt.Errorf(
				"%w of number %d: there are %d to %d",
				ErrNoBackup,
				point.Sequence,
				newest.Oldest,
				newest.Sequence,
			)
		}
		if s.at, err = c.Manifest(ctx, point.Sequence); err != nil {
			return nil, err
		}
		s.last = point.Sequence
		s.take(s.at, wanted)
	case !point.Time.IsZero():
		if err := s.moment(ctx, c, point, wanted, identities); err != nil {
			return nil, err
		}
	default:
		s.take(newest, wanted)
	}
	if err := s.matches(point.Offsets); err != nil {
		return nil, err
	}
	for at, found := range s.cuts {
		if end, ok := point.Offsets[at.topic][at.number]; ok && end < found.end {
			found.end = max(end, 0)
			s.cuts[at] = found
		}
	}
	return s, nil
}

// matches names each end of a partition that is not there: what is meant would be restored
// whole.
func (s *snapshot) matches(offsets map[string]map[int32]int64) error {
	known := make(map[string]map[int32]bool, len(s.topics))
	for _, t := range s.topics {
		known[t.Name] = map[int32]bool{}
	}
	for at := range s.cuts {
		known[at.topic][at.number] = true
	}
	var faults []error
	for _, topic := range slices.Sorted(maps.Keys(offsets)) {
		if known[topic] == nil {
			faults = append(faults, fmt.Errorf("an offset of topic %s: it is not in what is restored", topic))
			continue
		}
		for _, number := range slices.Sorted(maps.Keys(offsets[topic])) {
			if !known[topic][number] {
				faults = append(faults, fmt.Errorf("an offset of %s/%d: the topic has no such partition", topic, number))
			}
		}
	}
	return errors.Join(faults...)
}

// take adds the topics of a manifest that are not there yet, whole.
func (s *snapshot) take(m *Manifest, wanted func(string) bool) {
	known := map[string]string{}
	for _, t := range s.topics {
		known[t.Name] = t.Lineage
	}
	for _, t := range m.Topics {
		lineage, ok := known[t.Name]
		if !wanted(t.Name) || ok && lineage != t.Lineage {
			continue
		}
		if !ok {
			head := t
			head.Partitions = nil
			s.topics = append(s.topics, head)
		}
		for _, p := range t.Partitions {
			at := place{t.Name, t.Lineage, p.Number}
			if _, ok := s.cuts[at]; !ok {
				s.cuts[at] = cut{state: p, end: p.Next}
			}
		}
	}
}

// moment finds the ends of partitions at a time.
func (s *snapshot) moment(
	ctx context.Context,
	c *Chain,
	point Point,
	wanted func(string) bool,
	identities []age.Identity,
) error {
	at, newest := point.Time, s.newest.Sequence
	if point.newest > 0 {
		newest = min(newest, point.newest)
	}
	later, err := c.after(ctx, s.newest, at)
	if err != nil {
		return err
	}
	if later = min(later, newest+1); later > s.newest.Oldest {
		if s.at, err = c.Manifest(ctx, later-1); err != nil {
			return err
		}
		s.take(s.at, wanted)
	} else if s.newest.Oldest > 1 {
		return fmt.Errorf("%w of %s: what is older than manifest %d was pruned", ErrNoBackup, at.UTC().Format(time.RFC3339Nano), s.newest.Oldest)
	}
	s.last = later - 1
	open := map[place]bool{} // partitions whose end may be further on
	for at := range s.cuts {
		open[at] = true
	}
	seen := false // a run has looked after the moment
	for _, m := range c.walk(ctx, later, newest) {
		if m.err != nil {
			return m.err
		}
		if m.value.Manifest.Sequence == later && later == s.newest.Oldest {
			s.at = m.value.Manifest
		}
		// A topic may be new after the run before had looked, and before the moment.
		if !seen {
			s.join(m.value.Manifest, wanted, open)
		}
		seen = seen || m.value.Observed > at.UnixMilli()
		if err := s.search(ctx, c, m.value.Manifest, at.UnixMilli(), open, identities); err != nil {
			return err
		}
		s.last = m.value.Manifest.Sequence
		if len(open) == 0 && seen {
			return nil
		}
	}
	return nil
}

// join adds the topics and partitions of a later manifest that an earlier one has not;
// they begin with nothing.
func (s *snapshot) join(m *Manifest, wanted func(string) bool, open map[place]bool) {
	before := make(map[place]bool, len(s.cuts))
	for at := range s.cuts {
		before[at] = true
	}
	s.take(m, wanted)
	for at, found := range s.cuts {
		if before[at] {
			continue
		}
		found.end = found.state.Next
		if len(found.state.Segments) > 0 {
			found.end = found.state.Segments[0].First
		}
		s.cuts[at], open[at] = found, true
	}
}

// search looks for the ends of open partitions in the segments of one manifest, several
// partitions at a time.
func (s *snapshot) search(
	ctx context.Context,
	c *Chain,
	m *Manifest,
	at int64,
	open map[place]bool,
	identities []age.Identity,
) error {
	var group errgroup.Group
	group.SetLimit(defaultParallel)
	var mu sync.Mutex
	for i := range m.Topics {
		t := &m.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			where := place{t.Name, t.Lineage, p.Number}
			mu.Lock()
			wanted := open[where]
			mu.Unlock()
			if !wanted {
				continue
			}
			group.Go(func() error {
				end, found, err := c.endIn(ctx, where, p, m.Time, at, identities)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				s.cuts[where] = cut{state: *p, end: end}
				// What comes later was written after the moment, where this run looked after it
				// and has reached the end, with no transaction open.
				if found || m.Observed > at && p.High >= 0 && p.Next >= p.High {
					delete(open, where)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for where := range open { // topics that are gone end where they were
		if t := m.topic(where.topic); t == nil || t.Lineage != where.lineage {
			delete(open, where)
		}
	}
	return nil
}

// endIn gives the offset of the first record of a manifest's segments that is later than a
// moment; the partition's end, and false, where none is.
func (c *Chain) endIn(
	ctx context.Context,
	where place,
	p *Partition,
	now, at int64,
	identities []age.Identity,
) (int64, bool, error) {
	for _, s := range p.Segments {
		if s.MaxTime <= at {
			continue
		}
		l := loader{chain: c, identities: identities}
		log, err := l.load(ctx, where, s)
		if err != nil {
			return 0, false, fmt.Errorf("find the moment: %w", err)
		}
		skips := newAborts(s.Aborted)
		decoder := batch.Decoder{Limit: maxDecoded}
		for u, err := range units(log) {
			if err != nil {
				return 0, false, fmt.Errorf("find the moment in %s/%d: %w", where.topic, where.number, err)
			}
			if skips.skip(u) || u.Batch != nil && u.Batch.MaxTimestamp() <= at {
				continue
			}
			for r, err := range u.Records(&decoder) {
				if err != nil { // it cannot be decoded: the batch as a whole is before or after
					if t := u.Batch.MaxTimestamp(); t > at && t <= now {
						return max(u.first, s.First), true, nil
					}
					break
				}
				if r.Timestamp > at && r.Timestamp <= now && r.Offset >= s.First {
					return r.Offset, true, nil
				}
			}
		}
	}
	return p.Next, false, nil
}
