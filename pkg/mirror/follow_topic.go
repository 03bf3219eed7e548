package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// followedSettings is what the target of a topic was given.
type followedSettings struct {
	given  map[string]string
	nextAt time.Time // when they are looked at again
	fault  error     // of the last look
}

// prepare makes the target of a topic what the source is: it exists, has its
// partitions at least, and its settings. An error keeps no partition that is
// there from being copied.
func (f *Follower) prepare(ctx context.Context, source kafka.Topic) error {
	if !f.config.CreateTopics {
		return nil
	}
	name := f.config.Topics.Target(source.Name)
	target, err := f.config.Target.Topic(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return f.copier.job.create(ctx, source, name)
	}
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	return errors.Join(f.grow(ctx, source, target), f.followSettings(ctx, source, name))
}

// grow gives the target the partitions that the source has and it has not.
func (f *Follower) grow(ctx context.Context, source, target kafka.Topic) error {
	if len(target.Partitions) >= len(source.Partitions) {
		return nil
	}
	if err := f.config.Target.CreatePartitions(ctx, target.Name, len(source.Partitions)); err != nil {
		return fmt.Errorf("target: %w: the source has %d partitions, add them yourself or allow ALTER on the topic", err, len(source.Partitions))
	}
	f.config.Log(ctx).Info("added partitions to the target topic", "topic", target.Name, "had", len(target.Partitions), "has", len(source.Partitions))
	return nil
}

// followSettings gives the target the source's ACLs, where it is to have them,
// and the source's own settings, as at its creation, unless the target's are
// kept. One that is no longer set on the source goes from the target too, where
// this follower has set it; others of the target are its owner's.
func (f *Follower) followSettings(ctx context.Context, source kafka.Topic, name string) error {
	f.mu.Lock()
	s := f.settings[source.Name]
	if s == nil {
		s = &followedSettings{}
		f.settings[source.Name] = s
	}
	f.mu.Unlock()
	if time.Now().Before(s.nextAt) {
		return s.fault
	}
	s.fault = f.giveACLs(ctx, source.Name, name)
	if !f.config.KeepSettings {
		s.fault = errors.Join(f.giveSettings(ctx, s, source.Name, name), s.fault)
	}
	s.nextAt = time.Now().Add(f.config.Settings)
	return s.fault
}

func (f *Follower) giveACLs(ctx context.Context, source, name string) error {
	if !f.config.ACLs {
		return nil
	}
	given, err := CarryACLs(ctx, f.config.Source, f.config.Target, source, name, false)
	for _, acl := range given {
		f.config.Log(ctx).Info("gave the target topic an ACL", "topic", name, "acl", acl.String())
	}
	return err
}

func (f *Follower) giveSettings(ctx context.Context, s *followedSettings, source, name string) error {
	all, own, err := f.config.Source.TopicSettings(ctx, source)
	if errors.Is(err, kafka.ErrUnsupported) {
		return nil // the source tells none
	}
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	there, ownThere, err := f.config.Target.TopicSettings(ctx, name)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	want, set := portable(all, own), map[string]string{}
	for key, value := range want {
		if there[key] != value {
			set[key] = value
		}
	}
	var remove []string
	for key, value := range s.given {
		if _, still := want[key]; !still && ownThere[key] == value {
			remove = append(remove, key)
		}
	}
	if len(set) > 0 || len(remove) > 0 {
		if err := f.config.Target.AlterTopicSettings(ctx, name, set, remove); err != nil {
			return fmt.Errorf("target: %w: the source has %s, set them yourself or allow ALTER_CONFIGS on the topic", err, settingsText(set))
		}
		f.config.Log(ctx).Info("changed settings of the target topic", "topic", name, "set", settingsText(set), "removed", remove)
	}
	s.given = want
	return nil
}
