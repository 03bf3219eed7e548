package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// VerifyConfig is what is verified. Chain is needed.
type VerifyConfig struct {
	Chain      *Chain
	Identities []age.Identity // without the right one, encrypted objects are verified by their digest alone
	// StructureOnly reads manifests, and asks for the size of each segment.
	StructureOnly bool
	Parallel      int // segments at a time (4 by default)
	Progress      func(Progress)
}

// Report is what a verification has found.
type Report struct {
	Cluster   string `json:"cluster"`
	Oldest    int64  `json:"oldest"` // manifest
	Newest    int64  `json:"newest"`
	Manifests int    `json:"manifests"`
	Segments  int    `json:"segments"`
	Records   int64  `json:"records"`
	Bytes     int64  `json:"bytes"` // of logs

	Unopened int      `json:"unopened,omitempty"` // segments that are encrypted for other identities: their digest was verified, their content not
	Lost     []Lost   `json:"lost,omitempty"`     // what the cluster had deleted before it could be backed up
	Damage   []Damage `json:"damage"`             // in order of the chain and of offsets: the first bad object is the first
}

// Damage is one object that is not as it was written.
type Damage struct {
	Key       string `json:"key"`
	Sequence  int64  `json:"sequence,omitempty"` // of the manifest that names it
	Topic     string `json:"topic,omitempty"`
	Partition int32  `json:"partition,omitempty"`
	Offset    int64  `json:"offset"` // the first one that cannot be read; -1 where it is no segment
	Reason    string `json:"reason"`
}

// String names the object and what is wrong with it.
func (d Damage) String() string {
	return (&DamageError{Key: d.Key, Topic: d.Topic, Number: d.Partition, Offset: d.Offset, Reason: d.Reason}).Error()
}

// OK says that nothing is damaged.
func (r Report) OK() bool { return len(r.Damage) == 0 }

// verification is one under way.
type verification struct {
	VerifyConfig
	report  Report
	loaders sync.Pool // of *loader

	mu       sync.Mutex
	progress Progress
}

// Verify reads a backup from its oldest manifest on: first that the chain is whole and each
// segment is there, then each segment's bytes, log and records against their digests. It
// goes on behind damage and reports all of it. The error is about what it could not do, as
// where the store does not answer.
func Verify(ctx context.Context, config VerifyConfig) (Report, error) {
	if config.Chain == nil {
		return Report{}, errors.New("nothing to verify")
	}
	setDefault(&config.Parallel, defaultParallel)
	v := &verification{VerifyConfig: config, report: Report{Cluster: config.Chain.cluster, Damage: []Damage{}}}
	err := v.verify(ctx)
	return v.report, err
}

func (v *verification) verify(ctx context.Context) error {
	newest, err := v.ends(ctx)
	if err != nil || newest == nil {
		return err
	}
	if newest.Base != nil {
		base, err := v.Chain.base(ctx, *newest.Base)
		if err := v.damage(err, 0); err != nil {
			return err
		}
		if err == nil {
			for _, p := range base.Parts {
				if err := v.segments(ctx, p.place(), p.Segments, 0, 0); err != nil {
					return err
				}
			}
		}
	}
	states := map[place]int64{} // next offset
	for sequence, m := range v.Chain.walk(ctx, v.report.Oldest, v.report.Newest) {
		if err := v.damage(m.err, sequence); err != nil {
			return err
		}
		if m.value.Manifest == nil {
			states = map[place]int64{}
			continue
		}
		v.report.Manifests++
		if err := v.manifest(ctx, m.value.Manifest, states); err != nil {
			return err
		}
	}
	return nil
}

