package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Preview is what a plan would do.
type Preview struct {
	Plan      Plan           `json:"plan"`
	Topics    []PlannedTopic `json:"topics"`
	Conflicts []Conflict     `json:"conflicts"`
}

// PlannedTopic is a topic that would be copied.
type PlannedTopic struct {
	Source           string `json:"source"`
	Target           string `json:"target"`
	Partitions       int    `json:"partitions"`
	TargetPartitions int    `json:"target_partitions"` // 0: it would be created
	Records          int64  `json:"records"`           // offsets between beginning and end
}

// Conflict is what keeps a plan from being started, with the ways out.
type Conflict struct {
	Topic   string `json:"topic"`
	Problem string `json:"problem"`
	Choices string `json:"choices"`
}

// Preview looks at both clusters and touches nothing.
func (o *Operator) Preview(ctx context.Context, plan Plan) (Preview, error) {
	preview := Preview{Plan: plan}
	if err := plan.Check(); err != nil {
		return preview, err
	}
	topics, _, names, err := plan.selections()
	if err != nil {
		return preview, err
	}
	there, err := o.Source.Topics(ctx)
	if err != nil {
		return preview, fmt.Errorf("source: %w", err)
	}
	owners := map[string]string{} // source topic by target topic
	for _, topic := range there {
		if !topics.Match(topic.Name) {
			continue
		}
		planned, conflicts, err := o.plannedTopic(ctx, topic, names.Target(topic.Name))
		if err != nil {
			return preview, err
		}
		if other := owners[planned.Target]; other != "" {
			conflicts = append(conflicts, Conflict{Topic: topic.Name,
				Problem: fmt.Sprintf("it would be copied to %s, and so would %s", planned.Target, other),
				Choices: "name another target (--topics), or exclude one"})
		}
		owners[planned.Target] = topic.Name
		if reserved(planned.Target) {
			conflicts = append(conflicts, Conflict{Topic: topic.Name,
				Problem: fmt.Sprintf("target name %s is one of Kafka's or this project's own: it could not be copied back", planned.Target),
				Choices: "name another target (--topics)"})
		}
		preview.Topics = append(preview.Topics, planned)
		preview.Conflicts = append(preview.Conflicts, conflicts...)
	}
	if len(preview.Topics) == 0 {
		preview.Conflicts = append(preview.Conflicts, Conflict{Problem: "no topic of the source matches", Choices: "other patterns (--include, --exclude)"})
	}
	return preview, nil
}

func reserved(topic string) bool {
	return strings.HasPrefix(topic, "__") || strings.HasPrefix(topic, "etl.")
}

func (o *Operator) plannedTopic(ctx context.Context, source kafka.Topic, name string) (PlannedTopic, []Conflict, error) {
	planned := PlannedTopic{Source: source.Name, Target: name, Partitions: len(source.Partitions)}
	records, err := o.held(ctx, o.Source, source)
	if err != nil {
		return planned, nil, fmt.Errorf("source: %w", err)
	}
	planned.Records = records
	target, err := o.Target.Topic(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return planned, nil, nil
	}
	if err != nil {
		return planned, nil, fmt.Errorf("target: %w", err)
	}
	planned.TargetPartitions = len(target.Partitions)
	var conflicts []Conflict
	if len(target.Partitions) > len(source.Partitions) {
		conflicts = append(conflicts, Conflict{Topic: source.Name,
			Problem: fmt.Sprintf("target topic %s has %d partitions, the source %d: keys would be in other partitions than new producers put them", name, len(target.Partitions), len(source.Partitions)),
			Choices: "name another target (--topics), give the source as many, or delete the target topic"})
	}
	held, err := o.held(ctx, o.Target, target)
	if err != nil {
		return planned, nil, fmt.Errorf("target: %w", err)
	}
	if held > 0 {
		conflicts = append(conflicts, Conflict{Topic: source.Name,
			Problem: fmt.Sprintf("target topic %s holds %d records already: the copy would stand between them", name, held),
			Choices: "name another target (--topics), exclude it, or delete the target topic"})
	}
	return planned, conflicts, nil
}

// held is how many offsets a topic holds.
func (o *Operator) held(ctx context.Context, c *kafka.Client, topic kafka.Topic) (int64, error) {
	numbers := make([]int32, len(topic.Partitions))
	for i, p := range topic.Partitions {
		numbers[i] = p.ID
	}
	earliest, err := c.Offsets(ctx, topic.Name, kafka.Earliest, numbers...)
	if err != nil {
		return 0, err
	}
	latest, err := c.Offsets(ctx, topic.Name, kafka.Latest, numbers...)
	if err != nil {
		return 0, err
	}
	var held int64
	for _, n := range numbers {
		held += latest[n] - earliest[n]
	}
	return held, nil
}

// Plan stores a plan for the two clusters, whose ids it puts in. Conflicts do
// not keep it from being stored: they keep it from being started.
func (o *Operator) Plan(ctx context.Context, plan Plan) (Preview, error) {
	var err error
	if plan.Source, plan.Target, err = o.ids(ctx); err != nil {
		return Preview{}, err
	}
	preview, err := o.Preview(ctx, plan)
	if err != nil {
		return preview, err
	}
	_, err = o.store().Create(ctx, plan)
	return preview, err
}
