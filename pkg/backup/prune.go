package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PruneConfig says which backups are kept. Chain and one of Age and Count are needed.
type PruneConfig struct {
	Chain *Chain
	// A backup is kept where it is one of the newest Count, or younger than Age. The
	// newest is always kept. Only a complete manifest that a run has written is a backup.
	Count int64
	Age   time.Duration
	// Execute removes; without it nothing changes, and the answer says what would.
	Execute bool
	// Leftover is how old an object has to be to be removed that no manifest names, and
	// that a run might still be about to (a day by default, which is the least).
	Leftover time.Duration
	Now      func() time.Time // the clock; nil for that of the machine
}

// Pruned is what was removed, or would be.
type Pruned struct {
	Oldest    int64 `json:"oldest"` // the first backup that is kept
	Newest    int64 `json:"newest"` // the last one
	Manifests int64 `json:"manifests"`
	Segments  int   `json:"segments"`
	Bytes     int64 `json:"bytes"`    // of their objects
	Carried   int   `json:"carried"`  // segments of removed manifests that kept ones need
	Executed  bool  `json:"executed"` // false: nothing was changed
}

// Prune removes old backups, and what runs that were killed have left behind. What the
// cluster had at each backup that is kept can be restored from it as before: a segment goes
// only once all of it is before where its partition began in the oldest backup that is kept.
//
// It writes a manifest of its own first, so that a run which is under way is [ErrTaken] and
// not left with what is removed; a kill in the middle is made up for by the next prune.
func Prune(ctx context.Context, config PruneConfig) (Pruned, error) {
	switch {
	case config.Chain == nil:
		return Pruned{}, errors.New("nothing to prune")
	case config.Count <= 0 && config.Age <= 0:
		return Pruned{}, errors.New("say how many backups are kept, or for how long")
	}
	config.Leftover = max(config.Leftover, leftoverAge)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Execute {
		if err := unversioned(ctx, config.Chain.store, discard); err != nil {
			return Pruned{}, err
		}
	}
	p := &prune{PruneConfig: config}
	err := p.prune(ctx)
	return p.done, err
}

// leftoverAge is the least age at which what nobody names is removed. A run takes over only
// what is half as old.
const leftoverAge = 24 * time.Hour

type prune struct {
	PruneConfig
	done    Pruned
	newest  linked
	keep    map[string]bool // keys of segments that the chain names after it
	dropped map[place]bool  // lineages that the chain names no longer
	carried *Base
}

func (p *prune) prune(ctx context.Context) (err error) {
	if p.newest, err = p.Chain.newest(ctx); err != nil {
		return err
	}
	if err := p.choose(ctx); err != nil {
		return err
	}
	if err := p.sort(ctx); err != nil {
		return err
	}
	left, aged, err := p.leftovers(ctx)
	if err != nil {
		return err
	}
	p.done.Newest = p.newest.Manifest.Sequence
	// What is removed for its age alone a run under way may be about to name, too.
	if p.Execute && (p.done.Oldest > p.newest.Oldest || aged) {
		if err := p.move(ctx); err != nil {
			return err
		}
	}
	p.done.Executed = p.Execute
	return p.remove(ctx, left)
}

// choose finds the first manifest that is kept. It is that of the chain where no backup
// would go: those of prunes and of the middle of a run are none.
func (p *prune) choose(ctx context.Context) error {
	p.done.Oldest = p.newest.Oldest
	var backups []int64
	for _, m := range p.Chain.walk(ctx, p.newest.Oldest, p.newest.Manifest.Sequence) {
		if m.err != nil {
			return refused(m.err)
		}
		if m.value.Complete && !m.value.Prune {
			backups = append(backups, m.value.Manifest.Sequence)
		}
	}
	if len(backups) == 0 {
		return nil
	}
	first := backups[max(len(backups)-max(int(min(p.Count, int64(len(backups)))), 1), 0)]
	if p.Age > 0 {
		young, err := p.Chain.after(ctx, p.newest.Manifest, p.Now().Add(-p.Age))
		if err != nil {
			return err
		}
		first = min(first, young)
	}
	if backups[0] < first {
		p.done.Oldest = first
	}
	return nil
}

func refused(err error) error { return fmt.Errorf("%w: verify the backup before it is pruned", err) }

// sort divides the segments into those that are kept, and those that are not.
func (p *prune) sort(ctx context.Context) error {
	p.keep, p.dropped = map[string]bool{}, map[place]bool{}
	all := func(place) bool { return true }
	oldest, err := p.Chain.Manifest(ctx, p.done.Oldest)
	if err != nil {
		return err
	}
	before, err := p.Chain.segments(ctx, p.newest.Manifest, p.done.Oldest-1, all, refused)
	if err != nil {
		return err
	}
	p.carried = &Base{
		Kind:     kindBase,
		Version:  formatVersion,
		Cluster:  p.Chain.cluster,
		Sequence: p.done.Oldest,
		Parts:    []Part{},
	}
	for at, segments := range before {
		start, needed := logStart(oldest, at)
		if !needed {
			p.dropped[at] = true
			continue
		}
		segments = slices.DeleteFunc(slices.Clone(segments), func(s Segment) bool { return s.Next <= start })
		if len(segments) > 0 {
			p.carried.Parts = append(
				p.carried.Parts,
				Part{Topic: at.topic, Lineage: at.lineage, Partition: at.number, Segments: segments},
			)
		}
		p.note(at, segments)
		p.done.Carried += len(segments)
	}
	slices.SortFunc(p.carried.Parts, func(a, b Part) int {
		return cmp.Or(
			compareText(a.Topic, b.Topic),
			compareText(a.Lineage, b.Lineage),
			cmp.Compare(a.Partition, b.Partition),
		)
	})
	for _, m := range p.Chain.walk(ctx, p.done.Oldest, p.newest.Manifest.Sequence) {
		if m.err != nil {
			return refused(m.err)
		}
		for _, t := range m.value.Topics {
			for _, part := range t.Partitions {
				p.note(place{t.Name, t.Lineage, part.Number}, part.Segments)
			}
		}
	}
	return nil
}