// ends finds the first and the last manifest, also where some are damaged; nil where no
// manifest can be read.
func (v *verification) ends(ctx context.Context) (newest *Manifest, err error) {
	head, err := v.Chain.head(ctx)
	if err != nil {
		return nil, err
	}
	last, lastErr := v.Chain.load(ctx, head)
	noted, err := v.Chain.noted(ctx)
	switch {
	case errors.Is(err, ErrNotFound):
		if head > 1 { // the first run may have been killed before it
			v.add(Damage{Key: v.Chain.layout.newest(), Offset: -1, Reason: missing})
		}
	case err != nil:
		if err := v.damage(err, 0); err != nil {
			return nil, err
		}
	default:
		if last := noted.Newest.Sequence; last > head {
			reason := missing
			if last > head+1 {
				reason = fmt.Sprintf("%s, and so is every manifest up to %d", missing, last)
			}
			v.add(Damage{Key: v.Chain.layout.manifest(head + 1), Sequence: head + 1, Offset: -1, Reason: reason})
		}
		if noted.Newest.Sequence <= head {
			m, err := last, lastErr
			if noted.Newest.Sequence != head {
				m, err = v.Chain.load(ctx, noted.Newest.Sequence)
			}
			if err == nil && m.Link != noted.Newest {
				v.add(
					Damage{
						Key:    v.Chain.layout.newest(),
						Offset: -1,
						Reason: fmt.Sprintf("it names another manifest %d than the one that is there", m.Link.Sequence),
					},
				)
			}
		}
	}
	v.report.Newest = head
	for sequence := head; sequence > 0; sequence-- {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		m, err := last, lastErr
		if sequence != head {
			m, err = v.Chain.load(ctx, sequence)
		}
		if err == nil {
			v.report.Oldest = m.Oldest
			return m.Manifest, nil
		}
		if !errors.Is(err, ErrDamaged) {
			return nil, err
		}
		if head-sequence >= mostDamaged {
			break
		}
		if v.report.Oldest = sequence; sequence == 1 {
			break
		}
	}
	// Nothing can be read: name what is there.
	for sequence := v.report.Oldest; sequence <= head; sequence++ {
		_, err := v.Chain.load(ctx, sequence)
		if err := v.damage(err, sequence); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// mostDamaged is how many manifests at the end of a chain may be damaged for the ones
// before to be looked at.
const mostDamaged = 1000

// damage notes an error that is about damage; any other is given back.
func (v *verification) damage(err error, sequence int64) error {
	var d *DamageError
	if errors.As(err, &d) {
		v.add(
			Damage{
				Key:       d.Key,
				Sequence:  sequence,
				Topic:     d.Topic,
				Partition: d.Number,
				Offset:    d.Offset,
				Reason:    d.Reason,
			},
		)
		return nil
	}
	return err
}

func (v *verification) add(d Damage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Damage = append(v.report.Damage, d)
}

// manifest verifies what one run has added.
func (v *verification) manifest(ctx context.Context, m *Manifest, states map[place]int64) error {
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			at := place{t.Name, t.Lineage, p.Number}
			next, known := states[at]
			if reason := p.continues(next, known); reason != "" {
				v.add(
					Damage{
						Key:      v.Chain.layout.manifest(m.Sequence),
						Sequence: m.Sequence,
						Offset:   -1,
						Reason:   fmt.Sprintf("%s/%d %s", t.Name, p.Number, reason),
					},
				)
			}
			states[at] = p.Next
			for _, g := range p.Gaps {
				v.report.Lost = append(v.report.Lost, Lost{t.Name, p.Number, g})
			}
			if err := v.segments(ctx, at, p.Segments, m.Sequence, m.Time); err != nil {
				return err
			}
		}
	}
	return nil
}

// continues says how what a run has added does not go on where the one before it ended, or
// has a hole that is no gap; "" where it does.
func (p *Partition) continues(next int64, known bool) string {
	if !known {
		next = p.Next
		if len(p.Segments) > 0 {
			next = p.Segments[0].First
		}
		if len(p.Gaps) > 0 {
			next = min(next, p.Gaps[0].First)
		}
		if p.Compacted > 0 && len(p.Segments)+len(p.Gaps) == 0 {
			return ""
		}
	}
	gaps := p.Gaps
	for _, s := range p.Segments {
		for len(gaps) > 0 && gaps[0].First == next {
			next, gaps = gaps[0].Next, gaps[1:]
		}
		if s.First != next {
			return fmt.Sprintf("goes on at offset %d, and the backup ended at %d", s.First, next)
		}
		next = s.Next
	}
	for len(gaps) > 0 && gaps[0].First == next {
		next, gaps = gaps[0].Next, gaps[1:]
	}
	switch {
	case p.Next < next:
		return fmt.Sprintf("ends at offset %d, and had %d", p.Next, next)
	case p.Next > next && p.Compacted != p.Next:
		return fmt.Sprintf("ends at offset %d, and has nothing from %d on", p.Next, next)
	}
	return ""
}

