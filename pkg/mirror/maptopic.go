package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// MapTopic is the topic in the target cluster that holds the offset maps of a
// job: compacted, of one partition.
//
// The newest runs of a map are in the checkpoint, as its metadata, so that a
// transaction commits them with their records at no cost. Once they take
// [mapBlockBytes] the transaction also writes them to this topic, as a block.
func MapTopic(job string) string { return "etl." + job + ".offsets" }

const (
	// mapBlockBytes is how large the runs in a checkpoint may grow. A broker
	// takes 4,096 bytes of metadata by default (offset.metadata.max.bytes).
	mapBlockBytes = 1 << 10

	mapPartition = 0
)

// mapState is what a checkpoint says of the offset map.
type mapState struct {
	Runs   OffsetMap `json:"runs,omitzero"`    // the newest ones
	Since  int64     `json:"since,omitempty"`  // source offset up to which the blocks of the map topic go
	Mapped *int64    `json:"mapped,omitempty"` // source offset from which on records are mapped; nil: none are
}

// mapBlock is a record of the map topic. They are applied in their order.
type mapBlock struct {
	Topic     string    `json:"topic"` // of the source
	Partition int32     `json:"partition"`
	Of        identity  `json:"of"`              // the topics that the offsets are of
	Since     int64     `json:"since,omitempty"` // where the blocks before this one end: another end is a hole
	Runs      OffsetMap `json:"runs,omitzero"`
	Cut       *int64    `json:"cut,omitempty"` // what is mapped from this source offset on goes: the checkpoint was reset to it
}

// record is the block as it is written. Its key is where it begins.
func (b mapBlock) record() (batch.Record, error) {
	var first int64
	if len(b.Runs.runs) > 0 {
		first = b.Runs.runs[0].source
	} else if b.Cut != nil {
		first = *b.Cut
	}
	value, err := json.Marshal(b)
	if err != nil {
		return batch.Record{}, err
	}
	return batch.Record{Key: fmt.Appendf(nil, "%s/%d/%d", b.Topic, b.Partition, first), Value: value}, nil
}

// ensureMapTopic creates the map topic where it is missing.
func ensureMapTopic(ctx context.Context, target *kafka.Client, job string) error {
	_, err := target.Topic(ctx, MapTopic(job))
	if errors.Is(err, kafka.ErrUnknownTopic) {
		err = target.CreateTopic(ctx, kafka.TopicSpec{Name: MapTopic(job), Partitions: 1, Settings: map[string]string{settingCleanup: "compact"}})
		if errors.Is(err, kafka.ErrTopicExists) {
			err = nil // another instance was faster
		}
	}
	if err != nil {
		return fmt.Errorf("topic of the offset maps: %w", err)
	}
	return nil
}

// maps says whether the partition has an offset map. It has none where records
// are placed by key.
func (p *partition) maps() bool { return p.OffsetMap && !p.byKey() }

// mapInto adds what the transaction has written to the map in its checkpoint,
// and moves that into a block where it grows too large.
func (t *transaction) mapInto(ctx context.Context, n *note) error {
	if !t.maps() {
		n.mapState = mapState{}
		return nil
	}
	if n.Mapped == nil { // what was copied before is not mapped
		from := t.next
		n.Mapped = &from
	}
	n.Runs = n.Runs.clone()
	n.Runs.merge(t.runs)
	if n.Runs.size() < mapBlockBytes {
		return nil
	}
	if err := ensureMapTopic(ctx, t.Target, t.Job); err != nil {
		return err
	}
	block := mapBlock{Topic: t.topic, Partition: t.number, Of: n.identity, Since: n.Since, Runs: n.Runs}
	if err := writeBlocks(ctx, t.producer, t.Job, block); err != nil {
		return fmt.Errorf("offset map of %s/%d: %w", t.topic, t.number, err)
	}
	_, n.Since, _ = n.Runs.Source()
	n.Runs = OffsetMap{}
	return nil
}

