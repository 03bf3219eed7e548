package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// GroupSync carries the positions of consumer groups over to the target of a
// job that keeps an offset map: a group that goes on there reads each record
// that it has not read at the source, and none that it has.
//
// A group that has members on the target is not touched, and no position is
// moved back. It is not safe for concurrent use.
type GroupSync struct {
	Job            string
	Source, Target *kafka.Client
	Topics         TopicMap
	Select         Selection // of source topics
	Shard          Shard     // of partitions: those that this instance carries over
	// Groups says which groups are carried over.
	Groups func(group string) bool
	// Rename gives a group's name on the target; nil keeps it.
	Rename func(group string) string
	// Earlier translates a position for which the job has no map, because it
	// began later; nil: nobody can.
	Earlier func(ctx context.Context, p GroupPosition) (int64, error)

	maps *OffsetMaps
}

// GroupPosition is a group's position in one partition of the source, and on
// the target.
type GroupPosition struct {
	Group       string `json:"group"`
	TargetGroup string `json:"target_group"`
	Topic       string `json:"topic"`
	Partition   int32  `json:"partition"`
	TargetTopic string `json:"target_topic"`
	Source      int64  `json:"source"` // committed by the group
	// Target is where the group is on the target after the call; -1: nowhere.
	Target int64 `json:"target"`
	// Written says that the call has moved the target's to Target.
	Written bool `json:"written,omitempty"`
	// Reason says why Target is not the translation of Source; "" where it is.
	Reason string `json:"reason,omitempty"`
}

// Preview is Sync without writing: Written says what would be.
func (g *GroupSync) Preview(ctx context.Context) ([]GroupPosition, error) { return g.sync(ctx, false) }

// Sync translates the positions of the groups and writes those that have moved
// on. The answer has every position of selected groups and topics, by group,
// topic and partition. The error joins what kept groups from being looked at;
// the others are in the answer all the same.
func (g *GroupSync) Sync(ctx context.Context) ([]GroupPosition, error) { return g.sync(ctx, true) }

