package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// job is what all partitions of a copier share.
type job struct {
	Config
	buffers   sync.Pool   // of *[2]kafka.Buffer: a call takes one for each partition it copies
	built     sync.Pool   // of *[]byte: memory of batches that were built anew and are written
	throttle  *throttle   // nil: none
	following bool        // the first copy of a partition begins at its earliest record, whatever the range
	noWitness atomic.Bool // the target has none, or the user may not write to it

	hasWitness atomic.Bool // it has one, or had when somebody looked

	token string       // names this copier in notes of what is tried: see isolate.go
	alone sync.RWMutex // held for writing by the one partition that tries what has killed a process

	settingsMu sync.Mutex
	settings   map[string]readSettings // of target topics
}

// readSettings are those of a topic as they were a moment ago: very many
// partitions of one topic are opened at the same time.
type readSettings struct {
	all map[string]string
	at  time.Time
}

const settingsFresh = time.Second

func (j *job) targetSettings(ctx context.Context, topic string) (map[string]string, error) {
	j.settingsMu.Lock()
	known := j.settings[topic]
	j.settingsMu.Unlock()
	if time.Since(known.at) < settingsFresh {
		return known.all, nil
	}
	now := time.Now()
	all, _, err := j.Target.TopicSettings(ctx, topic)
	if err != nil {
		return nil, err
	}
	j.settingsMu.Lock()
	defer j.settingsMu.Unlock()
	if j.settings == nil {
		j.settings = map[string]readSettings{}
	}
	j.settings[topic] = readSettings{all, now}
	return all, nil
}

// targetTopic is what a copy needs to know of where it writes.
type targetTopic struct {
	name       string
	id         string
	partitions int32
	maxBytes   int // largest batch; 0 where the user may not read the settings
}

func (j *job) forgetSettings(topic string) {
	j.settingsMu.Lock()
	defer j.settingsMu.Unlock()
	delete(j.settings, topic)
}

// source describes the source topic; the zero Topic where there is no source.
func (j *job) source(ctx context.Context, name string) (kafka.Topic, error) {
	if j.From == nil {
		return kafka.Topic{Name: name}, nil
	}
	topic, err := j.From.Topic(ctx, name)
	if err != nil {
		return topic, fmt.Errorf("source: %w", err)
	}
	return topic, nil
}

// target describes the target of a source topic, after creating it where it
// is missing and the job may.
func (j *job) target(ctx context.Context, source kafka.Topic) (targetTopic, error) {
	name := j.Topics.Target(source.Name)
	return j.describe(ctx, name, func() error { return j.create(ctx, source, name) })
}

// describe tells what a copy needs to know of a topic of the target; create is
// called where there is none.
func (j *job) describe(ctx context.Context, name string, create func() error) (targetTopic, error) {
	topic, err := j.Target.Topic(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		if err := create(); err != nil {
			return targetTopic{}, err
		}
		topic, err = j.Target.Topic(ctx, name)
	}
	if err != nil {
		return targetTopic{}, fmt.Errorf("target: %w", err)
	}
	target := targetTopic{name: name, id: topic.ID.String(), partitions: int32(len(topic.Partitions))}
	settings, err := j.targetSettings(ctx, name)
	switch {
	case errors.Is(err, kafka.ErrAuthorization), errors.Is(err, kafka.ErrUnsupported):
		return target, nil
	case err != nil:
		return target, fmt.Errorf("target: %w", err)
	}
	if target.maxBytes, err = strconv.Atoi(settings[settingMaxBytes]); err != nil {
		return target, fmt.Errorf("target: %s of topic %s is %q, want a number", settingMaxBytes, name, settings[settingMaxBytes])
	}
	if settings[settingTimeType] == logAppendTime {
		return target, fmt.Errorf("target topic %s: %w", name, kafka.ErrTimestampReplaced)
	}
	return target, nil
}

