package kafka

import (
	"context"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
)

// Generation is the time between two rebalances, in which this member has the
// same partitions.
type Generation struct {
	// Number is the generation's id in the group.
	Number int32
	// Assigned lists this member's partitions of each topic.
	Assigned map[string][]int32

	generation *kafkago.Generation
	ctx        context.Context // until the generation ends
	released   context.Context // until its work is done, too
	release    context.CancelFunc
}

// generation begins the work of a generation. ctx gives values only.
func (g *Group) generation(ctx context.Context, kafka *kafkago.Generation) *Generation {
	released, release := context.WithCancel(context.WithoutCancel(ctx))
	ctx, end := context.WithCancelCause(released)
	generation := &Generation{
		Number: kafka.ID, Assigned: map[string][]int32{}, generation: kafka,
		ctx: ctx, released: released, release: release,
	}
	for topic, partitions := range kafka.Assignments {
		for _, p := range partitions {
			generation.Assigned[topic] = append(generation.Assigned[topic], int32(p.ID))
		}
	}
	// kafka-go ends the generation when one of these returns, and begins the
	// next one only when all have
	kafka.Start(func(context.Context) { g.watch(ctx) })
	kafka.Start(func(ended context.Context) {
		<-ended.Done()
		end(ErrNotCoordinated)
		g.awaitRelease(released, kafka)
		g.beforeJoin(context.WithoutCancel(released))
	})
	return generation
}

// awaitRelease keeps the membership while the work of a generation that has
// ended is completed. kafka-go has stopped its heartbeats by then: without
// them the group would give the member up after the session time-out.
func (g *Group) awaitRelease(released context.Context, kafka *kafkago.Generation) {
	for sleep(released, g.config.HeartbeatInterval) == nil {
		// why: the answer says that there is a rebalance, which we know
		_ = g.c.call(released, 0, func(ctx context.Context) error {
			_, err := g.c.client.Heartbeat(ctx, &kafkago.HeartbeatRequest{
				GroupID: g.config.ID, GenerationID: kafka.ID, MemberID: kafka.MemberID,
			})
			return err
		})
	}
}

// Context ends when the generation does: a rebalance, a lost coordinator, or
// the group was closed. Its cause is [ErrNotCoordinated]. Work of this
// generation must stop then, and the generation be released.
func (g *Generation) Context() context.Context { return g.ctx }

// Release says that no work of this generation is going on any more; only
// then does the next one begin. Until then the group waits, for at most the
// RebalanceTimeout. It may be called more than once.
func (g *Generation) Release() { g.release() }

// Commit sets the group's next offset of one partition. [ErrNotCoordinated]
// where the generation has ended in the meantime: another member has the
// partition, or will get it, and begins at the offset committed before.
// A commit while the group waits for the release still counts.
func (g *Generation) Commit(topic string, partition int32, offset int64) error {
	err := ErrNotCoordinated
	if g.released.Err() == nil {
		err = translate(g.generation.CommitOffsets(map[string]map[int]int64{topic: {int(partition): offset}}))
	}
	if err != nil {
		return fmt.Errorf("commit offset %d of %s/%d for group %s: %w", offset, topic, partition, g.generation.GroupID, err)
	}
	return nil
}
