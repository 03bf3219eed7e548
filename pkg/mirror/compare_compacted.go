package mirror

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// keysAtOnce bounds how many keys of a compacted partition are in memory: 50
// bytes each, on both sides. One with more is read in several passes.
const keysAtOnce = 500_000

// eitherCompacts says whether one of the topics is compacted. Where settings may
// not be read it counts as if it were not: then the comparison is stricter.
func eitherCompacts(ctx context.Context, source, target *kafka.Client, sourceTopic, targetTopic string) (bool, error) {
	for _, side := range []struct {
		client *kafka.Client
		topic  string
	}{{source, sourceTopic}, {target, targetTopic}} {
		settings, _, err := side.client.TopicSettings(ctx, side.topic)
		if err != nil && !errors.Is(err, kafka.ErrAuthorization) && !errors.Is(err, kafka.ErrUnsupported) {
			return false, err
		}
		if strings.Contains(settings[settingCleanup], "compact") {
			return true, nil
		}
	}
	return false, nil
}

// latest is the last record of a key: its content, and where it is.
type latest struct {
	hash   recordHash
	offset int64
	gone   bool // a tombstone: the cleaner of either side may have removed it
}

// compareCompacted compares the last record of each key. Older ones, and
// tombstones, are there until the cleaner of a side has come along, and it
// comes along at different times. So has a record whose key was written again
// behind the end of its side.
func compareCompacted(ctx context.Context, source, target Side, _ []byte, seen func(offsets, bytes int64)) (Comparison, []byte, error) {
	c := &keyComparer{source: source, target: target, seen: seen}
	passes := int(max(source.End-source.First, target.End-target.First)/keysAtOnce) + 1
	for pass := range passes {
		if err := c.compare(ctx, uint64(pass), uint64(passes)); err != nil {
			return Comparison{Source: c.digested(source), Target: c.digested(target)}, nil, err
		}
	}
	comparison := Comparison{Equal: c.different == nil, Source: c.digested(source), Target: c.digested(target)}
	var err error
	if c.different != nil {
		comparison.Difference, err = c.describe(ctx)
	}
	return comparison, nil, err
}

type keyComparer struct {
	source, target Side
	seen           func(offsets, bytes int64)

	equal     int64      // keys
	sum       recordHash // of their last records
	different *keyDifference
}

// keyDifference is where the last record of a key is; nil: nowhere.
type keyDifference struct{ source, target *int64 }

// before says that a difference comes first: by its place in the source.
func (d keyDifference) before(other *keyDifference) bool {
	place := func(d keyDifference) int64 {
		if d.source != nil {
			return *d.source
		}
		return *d.target
	}
	return other == nil || place(d) < place(*other)
}

func (c *keyComparer) digested(side Side) Digested {
	return Digested{First: side.First, End: side.End, Records: c.equal, Digest: hex.EncodeToString(binary.BigEndian.AppendUint64(nil, c.sum[3]))}
}

// compare looks at the keys of one pass.
func (c *keyComparer) compare(ctx context.Context, pass, passes uint64) error {
	mine := func(key recordHash) bool { return key[1]%passes == pass }
	left, err := lastOfKeys(ctx, c.source, c.seen, mine)
	if err != nil {
		return err
	}
	right, err := lastOfKeys(ctx, c.target, c.seen, mine)
	if err != nil {
		return err
	}
	suspects := map[recordHash]keyDifference{}
	for key, l := range left {
		r, there := right[key]
		switch {
		case there && l.hash == r.hash:
			c.equal++
			c.sum = c.sum.plus(l.hash)
		case there:
			suspects[key] = keyDifference{&l.offset, &r.offset}
		case !l.gone:
			suspects[key] = keyDifference{source: &l.offset}
		}
	}
	for key, r := range right {
		if _, there := left[key]; !there && !r.gone {
			suspects[key] = keyDifference{target: &r.offset}
		}
	}
	return c.judge(ctx, suspects)
}

// judge drops the differences of keys that were written again behind the end of
// a side that lacks them, and keeps the first of the others.
func (c *keyComparer) judge(ctx context.Context, suspects map[recordHash]keyDifference) error {
	lacking := func(source bool) bool {
		for _, d := range suspects {
			if source && d.source == nil || !source && d.target == nil {
				return true
			}
		}
		return false
	}
	for _, side := range []struct {
		Side
		source bool
	}{{c.source, true}, {c.target, false}} {
		if !lacking(side.source) {
			continue
		}
		later, err := behind(ctx, side.Side)
		if err != nil {
			return err
		}
		again, err := lastOfKeys(ctx, later, nil, func(key recordHash) bool { _, is := suspects[key]; return is })
		if err != nil {
			return err
		}
		for key := range again {
			if d := suspects[key]; side.source && d.source == nil || !side.source && d.target == nil {
				delete(suspects, key)
			}
		}
	}
	for _, d := range suspects {
		if d.before(c.different) {
			c.different = &d
		}
	}
	return nil
}

// behind is what a partition has behind a side's end.
func behind(ctx context.Context, side Side) (Side, error) {
	ends, err := side.Client.StableOffsets(ctx, side.Topic, side.Partition)
	if err != nil {
		return side, err
	}
	side.First, side.End = side.End, max(side.End, ends[side.Partition])
	return side, nil
}

// lastOfKeys reads a side and keeps the last record of each key that is wanted.
func lastOfKeys(ctx context.Context, side Side, seen func(offsets, bytes int64), wanted func(recordHash) bool) (map[recordHash]latest, error) {
	s := newScan(ctx, side, seen)
	defer s.close()
	last := map[recordHash]latest{}
	for {
		r, err := s.next(ctx)
		if err != nil || r == nil {
			return last, err
		}
		if key := hashOf(batch.Record{Key: r.Key}); wanted(key) {
			last[key] = latest{hash: hashOf(*r), offset: r.Offset, gone: r.Value == nil}
		}
	}
}

// describe fetches the records of the first difference.
func (c *keyComparer) describe(ctx context.Context) (*Difference, error) {
	d := &Difference{Index: -1, Field: FieldMissing, SourcePartition: c.source.Partition, TargetPartition: c.target.Partition}
	var err error
	if at := c.different.source; at != nil {
		if d.Source, err = recordAt(ctx, []Side{c.source}, place{c.source.Partition, *at}); err != nil {
			return nil, err
		}
	}
	if at := c.different.target; at != nil {
		if d.Target, err = recordAt(ctx, []Side{c.target}, place{c.target.Partition, *at}); err != nil {
			return nil, err
		}
	}
	switch {
	case d.Source == nil:
		d.Field = FieldExtra
	case d.Target != nil:
		d.Field = differentField(d.Source, d.Target)
	}
	return d, nil
}