// cutMap takes what a map says from an offset on away, with the checkpoint that
// is reset to it, and gives what the new one is to say of the map.
func cutMap(ctx context.Context, producer *kafka.Transactional, target *kafka.Client, of subject, known note, next int64) (mapState, error) {
	if known.Mapped == nil {
		return mapState{}, nil
	}
	if err := ensureMapTopic(ctx, target, of.name); err != nil {
		return mapState{}, err
	}
	known.Runs.cut(next)
	block := mapBlock{Topic: of.topic, Partition: of.number, Of: known.identity, Since: known.Since, Runs: known.Runs, Cut: &next}
	return mapState{Mapped: known.Mapped, Since: min(known.Since, next)}, writeBlocks(ctx, producer, of.name, block)
}

// blockRuns is how many runs a block has at most: a compacted source can have
// one for each record.
const blockRuns = 4096

// writeBlocks puts a block into the open transaction, in parts that every topic
// takes.
func writeBlocks(ctx context.Context, producer *kafka.Transactional, job string, block mapBlock) error {
	var batches []batch.Batch
	for rest := block.Runs.runs; ; {
		part := block
		n := min(len(rest), blockRuns)
		part.Runs, rest = OffsetMap{rest[:n]}, rest[n:]
		if len(rest) > 0 {
			part.Cut = nil
		}
		record, err := part.record()
		if err != nil {
			return err
		}
		b, err := batch.Build(batch.Options{}, []batch.Record{record})
		if err != nil {
			return err
		}
		batches = append(batches, b)
		if len(rest) == 0 {
			break
		}
		_, block.Since, _ = part.Runs.Source()
	}
	_, err := producer.Produce(ctx, MapTopic(job), mapPartition, batches)
	return err
}

// OffsetMaps reads the offset maps of a job from its target cluster, and keeps
// them: each call reads what is new. It is not safe for concurrent use.
type OffsetMaps struct {
	target *kafka.Client
	job    string
	next   int64 // in the map topic
	blocks map[topicPartition]*mapped
	only   func(topic string, partition int32) bool // nil: all partitions are kept
}

// mapped is what the blocks of one partition say.
type mapped struct {
	of      identity // the topics that it is about
	all     OffsetMap
	covered int64 // source offset up to which they go
	hole    bool  // blocks are missing: the map topic was deleted, or records of it
}

// NewOffsetMaps reads nothing yet.
func NewOffsetMaps(target *kafka.Client, job string) *OffsetMaps {
	return &OffsetMaps{target: target, job: job, blocks: map[topicPartition]*mapped{}}
}

// Partition gives how the offsets of a source partition translate, as of one
// moment during the call.
func (m *OffsetMaps) Partition(ctx context.Context, topic, targetTopic string, partition int32) (Translation, error) {
	checkpoint, err := committed(ctx, m.target, CheckpointGroup(m.job, topic, partition), targetTopic)
	if err != nil {
		return Translation{Next: -1}, fmt.Errorf("checkpoint of job %s, %s/%d: %w", m.job, topic, partition, err)
	}
	known := decodeNote(checkpoint.Metadata)
	translation := Translation{Next: checkpoint.Offset, Mapped: known.Mapped}
	tp := topicPartition{topic, partition}
	if err := m.read(ctx, tp, known); err != nil {
		return translation, fmt.Errorf("offset map of %s/%d: %w", topic, partition, err)
	}
	if b := m.blocks[tp]; b != nil && !differs(b.of.Source, known.Source) && !differs(b.of.Target, known.Target) {
		if b.hole {
			return translation, fmt.Errorf("offset map of %s/%d: %w", topic, partition, m.missing())
		}
		translation.Map = b.all.clone()
	}
	translation.Map.extend(known.Runs)
	return translation, nil
}

// Translation is how the offsets of one source partition translate.
type Translation struct {
	Map    OffsetMap // of the records from Mapped on, before Next, and maybe of some behind that
	Next   int64     // the checkpoint; -1: nothing was copied yet
	Mapped *int64    // nil: the job keeps no map of the partition
}