func (g *GroupSync) sync(ctx context.Context, write bool) ([]GroupPosition, error) {
	if g.maps == nil {
		g.maps = NewOffsetMaps(g.Target, g.Job)
		g.maps.only = g.Shard.Has
	}
	groups, err := g.Source.Groups(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	translations := map[topicPartition]Translation{} // as of this call
	var all []GroupPosition
	var faults []error
	for _, group := range groups {
		if !g.Groups(group.ID) {
			continue
		}
		positions, err := g.group(ctx, group.ID, translations, write)
		if err != nil {
			faults = append(faults, fmt.Errorf("group %s: %w", group.ID, err))
		}
		all = append(all, positions...)
	}
	slices.SortFunc(all, func(a, b GroupPosition) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all, errors.Join(faults...)
}

func (g *GroupSync) group(ctx context.Context, id string, translations map[topicPartition]Translation, write bool) ([]GroupPosition, error) {
	positions, metadata, err := g.committed(ctx, id)
	if err != nil || len(positions) == 0 {
		return nil, err
	}
	there, err := g.Target.CommittedAll(ctx, positions[0].TargetGroup)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	described, err := g.Target.DescribeGroup(ctx, positions[0].TargetGroup)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	moves := map[string]map[int32]kafka.Committed{}
	for i := range positions {
		p := &positions[i]
		p.Target = -1
		if now, ok := there[p.TargetTopic][p.Partition]; ok {
			p.Target = now.Offset
		}
		want, err := g.translate(ctx, *p, translations)
		switch {
		case errors.Is(err, ErrNotCopied), errors.Is(err, ErrNotMapped), errors.Is(err, kafka.ErrUnknownTopic):
			p.Reason = err.Error()
		case err != nil:
			return nil, err
		case p.Target == want:
		case described.Active():
			p.Reason = fmt.Sprintf("the group is active on the target (%s): its own consumers commit", described.State)
		case p.Target > want:
			same, err := g.nothingBetween(ctx, *p, want)
			if err != nil {
				return nil, err
			}
			if same {
				break
			}
			p.Reason = fmt.Sprintf("the target is ahead, the translation is %d: a position is never moved back, etl offsets reset does", want)
		default:
			if moves[p.TargetTopic] == nil {
				moves[p.TargetTopic] = map[int32]kafka.Committed{}
			}
			moves[p.TargetTopic][p.Partition] = kafka.Committed{Offset: want, Metadata: metadata[i]}
			p.Written = true
		}
	}
	if write {
		err = g.write(ctx, moves, positions)
	}
	for i := range positions {
		if p := &positions[i]; p.Written {
			p.Target = moves[p.TargetTopic][p.Partition].Offset
		}
	}
	return positions, err
}

// committed gives what a group has committed at the source for topics and
// partitions that are copied here, and the metadata beside it.
func (g *GroupSync) committed(ctx context.Context, id string) (positions []GroupPosition, metadata []string, err error) {
	here, err := g.Source.CommittedAll(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("source: %w", err)
	}
	name := id
	if g.Rename != nil {
		name = g.Rename(id)
	}
	for topic, partitions := range here {
		if !g.Select.Match(topic) {
			continue
		}
		for number, committed := range partitions {
			if committed.Offset < 0 || !g.Shard.Has(topic, number) {
				continue
			}
			positions = append(positions, GroupPosition{
				Group: id, TargetGroup: name, Topic: topic, Partition: number, TargetTopic: g.Topics.Target(topic), Source: committed.Offset,
			})
			metadata = append(metadata, committed.Metadata)
		}
	}
	return positions, metadata, nil
}

// translate gives the exact position on the target.
func (g *GroupSync) translate(ctx context.Context, p GroupPosition, known map[topicPartition]Translation) (int64, error) {
	tp := topicPartition{p.Topic, p.Partition}
	translation, ok := known[tp]
	if !ok {
		var err error
		if translation, err = g.maps.Partition(ctx, p.Topic, p.TargetTopic, p.Partition); err != nil {
			return 0, err
		}
		known[tp] = translation
	}
	target, err := translation.Position(p.Source)
	switch {
	case err == nil:
		return target, nil
	case g.Earlier != nil && errors.Is(err, ErrNotMapped):
		return g.Earlier(ctx, p)
	case g.Earlier != nil && translation.Map.Empty() && translation.Mapped != nil && p.Source <= translation.Next:
		// no record lies between where the map begins and the position
		p.Source = min(p.Source, *translation.Mapped)
		return g.Earlier(ctx, p)
	case translation.Map.Empty():
		return g.nothingThere(ctx, p, err)
	}
	return 0, err
}

// nothingBetween says that a position on the target is the translation, but for
// offsets without records: markers, and what was aborted.
func (g *GroupSync) nothingBetween(ctx context.Context, p GroupPosition, want int64) (bool, error) {
	for next := want; next < p.Target; {
		fetched, err := g.Target.FetchRecords(ctx, kafka.FetchRequest{Topic: p.TargetTopic, Partition: p.Partition, Offset: next, MaxBytes: 64 << 10, ReadCommitted: true})
		if errors.Is(err, kafka.ErrOffsetOutOfRange) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("target: %w", err)
		}
		if len(fetched.Records) > 0 {
			return fetched.Records[0].Offset >= p.Target, nil
		}
		if fetched.Next == next {
			return true, nil // the end
		}
		next = fetched.Next
	}
	return true, nil
}

// nothingThere translates the position in a partition of which no record was
// copied and none is there to copy: it is where the target's ends.
func (g *GroupSync) nothingThere(ctx context.Context, p GroupPosition, otherwise error) (int64, error) {
	earliest, err := g.Source.Offsets(ctx, p.Topic, kafka.Earliest, p.Partition)
	if err != nil {
		return 0, fmt.Errorf("source: %w", err)
	}
	latest, err := g.Source.Offsets(ctx, p.Topic, kafka.Latest, p.Partition)
	if err != nil {
		return 0, fmt.Errorf("source: %w", err)
	}
	if earliest[p.Partition] != latest[p.Partition] {
		return 0, otherwise
	}
	ends, err := g.Target.StableOffsets(ctx, p.TargetTopic, p.Partition)
	if err != nil {
		return 0, fmt.Errorf("target: %w", err)
	}
	return ends[p.Partition], nil
}

// write commits the moves of one group. Where a topic's are refused, because
// the group has become active, they become a reason.
func (g *GroupSync) write(ctx context.Context, moves map[string]map[int32]kafka.Committed, positions []GroupPosition) error {
	var faults []error
	for topic, offsets := range moves {
		err := g.Target.Commit(ctx, positions[0].TargetGroup, topic, offsets)
		if err == nil {
			continue
		}
		if !errors.Is(err, kafka.ErrNotCoordinated) {
			faults = append(faults, fmt.Errorf("target: %w", err))
		}
		for i := range positions {
			if p := &positions[i]; p.TargetTopic == topic && p.Written {
				p.Written, p.Reason = false, err.Error()
			}
		}
	}
	return errors.Join(faults...)
}
