package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// PlannedTopic is a topic that would be copied.
type PlannedTopic struct {
	Source           string `json:"source"`
	Target           string `json:"target"`
	Partitions       int    `json:"partitions"`
	TargetPartitions int    `json:"target_partitions"` // 0: it would be created
	Records          int64  `json:"records"`           // offsets between beginning and end
}

// lookAtTopic looks at a topic of the source and at its target.
func (s *survey) lookAtTopic(ctx context.Context, source kafka.Topic, found *findings) (PlannedTopic, error) {
	name := s.names.Target(source.Name)
	planned := PlannedTopic{Source: source.Name, Target: name, Partitions: len(source.Partitions)}
	if reserved(name) {
		found.conflict(Conflict{Kind: NameReserved, Topic: source.Name,
			Problem: fmt.Sprintf("target name %s is one of Kafka's or this project's own: it could not be copied back", name),
			Choices: "name another target (--topics)"})
	}
	var err error
	if planned.Records, err = held(ctx, s.Source, source); err != nil {
		return planned, fmt.Errorf("source: %w", err)
	}
	target, err := s.Target.Topic(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return planned, s.canCreate(ctx, source, name, found)
	}
	if err != nil {
		return planned, fmt.Errorf("target: %w", err)
	}
	planned.TargetPartitions = len(target.Partitions)
	if s.own != nil && (s.copied[source.Name] || s.own.Claims.Topics[name] == source.Name) {
		return planned, nil // it has made it itself
	}
	comparePartitions(source, target, found)
	has, err := hasRecords(ctx, s.Target, target)
	if err != nil {
		return planned, fmt.Errorf("target: %w", err)
	}
	if has {
		found.conflict(Conflict{Kind: HasRecords, Topic: source.Name,
			Problem: fmt.Sprintf("target topic %s holds records already: the copy would stand between them", name),
			Choices: "name another target (--topics), exclude it (--exclude), or delete the target topic"})
	}
	return planned, s.compareSettings(ctx, source, name, found)
}

func reserved(topic string) bool {
	return strings.HasPrefix(topic, "__") || strings.HasPrefix(topic, "etl.")
}

func comparePartitions(source, target kafka.Topic, found *findings) {
	here, there := len(source.Partitions), len(target.Partitions)
	switch {
	case there > here:
		found.conflict(Conflict{Kind: PartitionsDiffer, Topic: source.Name,
			Problem: fmt.Sprintf("target topic %s has %d partitions, the source %d: keys would be in other partitions than new producers put them",
				target.Name, there, here),
			Choices: "name another target (--topics), give the source as many, or delete the target topic"})
	case there < here:
		found.warn(Conflict{Kind: PartitionsDiffer, Topic: source.Name,
			Problem: fmt.Sprintf("target topic %s has %d partitions, and would get %d as the source has", target.Name, there, here),
			Choices: "nothing, or name another target (--topics)"})
	}
}

// canCreate looks whether the target would create a topic like the source's.
func (s *survey) canCreate(ctx context.Context, source kafka.Topic, name string, found *findings) error {
	spec, err := mirror.TargetSpec(ctx, s.Source, source, name)
	if err == nil {
		err = s.Target.CheckCreate(ctx, spec)
	}
	if err == nil || errors.Is(err, kafka.ErrTopicExists) {
		return nil
	}
	if kafka.Retriable(err) || ctx.Err() != nil {
		return err
	}
	found.conflict(Conflict{Kind: NotCreatable, Topic: source.Name,
		Problem: fmt.Sprintf("target topic %s cannot be created like the source's: %v", name, err),
		Choices: fmt.Sprintf("create it yourself, with %d partitions, or exclude it (--exclude)", len(source.Partitions))})
	return nil
}

// Settings that decide whether the copy can be written at all.
const (
	settingTimeType = "message.timestamp.type"
	settingMaxBytes = "max.message.bytes"
	logAppendTime   = "LogAppendTime"
)

// compareSettings compares what the copy would set with what the target has.
func (s *survey) compareSettings(ctx context.Context, source kafka.Topic, name string, found *findings) error {
	there, _, err := s.Target.TopicSettings(ctx, name)
	if err != nil {
		return unlessRefused(fmt.Errorf("target: %w", err), source.Name, found)
	}
	spec, err := mirror.TargetSpec(ctx, s.Source, source, name)
	if err != nil && !refusedFor(err) {
		return fmt.Errorf("source: %w", err)
	}
	want := spec.Settings // none where the source does not tell them: then the copy changes none
	if there[settingTimeType] == logAppendTime && (s.plan.KeepSettings || want[settingTimeType] == "") {
		found.conflict(Conflict{Kind: SettingsDiffer, Topic: source.Name,
			Setting: settingTimeType, SourceValue: want[settingTimeType], TargetValue: logAppendTime,
			Problem: fmt.Sprintf("target topic %s would give its records other times (%s=%s)", name, settingTimeType, logAppendTime),
			Choices: "set CreateTime on the target topic, or name another target (--topics)"})
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if there[key] != want[key] {
			c := Conflict{Kind: SettingsDiffer, Topic: source.Name, Setting: key, SourceValue: want[key], TargetValue: there[key]}
			s.settingDiffers(c, name, found)
		}
	}
	return nil
}

// settingDiffers is about one setting of an existing target topic.
func (s *survey) settingDiffers(c Conflict, target string, found *findings) {
	if !s.plan.KeepSettings {
		c.Problem = fmt.Sprintf("%s of target topic %s is %s, and would be set to %s as the source has",
			c.Setting, target, c.TargetValue, c.SourceValue)
		c.Choices = "nothing, keep the target's (--keep-settings), or name another target (--topics)"
		found.warn(c)
		return
	}
	here, _ := strconv.Atoi(c.SourceValue) // of this one setting the brokers take numbers alone
	there, _ := strconv.Atoi(c.TargetValue)
	if c.Setting == settingMaxBytes && there < here {
		c.Problem = fmt.Sprintf("%s of target topic %s is kept at %d, less than the source's %d: larger records could not be copied",
			c.Setting, target, there, here)
		c.Choices = "raise it on the target topic, or do not keep its settings (without --keep-settings)"
		found.conflict(c)
		return
	}
	if c.Setting != settingTimeType {
		c.Problem = fmt.Sprintf("%s of target topic %s is kept at %s, the source has %s", c.Setting, target, c.TargetValue, c.SourceValue)
		c.Choices = "it is accepted (--keep-settings)"
		found.warn(c)
	}
}

// unlessRefused has settings that the user may not read be a warning.
func unlessRefused(err error, topic string, found *findings) error {
	if !refusedFor(err) {
		return err
	}
	found.warn(Conflict{Kind: SettingsDiffer, Topic: topic, Problem: fmt.Sprintf("settings could not be compared: %v", err),
		Choices: "nothing, or allow DESCRIBE_CONFIGS on the topic"})
	return nil
}

// held is how many offsets a topic holds.
func held(ctx context.Context, c *kafka.Client, topic kafka.Topic) (int64, error) {
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

// hasRecords says whether a topic holds committed records.
func hasRecords(ctx context.Context, c *kafka.Client, topic kafka.Topic) (bool, error) {
	for _, p := range topic.Partitions {
		if has, err := mirror.HoldsRecords(ctx, c, topic.Name, p.ID); has || err != nil {
			return has, err
		}
	}
	return false, nil
}