// segments verifies those of one partition, several at a time. now is the manifest's time;
// 0 where it is not known.
func (v *verification) segments(ctx context.Context, at place, segments []Segment, sequence, now int64) error {
	found := make([]*Damage, len(segments))
	var err error
	if len(segments) == 1 {
		found[0], err = v.segment(ctx, at, segments[0], now)
	} else {
		var group errgroup.Group
		group.SetLimit(v.Parallel)
		for i, s := range segments {
			group.Go(func() (err error) {
				found[i], err = v.segment(ctx, at, s, now)
				return err
			})
		}
		err = group.Wait()
	}
	for _, d := range found {
		if d != nil {
			d.Sequence = sequence
			v.add(*d)
		}
	}
	return err
}

// segment verifies one.
func (v *verification) segment(ctx context.Context, at place, s Segment, now int64) (*Damage, error) {
	key := v.Chain.layout.segment(at, s)
	bad := func(offset int64, reason string) *Damage {
		return &Damage{Key: key, Topic: at.topic, Partition: at.number, Offset: offset, Reason: reason}
	}
	unopened := false
	var damage *Damage
	if v.StructureOnly {
		object, err := v.Chain.store.Stat(ctx, key)
		switch {
		case errors.Is(err, ErrNotFound):
			damage = bad(s.First, missing)
		case err != nil:
			return nil, err
		case object.Size != s.Object.Bytes:
			damage = bad(
				s.First,
				fmt.Sprintf("the object has %d bytes, and should have %d", object.Size, s.Object.Bytes),
			)
		}
	} else {
		l, ok := v.loaders.Get().(*loader)
		if !ok {
			l = &loader{chain: v.Chain, identities: v.Identities}
		}
		defer v.loaders.Put(l)
		log, err := l.load(ctx, at, s)
		var d *DamageError
		switch {
		case errors.As(err, &d):
			damage = bad(l.readable(s), d.Reason)
		case errors.Is(err, ErrKey):
			unopened = true
		case err != nil:
			return nil, err
		default:
			if offset, reason := records(log, s, now); reason != "" {
				damage = bad(offset, reason)
			}
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Segments++
	v.report.Records += s.Records
	v.report.Bytes += s.Log.Bytes
	if unopened {
		v.report.Unopened++
	}
	v.progress.Offsets++
	v.progress.Bytes += s.Log.Bytes
	if v.Progress != nil {
		v.Progress(v.progress)
	}
	return damage, nil
}

// records compares a log with what its segment says of it; "" where it is that.
func records(log []byte, s Segment, now int64) (offset int64, reason string) {
	c, at, err := inspect(units(log), s, cmp.Or(now, s.MaxTime), &batch.Decoder{Limit: maxDecoded})
	switch {
	case err != nil:
		return at, err.Error()
	case s.Content == "" && c.unreadable != nil: // as it was
		return 0, ""
	case c.unreadable != nil:
		return at, c.unreadable.Error()
	case c.records != s.Records || c.digest != s.Content:
		return s.First, fmt.Sprintf(
			"it has %d records of the digest %s, and should have %d of %s",
			c.records,
			c.digest,
			s.Records,
			s.Content,
		)
	}
	return 0, ""
}

// readable gives the first offset of the segment that was loaded last, and is damaged, at
// which its batches cannot be read.
func (l *loader) readable(s Segment) int64 {
	log := l.object
	if s.Encoding != Plain {
		log, _ = s.Encoding.decode(l.object, s.Log.Bytes, l.identities, l.log) // as far as it goes
	}
	at := s.First
	for u, err := range units(log) {
		if err != nil || u.first < at && at > s.First || u.LastOffset() < at || u.LastOffset() >= s.Next {
			break
		}
		at = u.LastOffset() + 1
	}
	if at == s.Next { // what is wrong is outside of what batches have checksums for
		return s.First
	}
	return at
}
