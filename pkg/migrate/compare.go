package migrate

import (
	"context"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Point is how far a partition was compared: a later comparison goes on there,
// so that the one of the cut-over, while nobody writes, is short.
type Point struct {
	Source int64  `json:"source"` // next offset to compare
	Target int64  `json:"target"`
	State  []byte `json:"state"` // see [mirror.PartitionComparison]
}

// points are those of a migration, by source topic and partition.
type points map[string]map[int32]Point

// compared is what a comparison has found.
type compared struct {
	topics []mirror.TopicComparison
	gate   Gate
	points points
}

// compare compares topic by topic what has been copied, is still on both sides,
// and was not compared before.
func (o *Operator) compare(ctx context.Context, way route, lags []mirror.Lag, before points) (compared, error) {
	c := compared{gate: Gate{Name: "content", Want: "equal, record by record", OK: true}, points: points{}}
	maps := mirror.NewOffsetMaps(way.to, way.job)
	topics := byTopic(lags)
	var records int64
	for i, partitions := range topics {
		name, target := partitions[0].Topic, partitions[0].TargetTopic
		o.say("comparing %s (%d of %d topics)", name, i+1, len(topics))
		options, err := copied(ctx, way, maps, partitions, before[name])
		if err != nil {
			return c, err
		}
		comparison, err := mirror.CompareTopics(ctx, way.from, way.to, name, target, options)
		if err != nil {
			return c, fmt.Errorf("compare %s: %w", name, err)
		}
		c.topics = append(c.topics, comparison)
		c.points[name] = map[int32]Point{}
		for _, p := range comparison.Partitions {
			records += p.Source.Records
			if !p.Equal && c.gate.OK {
				c.gate.OK, c.gate.Have = false, fmt.Sprintf("%s/%d: %s", name, p.Partition, p.Difference)
			}
			if p.State != nil {
				c.points[name][p.Partition] = Point{Source: options.Source[p.Partition].End, Target: options.Target[p.Partition].End, State: p.State}
			}
		}
	}
	if c.gate.OK {
		c.gate.Have = fmt.Sprintf("%d records in %d topics are equal", records, len(topics))
	}
	return c, nil
}

// byTopic divides lags, which are in order of topic.
func byTopic(lags []mirror.Lag) [][]mirror.Lag {
	var topics [][]mirror.Lag
	for _, lag := range lags {
		if n := len(topics); n > 0 && topics[n-1][0].Topic == lag.Topic {
			topics[n-1] = append(topics[n-1], lag)
			continue
		}
		topics = append(topics, []mirror.Lag{lag})
	}
	return topics
}

// copied gives the part of each partition of a topic that both sides have, from
// where it was compared up to before.
func copied(ctx context.Context, way route, maps *mirror.OffsetMaps, partitions []mirror.Lag, before map[int32]Point) (mirror.CompareOptions, error) {
	options := mirror.CompareOptions{Source: map[int32]mirror.Span{}, Target: map[int32]mirror.Span{}, Resume: map[int32][]byte{}}
	var numbers []int32
	for _, lag := range partitions {
		options.Source[lag.Partition], options.Target[lag.Partition] = mirror.Span{}, mirror.Span{}
		if lag.Next >= 0 {
			numbers = append(numbers, lag.Partition)
		}
	}
	if len(numbers) == 0 {
		return options, nil
	}
	name, target := partitions[0].Topic, partitions[0].TargetTopic
	here, err := way.from.Offsets(ctx, name, kafka.Earliest, numbers...)
	if err != nil {
		return options, err
	}
	there, err := way.to.Offsets(ctx, target, kafka.Earliest, numbers...)
	if err != nil {
		return options, err
	}
	for _, lag := range partitions {
		if lag.Next < 0 {
			continue
		}
		translation, err := maps.Partition(ctx, name, target, lag.Partition)
		if err != nil {
			return options, err
		}
		s := span{next: lag.Next, source: here[lag.Partition], target: there[lag.Partition]}
		if err := s.measure(translation, before[lag.Partition]); err != nil {
			return options, fmt.Errorf("%s/%d: %w", name, lag.Partition, err)
		}
		options.Source[lag.Partition], options.Target[lag.Partition] = s.here, s.there
		if s.resumed != nil {
			options.Resume[lag.Partition] = s.resumed
		}
	}
	return options, nil
}

// span is what both sides have of a partition.
type span struct {
	next           int64 // it was copied up to there
	source, target int64 // earliest offsets of both sides
	here, there    mirror.Span
	resumed        []byte
}

// measure finds the part. Retention may have taken the beginning of either side.
// Where neither has lost the first copied record, what the target has before it
// counts as well: it came from elsewhere.
func (s *span) measure(t mirror.Translation, before Point) error {
	first, _, ok := t.Map.Source()
	if !ok {
		return nil
	}
	end, err := t.Position(s.next)
	if err != nil {
		return err
	}
	if before.State != nil && before.Source >= s.source && before.Target >= s.target && before.Source <= s.next && before.Target <= end {
		s.here, s.there, s.resumed = mirror.Span{First: before.Source, End: s.next}, mirror.Span{First: before.Target, End: end}, before.State
		return nil
	}
	inverse := t.Map.Inverse()
	begin, _ := inverse.Position(s.target)
	begin = min(max(begin, s.source, first), s.next)
	copies, err := t.Position(begin)
	if err != nil {
		return err
	}
	if begin == first && s.source <= first {
		copies = min(copies, s.target)
	}
	s.here, s.there = mirror.Span{First: begin, End: s.next}, mirror.Span{First: copies, End: max(end, copies)}
	return nil
}
