package backup

import (
	"maps"
	"slices"
	"time"
)

// Kinds of documents, and the version of the format.
const (
	kindManifest = "manifest"
	kindBase     = "base"
	kindNewest   = "newest"

	formatVersion = 1
)

// Link names another document of the same backup, and its content.
type Link struct {
	Sequence int64  `json:"sequence"`
	SHA256   string `json:"sha256"` // of the document's bytes, as its envelope has it
}

// Manifest is what one run has added to a backup, and the state that the next one
// goes on from.
type Manifest struct {
	Kind     string `json:"kind"`
	Version  int    `json:"version"`
	Cluster  string `json:"cluster"` // id of the Kafka cluster
	Sequence int64  `json:"sequence"`
	Previous *Link  `json:"previous,omitempty"` // nil: it is the first of all
	Oldest   int64  `json:"oldest"`             // of the manifests that are kept
	Base     *Link  `json:"base,omitempty"`     // what those before Oldest had and is still needed

	// Since and Time are the clock range in milliseconds since 1970: everything in this
	// manifest and those before it was in the cluster at Time. Since is the Time of the
	// one before, 0 for the first.
	Since int64 `json:"since"`
	Time  int64 `json:"time"`
	// Observed is when the run began to look at the cluster: what was committed then, and
	// not behind an open transaction, is in the backup where it is Complete.
	Observed int64 `json:"observed"`
	// Complete says that every partition has been backed up to the end that the run saw.
	Complete bool `json:"complete"`
	// Prune says that a prune has written it: it has the state of the one before, and is no
	// backup of its own.
	Prune bool `json:"prune,omitempty"`

	Topics []Topic `json:"topics"` // that the cluster had, in order of name
	Groups []Group `json:"groups,omitempty"`
}

// Topic is the state of a topic at a manifest's time.
type Topic struct {
	Name    string `json:"name"`
	ID      string `json:"id,omitempty"` // in hexadecimal; "" before 2.8
	Lineage string `json:"lineage"`      // another one for each time it was created again, or lost its end
	// Settings are the topic's own; InForce are those that a restore has to know.
	Settings map[string]string `json:"settings,omitempty"`
	InForce  map[string]string `json:"in_force,omitempty"`

	Partitions []Partition `json:"partitions"` // in order of number
}

// Partition is the state of a partition, and what a run has added.
type Partition struct {
	Number   int32 `json:"partition"`
	Next     int64 `json:"next"`      // every offset before it is in the backup, or in a gap
	LogStart int64 `json:"log_start"` // the first offset that the cluster had
	End      int64 `json:"end"`       // the last stable offset that it had when the run looked
	// High is the high watermark behind End: what is between waits for transactions. It is
	// -1 where this run has not looked at the partition.
	High  int64 `json:"high"`
	Epoch int32 `json:"epoch"` // leader epoch of the last batch; -1: not known

	Segments []Segment `json:"segments,omitempty"` // new in this manifest, in order
	Gaps     []Gap     `json:"gaps,omitempty"`     // found by this run
	// Compacted is Next where compaction has left nothing between the last segment and it;
	// else 0.
	Compacted int64 `json:"compacted,omitempty"`
}

// Gap is a range of offsets that the cluster had no longer when they were to be
// backed up.
type Gap struct {
	First int64 `json:"first"`
	Next  int64 `json:"next"` // behind the last
}

// Sum is the size and the digest of bytes.
type Sum struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Segment is one object with a part of a partition's log.
type Segment struct {
	First    int64    `json:"first"` // records before it, in its first batch, do not count
	Next     int64    `json:"next"`
	Encoding Encoding `json:"encoding,omitempty"`
	// Copy tells the object from older ones of the same log, which a prune may be about to
	// remove.
	Copy   int `json:"copy,omitempty"`
	Log    Sum `json:"log"`    // of the log as the broker had it
	Object Sum `json:"object"` // of the object's bytes

	// Records and Content are the number and the digest (see [batch.Digest]) of the
	// records that a reader of committed records sees. Content is "" where a record
	// cannot be decoded.
	Records int64  `json:"records"`
	Content string `json:"content,omitempty"`
	// MinTime and MaxTime are timestamps of these records, in milliseconds since 1970;
	// -1 for none. MaxTime is the largest that is not later than the manifest's Time.
	MinTime int64 `json:"min_time"`
	MaxTime int64 `json:"max_time"`

	Aborted []Aborted `json:"aborted,omitempty"`
}

// Aborted is a transaction whose records do not count: those of the producer from the
// offset on, up to its next control batch.
type Aborted struct {
	Producer int64 `json:"producer"`
	First    int64 `json:"first"`
}

// Group is a consumer group's positions.
type Group struct {
	ID        string     `json:"id"`
	Positions []Position `json:"positions"` // in order of topic and partition
}

// Position is the next offset that a group reads.
type Position struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Metadata  string `json:"metadata,omitempty"`
}

// Base has the segments of manifests that were pruned, as far as later ones need them.
type Base struct {
	Kind     string `json:"kind"`
	Version  int    `json:"version"`
	Cluster  string `json:"cluster"`
	Sequence int64  `json:"sequence"` // the first manifest that was kept
	// Parts are in order of topic, lineage and partition.
	Parts []Part `json:"parts"`
}

// Part is the segments of a partition in a [Base].
type Part struct {
	Topic     string    `json:"topic"`
	Lineage   string    `json:"lineage"`
	Partition int32     `json:"partition"`
	Segments  []Segment `json:"segments"`
}

// newestNote is the object that says which manifest is the newest: without it nobody
// would miss one that is gone from the end of the chain.
type newestNote struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Cluster string `json:"cluster"`
	Newest  Link   `json:"newest"`
	Checked int64  `json:"checked"` // when a run last found that nothing more is to be backed up
}

// At is the manifest's Time.
func (m *Manifest) At() time.Time { return time.UnixMilli(m.Time) }

// group gives a group by id; the zero value where there is none.
func (m *Manifest) group(id string) Group {
	if m != nil {
		for _, g := range m.Groups {
			if g.ID == id {
				return g
			}
		}
	}
	return Group{}
}

// topic gives a topic by name; nil where there is none.
func (m *Manifest) topic(name string) *Topic {
	if m == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(
		m.Topics,
		name,
		func(t Topic, name string) int { return compareText(t.Name, name) },
	)
	if !ok {
		return nil
	}
	return &m.Topics[i]
}

// partition gives a partition by number; nil where there is none.
func (t *Topic) partition(number int32) *Partition {
	if t == nil {
		return nil
	}
	for i := range t.Partitions {
		if t.Partitions[i].Number == number {
			return &t.Partitions[i]
		}
	}
	return nil
}

// carried copies a topic that this run does not look at.
func (t *Topic) carried() *Topic {
	c := t.state()
	for i := range c.Partitions {
		c.Partitions[i] = c.Partitions[i].carried()
	}
	return &c
}

// carried copies a partition that this run does not look at.
func (p *Partition) carried() Partition {
	c := *p
	c.Segments, c.Gaps, c.Compacted, c.High = nil, nil, 0, -1
	return c
}

// state copies a topic without what a run has added.
func (t *Topic) state() Topic {
	c := *t
	c.Settings, c.InForce = maps.Clone(t.Settings), maps.Clone(t.InForce)
	c.Partitions = slices.Clone(t.Partitions)
	for i := range c.Partitions {
		c.Partitions[i].Segments, c.Partitions[i].Gaps, c.Partitions[i].Compacted = nil, nil, 0
	}
	return c
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
