package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// GroupConfig is one member of a consumer group.
type GroupConfig struct {
	ID     string
	Topics []string
	// SessionTimeout is how long the group waits for a member that has died
	// (6 s by default, the least that brokers allow by default).
	SessionTimeout time.Duration
	// RebalanceTimeout is how long a rebalance waits for members to release
	// their generation (a minute by default).
	RebalanceTimeout time.Duration
	// HeartbeatInterval is how soon a member learns of a rebalance (a third of
	// a second by default).
	HeartbeatInterval time.Duration
	// PartitionWatch is how soon a new topic or partition is assigned (2 s by default).
	PartitionWatch time.Duration
}

func (g GroupConfig) withDefaults() GroupConfig {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&g.SessionTimeout, 6 * time.Second},
		{&g.RebalanceTimeout, time.Minute},
		{&g.HeartbeatInterval, 300 * time.Millisecond},
		{&g.PartitionWatch, 2 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	return g
}

// joinBackOff is the pause after an error before the next attempt to join.
const joinBackOff = 200 * time.Millisecond

// Group is a membership in a consumer group. Next gives one generation after
// the other until Close. The client must stay open for as long.
type Group struct {
	c      *Client
	config GroupConfig
	kafka  kafkago.ConsumerGroupConfig

	mu     sync.Mutex
	group  *kafkago.ConsumerGroup // nil until the first Next
	closed bool
	shapes map[string]shape // of the topics, as the generation knows them
}

// Group prepares a membership in a consumer group; the first Next joins.
func (c *Client) Group(config GroupConfig) (*Group, error) {
	config = config.withDefaults()
	g := &Group{c: c, config: config, kafka: kafkago.ConsumerGroupConfig{
		ID:                config.ID,
		Topics:            config.Topics,
		Brokers:           c.config.Brokers,
		Dialer:            c.groupDialer(),
		SessionTimeout:    config.SessionTimeout,
		RebalanceTimeout:  config.RebalanceTimeout,
		HeartbeatInterval: config.HeartbeatInterval,
		JoinGroupBackoff:  joinBackOff,
		Timeout:           c.config.RequestTimeout,
	}}
	if err := g.kafka.Validate(); err != nil {
		return nil, fmt.Errorf("join group %q for %q: %w", config.ID, config.Topics, err)
	}
	return g, nil
}

// groupDialer is what kafka-go's group needs in place of the transport.
func (c *Client) groupDialer() *kafkago.Dialer {
	return &kafkago.Dialer{
		ClientID:      c.config.ClientID,
		Timeout:       c.config.DialTimeout,
		SASLMechanism: c.transport.SASL,
		DialFunc:      c.network.connect,
	}
}

// Next waits for the next generation. The one before must have been released.
//
// What passes by itself, a coordinator that loads or a rebalance that goes on,
// is waited out for at most twice the request time-out. Any other error says
// why this member could not join; calling Next again tries again.
// [ErrGroupClosed] after Close.
func (g *Group) Next(ctx context.Context) (*Generation, error) {
	for begun := time.Now(); ; {
		generation, err := g.next(ctx)
		switch {
		case err == nil:
			return g.generation(ctx, generation), nil
		case errors.Is(err, ErrGroupClosed):
			return nil, ErrGroupClosed
		case Ended(ctx) != nil:
			err = &endedError{cause: Ended(ctx), err: err}
		case (retryOf(err) == again || errors.Is(err, ErrNotCoordinated)) && time.Since(begun) < 2*g.c.config.RequestTimeout:
			continue // kafka-go pauses before it joins again
		}
		return nil, fmt.Errorf("join group %s for %s: %w", g.config.ID, strings.Join(g.config.Topics, ","), err)
	}
}

func (g *Group) next(ctx context.Context) (*kafkago.Generation, error) {
	group, err := g.join(ctx)
	if err != nil {
		return nil, err
	}
	generation, err := group.Next(ctx)
	if errors.Is(err, kafkago.ErrGroupClosed) {
		return nil, ErrGroupClosed
	}
	return generation, translate(err)
}

// join begins the membership. What the topics look like is noted before, so
// that a partition that comes while we join is not missed.
func (g *Group) join(ctx context.Context) (*kafkago.ConsumerGroup, error) {
	if group, err := g.joined(); group != nil || err != nil {
		return group, err
	}
	shapes, err := g.look(ctx)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrGroupClosed
	}
	if g.group == nil {
		g.shapes = shapes
		g.group, err = kafkago.NewConsumerGroup(g.kafka)
	}
	return g.group, err
}

// joined gives the membership where there is one.
func (g *Group) joined() (*kafkago.ConsumerGroup, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrGroupClosed
	}
	return g.group, nil
}

// Close leaves the group, so that the others take over at once. It waits for
// the generation to be released, and for a join that is under way.
func (g *Group) Close() error {
	g.mu.Lock()
	g.closed = true
	group := g.group
	g.mu.Unlock()
	if group == nil {
		return nil
	}
	if err := group.Close(); err != nil {
		return fmt.Errorf("leave group %s: %w", g.config.ID, err)
	}
	return nil
}

// shape is what makes a rebalance necessary when it changes.
type shape struct {
	id         TopicID
	partitions int
}

// look notes the shapes of the topics. One that does not exist has none.
func (g *Group) look(ctx context.Context) (map[string]shape, error) {
	shapes := map[string]shape{}
	for _, name := range g.config.Topics {
		topic, err := g.c.Topic(ctx, name)
		if errors.Is(err, ErrUnknownTopic) {
			continue
		}
		if err != nil {
			return nil, err
		}
		shapes[name] = shape{id: topic.ID, partitions: len(topic.Partitions)}
	}
	return shapes, nil
}

// beforeJoin notes what the topics look like when the next generation's
// partitions are assigned, or a moment before: a partition that comes in
// between means a rebalance too many, never one too few.
func (g *Group) beforeJoin(ctx context.Context) {
	if _, err := g.joined(); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, g.config.SessionTimeout)
	defer cancel()
	if shapes, err := g.look(ctx); err == nil {
		g.mu.Lock()
		g.shapes = shapes
		g.mu.Unlock()
	}
}

// watch returns when the topics do not look any more as the generation knows
// them, or when ctx ends. It replaces kafka-go's own watch, which ends a
// generation at once where a topic does not exist, over and over again.
func (g *Group) watch(ctx context.Context) {
	for sleep(ctx, g.config.PartitionWatch) == nil {
		shapes, err := g.look(ctx)
		if err != nil {
			continue // a broker that is away for a moment; heartbeats notice what matters
		}
		g.mu.Lock()
		same := maps.Equal(shapes, g.shapes)
		g.shapes = shapes
		g.mu.Unlock()
		if !same {
			return
		}
	}
}