// logStart is where a partition began at a manifest; false where it was not there.
func logStart(m *Manifest, at place) (int64, bool) {
	t := m.topic(at.topic)
	if t == nil || t.Lineage != at.lineage {
		return 0, false
	}
	part := t.partition(at.number)
	if part == nil {
		return 0, false
	}
	return part.LogStart, true
}

func (p *prune) note(at place, segments []Segment) {
	for _, s := range segments {
		p.keep[p.Chain.layout.segment(at, s)] = true
	}
}

// move writes the base, where the chain gets shorter, and the manifest from which on it is,
// and on which a run that is under way fails.
func (p *prune) move(ctx context.Context) error {
	m := *p.newest.Manifest
	if p.done.Oldest > p.newest.Oldest {
		link, err := p.base(ctx)
		if err != nil {
			return err
		}
		m.Oldest, m.Base = p.done.Oldest, &link
	}
	m.Prune = true
	m.Topics = make([]Topic, len(p.newest.Topics))
	for i := range m.Topics {
		m.Topics[i] = p.newest.Topics[i].state()
	}
	written, err := p.Chain.append(ctx, p.newest, &m)
	if err != nil {
		return err
	}
	p.newest, p.done.Newest = written, written.Manifest.Sequence
	return nil
}

// base writes what removed manifests had and later ones need.
func (p *prune) base(ctx context.Context) (Link, error) {
	data, digest, err := seal(p.carried)
	if err != nil {
		return Link{}, err
	}
	if len(data) > maxManifest {
		return Link{}, fmt.Errorf(
			"the base of manifest %d has %d bytes, and %d are the most: keep fewer backups at a time",
			p.done.Oldest,
			len(data),
			maxManifest,
		)
	}
	link := Link{p.done.Oldest, digest}
	if err := p.Chain.store.Create(ctx, p.Chain.layout.base(link.Sequence, digest), data, nil); err != nil &&
		!errors.Is(err, ErrExists) {
		return Link{}, fmt.Errorf("write the base of manifest %d: %w", p.done.Oldest, err)
	}
	return link, nil
}

// leftovers lists the segments that no manifest names, and no run can come to; aged says
// that some of them are told by their age alone.
func (p *prune) leftovers(ctx context.Context) (keys []string, aged bool, err error) {
	for object, err := range p.Chain.store.List(ctx, p.Chain.layout.topics(), "") {
		if err != nil {
			return nil, false, err
		}
		left, byAge := p.leftover(object)
		if p.keep[object.Key] || !left {
			continue
		}
		keys, aged = append(keys, object.Key), aged || byAge
		p.done.Segments++
		p.done.Bytes += object.Size
	}
	return keys, aged, nil
}

// remove removes what the chain does not name.
func (p *prune) remove(ctx context.Context, segments []string) error {
	var keys []string
	for object, err := range p.Chain.store.List(ctx, p.Chain.layout.manifests(), "") {
		if err != nil {
			return err
		}
		if sequence, ok := p.Chain.layout.sequence(object.Key); ok && sequence < p.done.Oldest {
			keys = append(keys, object.Key)
			p.done.Manifests++
		}
	}
	slices.Reverse(keys) // the oldest first: what is left has no hole
	if base := p.newest.Base; p.Execute && base != nil {
		mine := p.Chain.layout.base(base.Sequence, base.SHA256)
		for object, err := range p.Chain.store.List(ctx, p.Chain.layout.bases(), "") {
			if err != nil {
				return err
			}
			if object.Key != mine && p.old(object) || baseBefore(object.Key, base.Sequence) {
				keys = append(keys, object.Key)
			}
		}
	}
	if !p.Execute {
		return nil
	}
	keys = append(keys, segments...)
	for batch := range slices.Chunk(keys, 1000) {
		if err := p.Chain.store.Delete(ctx, batch...); err != nil {
			return fmt.Errorf("remove what is pruned (it is not named any more; prune again): %w", err)
		}
	}
	return nil
}

func baseBefore(key string, sequence int64) bool {
	digits, _, _ := strings.Cut(path.Base(key), ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	return err == nil && n < sequence
}

func (p *prune) old(o Object) bool { return p.Now().Sub(o.Modified) > p.Leftover }

// leftover says that no run can come to name a segment that no manifest names: its place
// in the log is behind us, its lineage has ended, or it is old: byAge.
func (p *prune) leftover(o Object) (left, byAge bool) {
	at, first, ok := p.Chain.layout.parse(o.Key)
	if !ok {
		return false, false // not ours
	}
	if p.dropped[at] {
		return true, false
	}
	t := p.newest.topic(at.topic)
	if t == nil || t.Lineage != at.lineage {
		return p.old(o), true
	}
	part := t.partition(at.number)
	return part != nil && first < part.Next, false
}

// parse reads a segment's place and first offset from its key.
func (l layout) parse(key string) (at place, first int64, ok bool) {
	name, ok := strings.CutPrefix(key, l.topics())
	parts := strings.Split(name, "/")
	if !ok || len(parts) != 4 || !strings.Contains(parts[3], ".log") {
		return place{}, 0, false
	}
	number, err := strconv.ParseInt(parts[2], 10, 32)
	digits, _, _ := strings.Cut(parts[3], ".")
	first, firstErr := strconv.ParseInt(digits, 10, 64)
	return place{parts[0], parts[1], int32(number)}, first, err == nil && firstErr == nil
}
