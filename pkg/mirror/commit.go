package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// transaction is what a partition has written to the target and not committed
// yet. It holds chunk after chunk, because its end costs the target's brokers
// several writes, and none of their memory: after an accident the source is
// read again from the checkpoint on.
type transaction struct {
	*partition
	result *PartitionResult // gets what has been committed
	sum    *chunk           // of the chunks, without their batches; nil: nothing is open
	runs   OffsetMap        // of the chunks
	begun  time.Time        // when sum was nil the last time
	due    <-chan time.Time // when it is committed, though the next chunk is not there
}

// take writes what was planned, and commits where nothing more should be
// waited for. Without more the range is done, or ctx has ended.
func (t *transaction) take(ctx context.Context, next planned, more bool) error {
	if next.chunk != nil {
		if err := t.write(ctx, next.chunk); err != nil {
			return err
		}
	}
	if !more && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !more || next.err != nil || t.full(ctx) {
		if err := t.commit(ctx); err != nil {
			return err
		}
	}
	return next.err
}

// write adds a chunk.
func (t *transaction) write(ctx context.Context, c *chunk) error {
	if t.sum == nil {
		t.begun = time.Now()
	}
	t.writing = true
	for target, batches := range c.batches {
		offsets, err := t.producer.Produce(ctx, target.topic, target.partition, batches)
		if err != nil {
			return t.refused(c, target, err)
		}
		if target.partition == t.number && t.maps() {
			t.runs.note(c.from[target], offsets)
		}
	}
	for _, memory := range c.built {
		t.built.Put(memory)
	}
	if t.sum == nil {
		t.sum, t.due = &chunk{}, time.After(time.Until(t.begun.Add(t.CommitInterval)))
	}
	t.sum.next, t.sum.epoch = c.next, c.epoch
	t.sum.plus(c.sum)
	return nil
}

// full says that no further chunk should be waited for. Near the deadline each
// is committed at once: what is not committed then was done for nothing.
func (t *transaction) full(ctx context.Context) bool {
	if t.sum == nil {
		return false
	}
	deadline, ok := ctx.Deadline()
	return t.sum.bytes >= int64(t.TransactionBytes) ||
		time.Since(t.begun) >= t.CommitInterval ||
		ok && time.Until(deadline) < 2*t.CommitInterval
}

// done says that so many bytes have been committed; 0 is no bound.
func (t *transaction) done(most int64) bool {
	return most > 0 && t.sum == nil && t.result.Bytes >= most
}

// commit ends the transaction, with the checkpoint in it. Before that it makes
// sure that the target topic is still the one of the checkpoint: ids never come
// back, so the records have gone to that topic.
func (t *transaction) commit(ctx context.Context) error {
	if t.sum == nil {
		return nil
	}
	known := note{identity: t.known, mapState: t.offsets, At: time.Now().Unix()}
	known.Epoch = t.sum.epoch
	if err := t.mapInto(ctx, &known); err != nil {
		return err
	}
	same := make(chan error, 1)
	go func() { same <- t.sameTarget(ctx) }()
	err := t.checkpoint(ctx, kafka.Committed{Offset: t.sum.next, Metadata: known.encode()})
	if err := errors.Join(<-same, err); err != nil {
		return err
	}
	if err := t.producer.Commit(ctx); err != nil {
		return err
	}
	t.halved, t.writing = max(t.halved-1, 0), false
	t.next, t.known, t.offsets, t.committed = t.sum.next, known.identity, known.mapState, time.Unix(known.At, 0)
	t.result.add(t.sum)
	t.sum, t.due, t.runs = nil, nil, OffsetMap{}
	t.noted, t.proven = nil, true
	return nil
}

// checkpoint puts the checkpoint into the transaction.
func (p *partition) checkpoint(ctx context.Context, c kafka.Committed) error {
	err := p.producer.CommitOffsets(ctx, p.group(), p.target.name, map[int32]kafka.Committed{checkpointPartition: c})
	if err != nil || time.Since(p.attested) < witnessEvery {
		return err
	}
	p.attested = time.Now()
	return p.tellWitness(ctx, c)
}

// sameTarget says whether the target topic is the one that was opened.
func (p *partition) sameTarget(ctx context.Context) error {
	now, err := p.Target.Topic(ctx, p.target.name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return fmt.Errorf("%w: target: %w", errReopen, err)
	}
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if id := now.ID.String(); differs(p.target.id, id) {
		return p.recreated(p.next, p.theTarget(), replaced(p.target.id, id))
	}
	if len(now.Partitions) != int(p.target.partitions) {
		return fmt.Errorf("%w: target topic %s has %d partitions now", errReopen, p.target.name, len(now.Partitions))
	}
	return nil
}

// refused gives an error of the target the source offset that it is about.
//
// A batch of several records that is too large, against what the settings say,
// is divided by the next try. Whatever else is refused for good stops the
// partition, but not before the next try has copied what comes before it.
func (p *partition) refused(c *chunk, target destination, err error) error {
	var refused *kafka.RefusedError
	if !errors.As(err, &refused) {
		return fmt.Errorf("copy %s/%d from offset %d: %w", p.topic, p.number, p.next, err)
	}
	first := c.from[target][refused.Index][0].first
	tooLarge := errors.Is(err, kafka.ErrTooLarge)
	err = fmt.Errorf("copy %s/%d: the batch from offset %d on: %w", p.topic, p.number, first, err)
	switch {
	case kafka.Retriable(err) || errors.Is(err, kafka.ErrFenced):
		return err
	case (tooLarge || p.Process != nil && ofRecord(err)) && c.batches[target][refused.Index].Count() > 1:
		p.ceiling = refused.Bytes / 2 // of a job, the one record of it is looked for
		return fmt.Errorf("%w: %w", errReopen, err)
	case tooLarge:
		limit := p.target.maxBytes
		if refused.Bytes <= limit || target.topic != p.target.name {
			limit = 0 // it is not that one
		}
		err = &TooLargeError{Topic: p.topic, Partition: p.number, Offset: first, Size: refused.Bytes, Target: target.topic, Limit: limit}
	}
	switch {
	case p.Process == nil && first == p.next:
		return err // there is nothing before it
	case p.Process != nil && (!ofRecord(err) || p.block != nil && p.block.offset == first):
		return err // it is no fault of the record, or its dead letter is refused, too
	}
	p.block = &block{offset: first, err: err}
	return fmt.Errorf("%w: %w", errReopen, err)
}

// ofRecord says that the target refuses a record for what it is.
func ofRecord(err error) bool {
	return errors.Is(err, ErrTooLarge) || errors.Is(err, kafka.ErrTooLarge) || errors.Is(err, kafka.ErrTimestampRefused) || errors.Is(err, kafka.ErrInvalidRecord)
}

// block is a record that the target has refused, and why.
type block struct {
	offset int64
	err    error
}

func (r *PartitionResult) add(c *chunk) {
	r.Next = c.next
	r.Records += c.records
	r.Bytes += c.bytes
	r.Passed += c.passed
	r.Rebuilt += c.rebuilt
	r.Handled += c.handled
	r.DeadLetters += c.letters
	r.Dropped += c.dropped
}
