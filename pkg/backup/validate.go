package backup

import (
	"errors"
	"fmt"
)

// A manifest is not trusted: names become keys and topics, numbers become memory.

const (
	maxSegment    = 1 << 30 // bytes of a log or an object
	maxPartitions = 1 << 20 // of a topic
	maxCopies     = 100     // of a segment that killed runs have left
)

func (m *Manifest) validate(cluster string, sequence int64) error {
	if err := head(m.Kind, kindManifest, m.Version, m.Cluster, cluster); err != nil {
		return err
	}
	switch {
	case m.Sequence != sequence:
		return fmt.Errorf("it is manifest %d, and this is the place of %d", m.Sequence, sequence)
	case (m.Previous == nil) != (m.Sequence == 1):
		return errors.New("the first manifest, and no other, has none before it")
	case m.Previous != nil && (m.Previous.Sequence != m.Sequence-1 || !hexDigest.MatchString(m.Previous.SHA256)):
		return errors.New("it does not name the manifest before it")
	case m.Oldest < 1 || m.Oldest > m.Sequence || (m.Base == nil) != (m.Oldest == 1):
		return fmt.Errorf("oldest is %d, and that cannot be", m.Oldest)
	case m.Base != nil && (m.Base.Sequence != m.Oldest || !hexDigest.MatchString(m.Base.SHA256)):
		return errors.New("its base is not that of the oldest manifest")
	case m.Since < 0 || m.Time < m.Since:
		return fmt.Errorf("its clock range is %d to %d", m.Since, m.Time)
	case m.Observed < 0 || m.Observed > m.Time:
		return fmt.Errorf("it was observed at %d, and its time is %d", m.Observed, m.Time)
	}
	for i := range m.Topics {
		if i > 0 && m.Topics[i-1].Name >= m.Topics[i].Name {
			return fmt.Errorf("topic %q is not in order", m.Topics[i].Name)
		}
		if err := m.Topics[i].validate(); err != nil {
			return fmt.Errorf("topic %q: %w", m.Topics[i].Name, err)
		}
	}
	for _, g := range m.Groups {
		for _, p := range g.Positions {
			if p.Offset < 0 || p.Partition < 0 || !validTopic(p.Topic) {
				return fmt.Errorf(
					"group %q has a position that cannot be: %s/%d at %d",
					g.ID,
					p.Topic,
					p.Partition,
					p.Offset,
				)
			}
		}
	}
	return nil
}

func head(kind, want string, version int, cluster, wantCluster string) error {
	switch {
	case version != formatVersion:
		return fmt.Errorf("it is of version %d, and this program reads version %d", version, formatVersion)
	case kind != want:
		return fmt.Errorf("it is a %q, and this is the place of a %s", kind, want)
	case cluster != wantCluster:
		return fmt.Errorf("it is of the cluster %q, not of %q", cluster, wantCluster)
	}
	return nil
}

func (t *Topic) validate() error {
	if !validTopic(t.Name) || !lineageName.MatchString(t.Lineage) {
		return fmt.Errorf("name or lineage %q cannot be", t.Lineage)
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if p.Number < 0 || p.Number >= maxPartitions || i > 0 && t.Partitions[i-1].Number >= p.Number {
			return fmt.Errorf("partition %d is not in order", p.Number)
		}
		if p.Next < 0 || p.LogStart < 0 || p.End < 0 || p.High < -1 {
			return fmt.Errorf("partition %d has offsets below 0", p.Number)
		}
		if err := validSegments(p.Segments); err != nil {
			return fmt.Errorf("partition %d: %w", p.Number, err)
		}
		if n := len(p.Segments); n > 0 && p.Segments[n-1].Next > p.Next {
			return fmt.Errorf(
				"partition %d: a segment ends at %d, the partition at %d",
				p.Number,
				p.Segments[n-1].Next,
				p.Next,
			)
		}
		for _, g := range p.Gaps {
			if g.First < 0 || g.Next <= g.First {
				return fmt.Errorf("partition %d: a gap from %d to %d", p.Number, g.First, g.Next)
			}
		}
	}
	return nil
}

func validSegments(segments []Segment) error {
	for i := range segments {
		s := &segments[i]
		switch {
		case s.First < 0 || s.Next <= s.First || i > 0 && segments[i-1].Next > s.First:
			return fmt.Errorf("the segment of offsets %d to %d is not in order", s.First, s.Next)
		case !s.Encoding.valid():
			return fmt.Errorf("the segment from %d has the unknown encoding %q", s.First, s.Encoding)
		case !s.Log.valid() || !s.Object.valid():
			return fmt.Errorf("the segment from %d has no size or no digest", s.First)
		case s.Copy < 0 || s.Copy >= maxCopies:
			return fmt.Errorf("the segment from %d is copy %d, and that cannot be", s.First, s.Copy)
		case s.Content != "" && !hexDigest.MatchString(s.Content) || s.Records < 0:
			return fmt.Errorf("the segment from %d has a digest of its records that is none", s.First)
		}
	}
	return nil
}

func (s Sum) valid() bool {
	return s.Bytes > 0 && s.Bytes <= maxSegment && hexDigest.MatchString(s.SHA256)
}

func (b *Base) validate(cluster string, sequence int64) error {
	if err := head(b.Kind, kindBase, b.Version, b.Cluster, cluster); err != nil {
		return err
	}
	if b.Sequence != sequence {
		return fmt.Errorf("it is the base of manifest %d, not of %d", b.Sequence, sequence)
	}
	for i, p := range b.Parts {
		if !validTopic(p.Topic) || !lineageName.MatchString(p.Lineage) || p.Partition < 0 ||
			p.Partition >= maxPartitions {
			return fmt.Errorf("the part %q/%d cannot be", p.Topic, p.Partition)
		}
		if i > 0 && !b.Parts[i-1].place().before(p.place()) {
			return fmt.Errorf("the part %s/%d is not in order", p.Topic, p.Partition)
		}
		if err := validSegments(p.Segments); err != nil {
			return fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, err)
		}
	}
	return nil
}

func (p Part) place() place { return place{p.Topic, p.Lineage, p.Partition} }

func (p place) before(other place) bool {
	if c := compareText(p.topic, other.topic); c != 0 {
		return c < 0
	}
	if c := compareText(p.lineage, other.lineage); c != 0 {
		return c < 0
	}
	return p.number < other.number
}
