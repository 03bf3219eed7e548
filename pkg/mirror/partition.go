package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// partition is the copy of one source partition, kept warm between calls: as
// long as nothing went wrong it knows its own last commit.
type partition struct {
	config   Config
	topics   *topics
	topic    string
	number   int32
	producer *kafka.Transactional // nil: cold; fence and read the checkpoint first
	source   kafka.Topic
	target   targetTopic
	next     int64
}

// refences is how often one call takes the transactional id back from another
// instance. In the cloud the invocations of a partition move between warm
// instances, so the newest call is in the right; two that run at once must not
// fence each other for ever.
const refences = 2

// copy brings the partition up to rng.Last, from the checkpoint on.
func (p *partition) copy(ctx context.Context, rng Range) (PartitionResult, error) {
	return p.persist(ctx, rng, func(ctx context.Context, result *PartitionResult) error {
		if err := p.open(ctx, rng.First); err != nil {
			return err
		}
		result.Target = p.target.name
		return p.run(ctx, rng.Last, result)
	})
}

// persist repeats work that a retry can help. After any error the warm state
// is thrown away: the next try fences and reads back what was committed.
func (p *partition) persist(ctx context.Context, rng Range, work func(context.Context, *PartitionResult) error) (PartitionResult, error) {
	result := PartitionResult{Range: rng, Target: p.config.Topics.Target(rng.Topic)}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 20*time.Millisecond, 2*time.Second
	fenced := 0
	for since, done := time.Now(), int64(0); ; {
		err := work(ctx, &result)
		result.Next = p.next
		if err == nil {
			return result, nil
		}
		p.producer = nil
		if result.Records > done { // progress: the bound counts from here
			since, done, fenced = time.Now(), result.Records, 0
			wait.Reset()
		}
		switch {
		case ctx.Err() != nil:
			return result, fmt.Errorf("stopped before offset %d of %s/%d: %w", p.next, p.topic, p.number, err)
		case errors.Is(err, kafka.ErrFenced) && fenced < refences:
			fenced++
		case !kafka.Retriable(err) || time.Since(since) > p.config.RetryFor:
			return result, err
		}
		p.config.Log.Debug("copy is repeated", "topic", p.topic, "partition", p.number, "offset", p.next, "reason", err)
		select {
		case <-ctx.Done():
		case <-time.After(wait.NextBackOff()):
		}
	}
}

// open makes a cold partition warm: first fence, then read.
func (p *partition) open(ctx context.Context, first int64) error {
	if p.producer != nil {
		return nil
	}
	source, err := p.topics.source(ctx, p.topic)
	if err != nil {
		return err
	}
	target, err := p.topics.target(ctx, source)
	if err != nil {
		return err
	}
	group := CheckpointGroup(p.config.Job, p.topic, p.number)
	producer, err := p.config.Target.Transactional(ctx, group, p.config.TransactionTimeout)
	if err != nil {
		return err
	}
	checkpoint, err := committed(ctx, p.config.Target, group, target.name)
	if err != nil {
		return fmt.Errorf("checkpoint of %s/%d: %w", p.topic, p.number, err)
	}
	p.next = checkpoint.Offset
	if p.next < 0 {
		p.next = first
	}
	if err := p.sameTopics(decodeIdentity(checkpoint.Metadata), source, target); err != nil {
		return err
	}
	p.source, p.target, p.producer = source, target, producer
	return nil
}

// sameTopics compares the topics with those of the checkpoint.
func (p *partition) sameTopics(then identity, source kafka.Topic, target targetTopic) error {
	recreated := &RecreatedError{Job: p.config.Job, Topic: p.topic, Partition: p.number, Next: p.next}
	switch {
	case differs(then.Source, source.ID.String()):
		recreated.Which = "the source topic"
		recreated.Evidence = fmt.Sprintf("topic id was %s and is %s", then.Source, source.ID)
	case differs(then.Target, target.id):
		recreated.Which = "the target topic " + target.name
		recreated.Evidence = fmt.Sprintf("topic id was %s and is %s", then.Target, target.id)
	default:
		return nil
	}
	return recreated
}

// run copies chunk by chunk.
func (p *partition) run(ctx context.Context, last int64, result *PartitionResult) error {
	if p.next > last {
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	r := &reader{
		config: p.config, source: p.source, next: p.next, last: last,
		policy:  p.sourcePolicy(ctx),
		planner: newPlanner(p.topic, p.number, len(p.source.Partitions), p.target, p.config.Codec),
	}
	chunks := r.chunks(ctx)
	defer func() {
		stop()
		for range chunks { // the buffers are the reader's until it has ended
		}
	}()
	for planned := range chunks {
		if planned.chunk != nil {
			if err := p.commit(ctx, planned.chunk); err != nil {
				return err
			}
			result.add(planned.chunk)
		}
		if planned.err != nil {
			return planned.err
		}
	}
	if p.next <= last {
		return context.Cause(ctx)
	}
	return nil
}

// sourcePolicy asks for the cleanup.policy once. Where it may not be read the
// topic counts as compacted: better no alarm than a false one.
func (p *partition) sourcePolicy(ctx context.Context) func() string {
	policy := ""
	return func() string {
		if policy == "" {
			all, _, err := p.config.Source.TopicSettings(ctx, p.topic)
			if policy = all["cleanup.policy"]; err != nil || policy == "" {
				policy = "compact"
			}
		}
		return policy
	}
}

// commit writes a chunk and the checkpoint after it in one transaction.
func (p *partition) commit(ctx context.Context, c *chunk) error {
	for target, batches := range c.batches {
		if err := p.producer.Produce(ctx, p.target.name, target, batches); err != nil {
			return p.refused(c.firsts[target], err)
		}
	}
	checkpoint := kafka.Committed{
		Offset:   c.next,
		Metadata: identity{Source: p.source.ID.String(), Target: p.target.id}.encode(),
	}
	group := CheckpointGroup(p.config.Job, p.topic, p.number)
	if err := p.producer.CommitOffsets(ctx, group, p.target.name, map[int32]kafka.Committed{checkpointPartition: checkpoint}); err != nil {
		return err
	}
	if err := p.producer.Commit(ctx); err != nil {
		return err
	}
	p.next = c.next
	return nil
}

// refused gives an error of the target the source offset that it is about.
func (p *partition) refused(firsts []int64, err error) error {
	var refused *kafka.RefusedError
	if !errors.As(err, &refused) {
		return fmt.Errorf("copy %s/%d from offset %d: %w", p.topic, p.number, p.next, err)
	}
	first := firsts[refused.Index]
	if errors.Is(err, kafka.ErrTooLarge) {
		return &TooLargeError{Topic: p.topic, Partition: p.number, Offset: first, Size: refused.Bytes, Target: p.target.name, Limit: p.target.maxBytes}
	}
	return fmt.Errorf("copy %s/%d: the batch from offset %d on: %w", p.topic, p.number, first, err)
}

func (r *PartitionResult) add(c *chunk) {
	r.Next = c.next
	r.Records += c.records
	r.Bytes += c.bytes
	r.Passed += c.passed
	r.Rebuilt += c.rebuilt
}
