package migrate

import (
	"context"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// compare compares topic by topic what has been copied and is still on both
// sides.
func (o *Operator) compare(ctx context.Context, way route, lags []mirror.Lag) ([]mirror.TopicComparison, Gate, error) {
	gate := Gate{Name: "content", Want: "equal, record by record", OK: true}
	maps := mirror.NewOffsetMaps(way.to, way.job)
	topics := byTopic(lags)
	var all []mirror.TopicComparison
	var records int64
	for i, partitions := range topics {
		name, target := partitions[0].Topic, partitions[0].TargetTopic
		o.say("comparing %s (%d of %d topics)", name, i+1, len(topics))
		options, err := copied(ctx, way, maps, partitions)
		if err != nil {
			return all, gate, err
		}
		comparison, err := mirror.CompareTopics(ctx, way.from, way.to, name, target, options)
		if err != nil {
			return all, gate, fmt.Errorf("compare %s: %w", name, err)
		}
		all = append(all, comparison)
		for _, p := range comparison.Partitions {
			records += p.Source.Records
			if !p.Equal && gate.OK {
				gate.OK, gate.Have = false, fmt.Sprintf("%s/%d: %s", name, p.Partition, p.Difference)
			}
		}
	}
	if gate.OK {
		gate.Have = fmt.Sprintf("%d records in %d topics are equal", records, len(topics))
	}
	return all, gate, nil
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

// copied gives the part of each partition of a topic that both sides have.
func copied(ctx context.Context, way route, maps *mirror.OffsetMaps, partitions []mirror.Lag) (mirror.CompareOptions, error) {
	options := mirror.CompareOptions{Source: map[int32]mirror.Span{}, Target: map[int32]mirror.Span{}}
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
		source, target, err := span(translation, lag.Next, here[lag.Partition], there[lag.Partition])
		if err != nil {
			return options, fmt.Errorf("%s/%d: %w", name, lag.Partition, err)
		}
		options.Source[lag.Partition], options.Target[lag.Partition] = source, target
	}
	return options, nil
}

// span is what both sides have of a partition that was copied up to next.
// Retention may have taken the beginning of either. Where neither has lost the
// first copied record, what the target has before it counts as well: it came
// from elsewhere.
func span(t mirror.Translation, next, source, target int64) (mirror.Span, mirror.Span, error) {
	first, _, ok := t.Map.Source()
	if !ok {
		return mirror.Span{}, mirror.Span{}, nil
	}
	inverse := t.Map.Inverse()
	begin, _ := inverse.Position(target)
	begin = min(max(begin, source, first), next)
	copies, err := t.Position(begin)
	if err != nil {
		return mirror.Span{}, mirror.Span{}, err
	}
	if begin == first && source <= first {
		copies = min(copies, target)
	}
	end, err := t.Position(next)
	return mirror.Span{First: begin, End: next}, mirror.Span{First: copies, End: max(end, copies)}, err
}
