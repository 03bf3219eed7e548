package mirror

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Span is a part of a partition, by offset.
type Span struct {
	First int64 // -1: the earliest that is there
	End   int64 // exclusive; -1: the last stable offset at the time of the call
}

// CompareOptions say what [CompareTopics] reads. The zero value is both topics,
// whole.
type CompareOptions struct {
	// Source and Target bound partitions by their number; those that are not
	// in the map are read whole.
	Source, Target map[int32]Span
	// Resume has, for partitions that were compared up to where their spans begin,
	// the [PartitionComparison.State] of that comparison: counts and digests go on
	// from there. It is for topics that are compared in order.
	Resume map[int32][]byte
	// Parallel is how many partitions are compared at a time (4 by default).
	// Each has four buffers of 2 MiB in memory, or of a batch where that is larger.
	Parallel int
	// Progress, where not nil, is called after every fetch, by one goroutine
	// at a time. It must not block for long.
	Progress func(CompareProgress)
}

// CompareProgress is how far a comparison is. Both sides count.
type CompareProgress struct {
	Offsets int64 // passed so far
	Total   int64 // offsets to pass
	Bytes   int64 // of batches fetched so far, as the brokers store them
}

// TopicComparison is the outcome of [CompareTopics].
type TopicComparison struct {
	SourceTopic string `json:"source_topic"`
	TargetTopic string `json:"target_topic"`
	// Equal says that all partitions are.
	Equal bool `json:"equal"`
	// Ordered says that partitions were compared record by record. Without it,
	// because the numbers of partitions differ, the topics were compared as
	// multisets of records.
	Ordered bool `json:"ordered"`
	// Compacted says that one of the topics is compacted, and that the last record
	// of each key was compared: Records are keys then, and Digest is a sum.
	Compacted        bool `json:"compacted,omitempty"`
	SourcePartitions int  `json:"source_partitions"`
	TargetPartitions int  `json:"target_partitions"`
	// Partitions has a row for each partition; only one, for the whole topic,
	// where the comparison is not ordered.
	Partitions []PartitionComparison `json:"partitions"`
}

// PartitionComparison is a row of a [TopicComparison].
type PartitionComparison struct {
	Partition int32 `json:"partition"` // -1: the whole topic
	Comparison
	// State is what a later comparison can go on from, where this one was in order
	// and found both sides equal.
	State []byte `json:"-"`
}

// Scope says in words what was compared, to be shown with the outcome.
func (c TopicComparison) Scope() string {
	if c.Compacted {
		return "by the last record of each key, each partition with the one of the same number: one of the topics is compacted, so older ones may be gone"
	}
	if c.Ordered {
		return "record by record, in order, each partition with the one of the same number"
	}
	return fmt.Sprintf("as a whole, each record as often as it occurs: the source has %d partitions and the target %d, so order was not compared",
		c.SourcePartitions, c.TargetPartitions)
}

// CompareTopics compares the committed records of two topics: key, value,
// headers and timestamp. The end of the target is taken before the end of the
// source: what a copy that is running has not copied at that time is a
// difference, what comes later is not looked at.
//
// With as many partitions on both sides, each is compared with the one of the
// same number, in order, as [Compare] does; where one of the topics is
// compacted, by the last record of each key. Else the topics are compared as
// multisets: every record as often as it occurs, wherever it is; the digests
// then are sums over the records.
//
// The first error ends all of it. Open transactions are none: reading ends
// before them.
func CompareTopics(ctx context.Context, source, target *kafka.Client, sourceTopic, targetTopic string, options CompareOptions) (TopicComparison, error) {
	if options.Parallel <= 0 {
		options.Parallel = defaultParallel
	}
	outcome := TopicComparison{SourceTopic: sourceTopic, TargetTopic: targetTopic}
	right, err := sides(ctx, target, targetTopic, options.Target)
	if err != nil {
		return outcome, fmt.Errorf("target: %w", err)
	}
	left, err := sides(ctx, source, sourceTopic, options.Source)
	if err != nil {
		return outcome, fmt.Errorf("source: %w", err)
	}
	outcome.SourcePartitions, outcome.TargetPartitions = len(left), len(right)
	outcome.Ordered = len(left) == len(right)
	if outcome.Ordered {
		outcome.Compacted, err = eitherCompacts(ctx, source, target, sourceTopic, targetTopic)
		if err != nil {
			return outcome, err
		}
		outcome.Ordered = !outcome.Compacted
	}
	meter := newMeter(options.Progress, left, right)
	if outcome.Ordered || outcome.Compacted {
		compare := compareInOrder
		if outcome.Compacted {
			compare = compareCompacted
		}
		outcome.Partitions, err = comparePartitions(ctx, left, right, options, meter, compare)
	} else {
		outcome.Partitions, err = compareWhole(ctx, left, right, options.Parallel, meter)
	}
	outcome.Equal = err == nil
	for _, p := range outcome.Partitions {
		outcome.Equal = outcome.Equal && p.Equal
	}
	return outcome, err
}

// comparison compares two partitions; seen is told what was read.
// With the state of an earlier comparison it goes on from there, and it gives
// its own.
type comparison func(ctx context.Context, source, target Side, state []byte, seen func(offsets, bytes int64)) (Comparison, []byte, error)

func comparePartitions(ctx context.Context, left, right []Side, options CompareOptions, meter *meter, compare comparison) ([]PartitionComparison, error) {
	rows := make([]PartitionComparison, len(left))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(options.Parallel)
	for i := range left {
		group.Go(func() (err error) {
			rows[i].Partition = left[i].Partition
			state := options.Resume[left[i].Partition]
			rows[i].Comparison, rows[i].State, err = compare(ctx, left[i], right[i], state, meter.seen)
			return err
		})
	}
	return rows, group.Wait()
}

// sides gives the part of each partition that is to be read.
func sides(ctx context.Context, client *kafka.Client, topic string, spans map[int32]Span) ([]Side, error) {
	described, err := client.Topic(ctx, topic)
	if err != nil {
		return nil, err
	}
	sides := make([]Side, len(described.Partitions))
	numbers := make([]int32, len(sides))
	for i, p := range described.Partitions {
		sides[i] = Side{Client: client, Topic: topic, Partition: p.ID, First: -1, End: -1}
		if span, ok := spans[p.ID]; ok {
			sides[i].First, sides[i].End = span.First, span.End
		}
		numbers[i] = p.ID
	}
	earliest, err := client.Offsets(ctx, topic, kafka.Earliest, numbers...)
	if err != nil {
		return nil, err
	}
	ends, err := client.StableOffsets(ctx, topic, numbers...)
	if err != nil {
		return nil, err
	}
	for i := range sides {
		side := &sides[i]
		if side.First < 0 {
			side.First = earliest[side.Partition]
		}
		if side.End < 0 {
			side.End = ends[side.Partition]
		}
		side.End = max(side.End, side.First) // an open transaction may be older than First
	}
	return sides, nil
}

// meter adds the progress of all scans up.
type meter struct {
	report func(CompareProgress)
	mu     sync.Mutex
	now    CompareProgress
}

func newMeter(report func(CompareProgress), sides ...[]Side) *meter {
	m := &meter{report: report}
	for _, list := range sides {
		for _, s := range list {
			m.now.Total += s.End - s.First
		}
	}
	return m
}

func (m *meter) seen(offsets, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Offsets += offsets
	m.now.Bytes += bytes
	if m.report != nil {
		m.report(m.now)
	}
}
