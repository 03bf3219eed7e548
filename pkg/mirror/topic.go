package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// targetTopic is what a copy needs to know of where it writes.
type targetTopic struct {
	name       string
	id         string
	partitions int32
	maxBytes   int // largest batch; 0 where the user may not read the settings
}

// topics finds target topics and creates missing ones, one at a time.
type topics struct {
	config Config
	mu     sync.Mutex
}

// source describes the source topic; the zero Topic where there is no source.
func (t *topics) source(ctx context.Context, name string) (kafka.Topic, error) {
	if t.config.Source == nil {
		return kafka.Topic{Name: name}, nil
	}
	topic, err := t.config.Source.Topic(ctx, name)
	if err != nil {
		return topic, fmt.Errorf("source: %w", err)
	}
	return topic, nil
}

// target describes the target of a source topic, after creating it where it
// is missing and the job may.
func (t *topics) target(ctx context.Context, source kafka.Topic) (targetTopic, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := t.config.Topics.Target(source.Name)
	topic, err := t.config.Target.Topic(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		if err := t.create(ctx, source, name); err != nil {
			return targetTopic{}, err
		}
		topic, err = t.config.Target.Topic(ctx, name)
	}
	if err != nil {
		return targetTopic{}, fmt.Errorf("target: %w", err)
	}
	maxBytes, err := t.config.Target.MaxMessageBytes(ctx, name)
	if err != nil && !errors.Is(err, kafka.ErrAuthorization) {
		return targetTopic{}, fmt.Errorf("target: %w", err)
	}
	return targetTopic{name: name, id: topic.ID.String(), partitions: int32(len(topic.Partitions)), maxBytes: maxBytes}, nil
}

func (t *topics) create(ctx context.Context, source kafka.Topic, name string) error {
	if !t.config.CreateTopics || t.config.Source == nil {
		return fmt.Errorf("%w: %s: create it, or let the job create it with the source's partitions and settings (CREATE_TOPICS=true, with source brokers)", ErrMissingTopic, name)
	}
	_, own, err := t.config.Source.TopicSettings(ctx, source.Name)
	if err != nil {
		return fmt.Errorf("create target topic %s like the source: %w", name, err)
	}
	settings := portable(own)
	spec := kafka.TopicSpec{Name: name, Partitions: len(source.Partitions), Settings: settings}
	err = t.config.Target.CreateTopic(ctx, spec)
	if errors.Is(err, kafka.ErrTopicExists) {
		return nil // another instance was faster
	}
	if err != nil {
		return fmt.Errorf("target, with the source's settings %s: %w", settingsText(settings), err)
	}
	t.config.Log.Info("created target topic", "topic", name, "partitions", spec.Partitions, "settings", settingsText(settings))
	return nil
}

// notPortable are settings that speak of the source's brokers, not its records.
var notPortable = []string{
	"leader.replication.throttled.replicas",
	"follower.replication.throttled.replicas",
	"min.insync.replicas",    // may be more than the target has replicas
	"message.format.version", // gone in 4.0
	"remote.storage.enable", "remote.log.copy.disable", "remote.log.delete.on.disable",
	"local.retention.ms", "local.retention.bytes", // of tiered storage
}

func portable(own map[string]string) map[string]string {
	settings := map[string]string{}
	for key, value := range own {
		if !slices.Contains(notPortable, key) {
			settings[key] = value
		}
	}
	return settings
}

func settingsText(settings map[string]string) string {
	var pairs []string
	for key, value := range settings {
		pairs = append(pairs, key+"="+value)
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, ", ") + "}"
}
