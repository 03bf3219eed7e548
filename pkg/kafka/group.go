package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
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
	// HeartbeatInterval is how soon a member learns of a rebalance (a third of
	// a second by default).
	HeartbeatInterval time.Duration
	// PartitionWatch is how soon a new topic or partition is assigned (2 s by default).
	PartitionWatch time.Duration
}

func (g GroupConfig) withDefaults() GroupConfig {
	if g.SessionTimeout <= 0 {
		g.SessionTimeout = 6 * time.Second
	}
	if g.HeartbeatInterval <= 0 {
		g.HeartbeatInterval = 300 * time.Millisecond
	}
	if g.PartitionWatch <= 0 {
		g.PartitionWatch = 2 * time.Second
	}
	return g
}

// Group is a membership in a consumer group. Next gives one generation after
// the other until Close.
type Group struct {
	group  *kafkago.ConsumerGroup
	config GroupConfig
}

// Group joins a consumer group in the background; Next waits for it.
func (c *Client) Group(config GroupConfig) (*Group, error) {
	config = config.withDefaults()
	group, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID:                     config.ID,
		Topics:                 config.Topics,
		Brokers:                c.config.Brokers,
		Dialer:                 c.dialer(),
		SessionTimeout:         config.SessionTimeout,
		RebalanceTimeout:       config.SessionTimeout,
		HeartbeatInterval:      config.HeartbeatInterval,
		JoinGroupBackoff:       200 * time.Millisecond,
		WatchPartitionChanges:  true,
		PartitionWatchInterval: config.PartitionWatch,
		Timeout:                c.config.RequestTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", config.ID, err)
	}
	return &Group{group: group, config: config}, nil
}

// dialer is what kafka-go's group needs in place of the transport.
func (c *Client) dialer() *kafkago.Dialer {
	return &kafkago.Dialer{
		ClientID:      c.config.ClientID,
		Timeout:       c.config.DialTimeout,
		TLS:           c.transport.TLS,
		SASLMechanism: c.transport.SASL,
		DialFunc:      (&net.Dialer{Timeout: c.config.DialTimeout}).DialContext,
	}
}

// Next waits for the next generation. The one before must have been released.
//
// An error says why this member could not join; calling Next again tries
// again. [ErrGroupClosed] after Close.
func (g *Group) Next(ctx context.Context) (*Generation, error) {
	generation, err := g.group.Next(ctx)
	if errors.Is(err, kafkago.ErrGroupClosed) {
		return nil, ErrGroupClosed
	}
	if err != nil {
		return nil, fmt.Errorf("join group %s for %s: %w", g.config.ID, strings.Join(g.config.Topics, ","), translate(err))
	}
	return newGeneration(generation), nil
}

// ErrGroupClosed is what Next gives once the group was closed.
var ErrGroupClosed = errors.New("consumer group is closed")

// Close leaves the group, so that the others take over at once. It waits for
// the generation to be released.
func (g *Group) Close() error {
	if err := g.group.Close(); err != nil {
		return fmt.Errorf("leave group %s: %w", g.config.ID, err)
	}
	return nil
}

// Generation is the time between two rebalances, in which this member has the
// same partitions.
type Generation struct {
	// Number is the generation's id in the group.
	Number int32
	// Assigned lists this member's partitions of each topic.
	Assigned map[string][]int32

	generation *kafkago.Generation
	ctx        context.Context
	release    chan struct{}
	once       sync.Once
}

func newGeneration(generation *kafkago.Generation) *Generation {
	g := &Generation{
		Number:     generation.ID,
		Assigned:   map[string][]int32{},
		generation: generation,
		release:    make(chan struct{}),
	}
	for topic, partitions := range generation.Assignments {
		for _, p := range partitions {
			g.Assigned[topic] = append(g.Assigned[topic], int32(p.ID))
		}
	}
	started := make(chan context.Context)
	generation.Start(func(ctx context.Context) {
		started <- ctx
		// kafka-go ends the generation when this returns, and begins the next
		// one only when it has: it has to outlive the work
		<-ctx.Done()
		<-g.release
	})
	g.ctx = <-started
	return g
}

// Context ends when the generation does: a rebalance, a lost coordinator, or
// the group was closed. Work of this generation must stop then.
func (g *Generation) Context() context.Context { return g.ctx }

// Release says that no work of this generation is going on any more; only
// then does the next one begin. It may be called more than once.
func (g *Generation) Release() { g.once.Do(func() { close(g.release) }) }

// Commit sets the group's next offset of one partition. [ErrNotCoordinated]
// where the generation has ended in the meantime: another member has the
// partition, or will get it, and begins at the offset committed before.
func (g *Generation) Commit(topic string, partition int32, offset int64) error {
	err := g.generation.CommitOffsets(map[string]map[int]int64{topic: {int(partition): offset}})
	if err != nil {
		return fmt.Errorf("commit offset %d of %s/%d for group %s: %w", offset, topic, partition, g.generation.GroupID, translate(err))
	}
	return nil
}
