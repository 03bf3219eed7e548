package mirror

import (
	"context"
	"fmt"
	"maps"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// discover finds topics and partitions, and gives up those that are gone.
func (f *Follower) discover(ctx context.Context) {
	topics, err := f.config.Source.Topics(ctx)
	if err != nil {
		if kafka.Ended(ctx) == nil {
			f.topicFault(allTopics, fmt.Errorf("source: %w", err))
		}
		return
	}
	f.topicFault(allTopics, nil)
	names := map[string]bool{allTopics: true}
	var group errgroup.Group
	group.SetLimit(polls)
	for _, topic := range topics {
		if !f.config.Select.Match(topic.Name) {
			continue
		}
		names[topic.Name] = true
		group.Go(func() error {
			err := f.admit(ctx, topic.Name)
			admitted := err == nil
			if admitted {
				err = f.prepare(ctx, topic)
			}
			if kafka.Ended(ctx) == nil {
				f.topicFault(topic.Name, err)
				if admitted {
					f.include(topic)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // faults are the topics'
	f.forget(names)
}

// admit asks once for each topic.
func (f *Follower) admit(ctx context.Context, topic string) error {
	f.mu.Lock()
	known := f.admitted[topic] || f.config.Admit == nil
	f.mu.Unlock()
	if known {
		return nil
	}
	if err := f.config.Admit(ctx, topic, f.config.Topics.Target(topic)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.admitted[topic] = true
	return nil
}

// include takes the partitions of a topic, as it is now, to those that are copied.
func (f *Follower) include(topic kafka.Topic) {
	f.mu.Lock()
	defer f.mu.Unlock()
	there := map[int32]bool{}
	for _, p := range topic.Partitions {
		if !f.config.Shard.Has(topic.Name, p.ID) {
			continue
		}
		there[p.ID] = true
		if tp := (topicPartition{topic.Name, p.ID}); f.partitions[tp] == nil {
			f.partitions[tp] = &followed{topic: topic.Name, number: p.ID, end: -1, next: -1}
		}
	}
	for tp, p := range f.partitions {
		if tp.topic == topic.Name && !there[tp.partition] && !p.waiting {
			delete(f.partitions, tp)
		}
	}
}

// forget drops what is known of topics that are gone.
func (f *Follower) forget(names map[string]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, p := range f.partitions {
		if !names[tp.topic] && !p.waiting {
			delete(f.partitions, tp)
		}
	}
	for _, faults := range []map[string]error{f.faults, f.unpolled} {
		maps.DeleteFunc(faults, func(topic string, _ error) bool { return !names[topic] })
	}
	maps.DeleteFunc(f.admitted, func(topic string, _ bool) bool { return !names[topic] })
}

// allTopics is whose fault it is that the source cannot be listed.
const allTopics = ""