func (j *job) create(ctx context.Context, source kafka.Topic, name string) error {
	if !j.CreateTopics || j.From == nil {
		return fmt.Errorf("%w: %s: create it, or let the job create it with the source's partitions and settings (CREATE_TOPICS=true, with source brokers)", ErrMissingTopic, name)
	}
	spec, err := TargetSpec(ctx, j.From, source, name)
	if err != nil {
		return err
	}
	if j.Process != nil {
		delete(spec.Settings, settingCleanup) // what is made of records need not have keys
	}
	return j.createTopic(ctx, spec)
}

func (j *job) createTopic(ctx context.Context, spec kafka.TopicSpec) error {
	err := j.Target.CreateTopic(ctx, spec)
	if errors.Is(err, kafka.ErrTopicExists) {
		return nil // another instance was faster
	}
	if err != nil {
		return fmt.Errorf("target, with the source's settings %s (or create it yourself, without what it does not take): %w", settingsText(spec.Settings), err)
	}
	j.Log(ctx).Info("created target topic", "topic", spec.Name, "partitions", spec.Partitions, "settings", settingsText(spec.Settings))
	return nil
}

// output describes a topic that a job writes to beside the target of its source,
// after creating it where it is missing and the job may.
func (j *job) output(ctx context.Context, source kafka.Topic, target targetTopic, name string) (targetTopic, error) {
	topic, err := j.describe(ctx, name, func() error {
		switch {
		case !j.CreateTopics:
			return fmt.Errorf("%w: %s: create it, or let the job create it (CREATE_TOPICS=true)", ErrMissingTopic, name)
		case name == j.DeadLetters.Topic:
			return j.createTopic(ctx, j.DeadLetters.spec(target))
		}
		return j.create(ctx, source, name)
	})
	if id := source.ID.String(); err == nil && id != "" && id == topic.id {
		err = fmt.Errorf("write to topic %s: %w: a job must not feed itself", name, ErrSameTopic)
	}
	return topic, err
}

// TargetSpec is what a copy creates where the target topic is missing: the
// source topic under another name, with those of its settings that can be
// carried over. It reads the settings and creates nothing.
func TargetSpec(ctx context.Context, from Source, source kafka.Topic, name string) (kafka.TopicSpec, error) {
	all, own, err := from.TopicSettings(ctx, source.Name)
	if err != nil {
		return kafka.TopicSpec{}, fmt.Errorf("create target topic %s like the source (or create it yourself): %w", name, err)
	}
	return kafka.TopicSpec{Name: name, Partitions: len(source.Partitions), Settings: portable(all, own)}, nil
}

// Topic settings that a copy looks at, and their values
// (https://kafka.apache.org/documentation/#topicconfigs).
const (
	settingMaxBytes = "max.message.bytes"
	settingTimeType = "message.timestamp.type"
	settingCleanup  = "cleanup.policy"

	settingRetention      = "retention.ms"
	settingRetentionBytes = "retention.bytes"

	logAppendTime   = "LogAppendTime"
	createTime      = "CreateTime"
	defaultMaxBytes = 1048588 // of max.message.bytes
)

// notPortable are settings that speak of the source's brokers, not its records.
var notPortable = []string{
	"leader.replication.throttled.replicas",
	"follower.replication.throttled.replicas",
	"min.insync.replicas",                                                                            // may be more than the target has replicas
	"message.format.version", "message.downconversion.enable", "message.timestamp.difference.max.ms", // gone in 4.0
	"remote.storage.enable", "remote.log.copy.disable", "remote.log.delete.on.disable",
	"local.retention.ms", "local.retention.bytes", // of tiered storage
}

// portable gives the settings of a copy: the topic's own, what it takes of the
// brokers' defaults for the target to take the same records, and that the target
// keeps their times, whatever its brokers' default is.
func portable(all, own map[string]string) map[string]string {
	settings := map[string]string{}
	for key, value := range own {
		if !slices.Contains(notPortable, key) {
			settings[key] = value
		}
	}
	settings[settingTimeType] = createTime
	if n, err := strconv.Atoi(all[settingMaxBytes]); err == nil && n > defaultMaxBytes {
		settings[settingMaxBytes] = all[settingMaxBytes]
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