// Why a position has no translation.
var (
	ErrNotCopied = errors.New("the copy has not come that far")
	ErrNotMapped = errors.New("no offset map was kept then")
)

// Position translates a position: see [OffsetMap.Position]. It is exact, or
// [ErrNotCopied] or [ErrNotMapped].
func (t Translation) Position(source int64) (int64, error) {
	switch {
	case t.Next < source:
		return 0, fmt.Errorf("%w: it is at offset %d", ErrNotCopied, max(t.Next, 0))
	case t.Mapped == nil:
		return 0, fmt.Errorf("%w: records are placed by key, or the job keeps none", ErrNotMapped)
	case source < *t.Mapped:
		return 0, fmt.Errorf("%w: it begins at offset %d", ErrNotMapped, *t.Mapped)
	}
	target, ok := t.Map.Position(source)
	if !ok {
		return 0, fmt.Errorf("%w: no record of the partition has been copied", ErrNotCopied)
	}
	return target, nil
}

// ErrMapGone says that a part of an offset map is missing.
var ErrMapGone = errors.New("a part of the offset map is gone")

func (m *OffsetMaps) missing() error {
	return fmt.Errorf("%w: was topic %s deleted? Positions can be translated again from the next record on after etl offsets reset to the present checkpoint",
		ErrMapGone, MapTopic(m.job))
}

// mapPatience is how long a block is waited for that a checkpoint speaks of.
const mapPatience = 30 * time.Second

// read applies what is new in the map topic, at least up to where the runs in
// the checkpoint begin: a block may be behind one of an open transaction.
func (m *OffsetMaps) read(ctx context.Context, tp topicPartition, known note) error {
	for since := time.Now(); ; {
		fetched, err := m.target.FetchRecords(ctx, kafka.FetchRequest{
			Topic: MapTopic(m.job), Partition: mapPartition, Offset: m.next, MaxBytes: 1 << 20, ReadCommitted: true,
		})
		if errors.Is(err, kafka.ErrUnknownTopic) || errors.Is(err, kafka.ErrOffsetOutOfRange) {
			if known.Since > 0 {
				return m.missing()
			}
			return nil // nothing has been mapped beyond the checkpoints
		}
		if err != nil {
			return err
		}
		for _, r := range fetched.Records {
			if err := m.apply(r); err != nil {
				return fmt.Errorf("%s/%d offset %d: %w", MapTopic(m.job), mapPartition, r.Offset, err)
			}
		}
		stuck := m.next == fetched.Next
		m.next = fetched.Next
		if !stuck {
			continue
		}
		if b := m.blocks[tp]; known.Since == 0 || b != nil && b.covered >= known.Since {
			return nil
		}
		if time.Since(since) > mapPatience {
			return m.missing()
		}
		if err := pause(ctx, fetchWait/4); err != nil {
			return err
		}
	}
}

func (m *OffsetMaps) apply(r batch.Record) error {
	if r.Value == nil {
		return nil
	}
	var block mapBlock
	if err := json.Unmarshal(r.Value, &block); err != nil {
		return fmt.Errorf("%w: %w", errDamagedMap, err)
	}
	tp := topicPartition{block.Topic, block.Partition}
	if m.only != nil && !m.only(block.Topic, block.Partition) {
		return nil
	}
	b := m.blocks[tp]
	switch {
	case b == nil:
		b = &mapped{of: block.Of}
	case differs(b.of.Source, block.Of.Source) || differs(b.of.Target, block.Of.Target):
		b = &mapped{of: block.Of, covered: block.Since} // what is before is of other topics
	}
	m.blocks[tp] = b
	b.hole = b.hole || block.Since > b.covered
	b.all.merge(block.Runs)
	if _, end, ok := block.Runs.Source(); ok {
		b.covered = end
	}
	if block.Cut != nil {
		b.all.cut(*block.Cut)
		b.covered = *block.Cut
	}
	return nil
}
