package mirror

import (
	"context"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// partition is the copy of one source partition, kept warm between calls: as
// long as nothing went wrong it knows its own last commit.
type partition struct {
	*job
	subject

	producer *kafka.Transactional // nil: cold; fence and read the checkpoint first
	source   kafka.Topic
	target   targetTopic
	next     int64     // the checkpoint; -1 until it was read
	opened   bool      // by the call that is under way: both topics have just been looked at
	known    identity  // the topics that next belongs to
	offsets  mapState  // what the checkpoint says of the offset map
	attested time.Time // when the witness was told them; zero: not by this producer

	processor Processor // nil: the records are copied
	held      *held
	isolation

	committed time.Time // when the checkpoint was

	perOffset int64 // of the last reader
	halved    int   // how often the chunks were, because calls have ended without progress
	writing   bool  // a transaction was begun and not committed

	// What a call has learnt from a refusal of the target, for its next try.
	ceiling int    // smaller than a batch of several records that was too large; 0: none
	block   *block // where the copy must stop; nil: nowhere
}

func newPartition(j *job, topic string, number int32) *partition {
	return &partition{job: j, subject: subject{name: j.Job, topic: topic, number: number, to: j.Topics.Target(topic)}, next: -1, isolation: isolation{suspicion: suspicion{suspect: -1}}}
}

// subject is what errors speak of.
type subject struct {
	name   string // of the job
	topic  string // of the source
	number int32
	to     string // target topic
}

func (s subject) group() string { return CheckpointGroup(s.name, s.topic, s.number) }

// theSource is a topic in words, for a RecreatedError.
const theSource = "the source topic"

func (s subject) theTarget() string { return "the target topic " + s.to }

func (s subject) recreated(next int64, which, evidence string) error {
	return &RecreatedError{Job: s.name, Topic: s.topic, Partition: s.number, Target: s.to, Next: next, Which: which, Evidence: evidence}
}

func replaced(then, now string) string {
	return fmt.Sprintf("topic id was %s and is %s: it was deleted and created again", then, now)
}

func wentBack(end int64) string {
	return fmt.Sprintf("its log ends at offset %d: it was deleted and created again, or lost its end in an unclean leader election", end)
}

func (s subject) gone(next, available int64) error {
	return &GapError{Job: s.name, Topic: s.topic, Partition: s.number, Target: s.to, Next: next, Available: available}
}

// copy brings the partition up to rng.Last, from the checkpoint on, or as far
// as it gets with about so many bytes; 0 is no bound.
func (p *partition) copy(ctx context.Context, rng Range, most int64) (PartitionResult, error) {
	return p.persist(ctx, rng, func(ctx context.Context, result *PartitionResult) error {
		if err := p.open(ctx, rng.First); err != nil {
			return err
		}
		if p.next > rng.Last {
			return p.unchanged(ctx)
		}
		if p.Process == nil {
			return p.run(ctx, rng.Last, most, result)
		}
		return p.process(ctx, rng.Last, most, func(ctx context.Context, last, most int64) error {
			return p.run(ctx, last, most, result)
		})
	})
}

// open makes a cold partition warm: first fence, then read.
func (p *partition) open(ctx context.Context, first int64) error {
	p.opened = p.producer == nil
	if !p.opened {
		return nil
	}
	p.writing = false
	source, err := p.job.source(ctx, p.topic)
	if err != nil {
		return err
	}
	target, err := p.job.target(ctx, source)
	if err != nil {
		return err
	}
	if id := source.ID.String(); id != "" && id == target.id {
		return fmt.Errorf("copy %s to %s: %w (id %s): name another target cluster, or another topic (TOPICS)", p.topic, target.name, ErrSameTopic, id)
	}
	if p.KeepPartitions && p.number >= target.partitions {
		return fmt.Errorf("copy %s/%d: %w: %s has %d", p.topic, p.number, ErrMissingPartition, target.name, target.partitions)
	}
	producer, err := p.Target.Transactional(ctx, p.group(), p.TransactionTimeout)
	if err != nil {
		return err
	}
	checkpoint, err := committed(ctx, p.Target, p.group(), target.name)
	if err != nil {
		return fmt.Errorf("checkpoint of %s/%d: %w", p.topic, p.number, err)
	}
	var noted *attempt
	if checkpoint.Offset >= 0 {
		known := decodeNote(checkpoint.Metadata)
		noted = known.Trying
		if known.Closed {
			return fmt.Errorf("copy %s/%d: %w at offset %d", p.topic, p.number, ErrClosed, checkpoint.Offset)
		}
		p.next, p.known, p.offsets, p.committed = checkpoint.Offset, known.identity, known.mapState, time.Unix(known.At, 0)
	} else if err := p.begin(ctx, first); err != nil {
		return fmt.Errorf("checkpoint of %s/%d: %w", p.topic, p.number, err)
	}
	if err := p.sameTopics(source, target); err != nil {
		return err
	}
	if p.Process != nil {
		p.processor = p.Process(p.topic, p.number)
		if err := p.remember(ctx); err != nil {
			return err
		}
		if p.held, err = p.holding(ctx, target); err != nil {
			return err
		}
	}
	p.reopen(noted, p.next, p.token)
	p.known.Source, p.known.Target = source.ID.String(), target.id
	p.source, p.target, p.producer, p.attested = source, target, producer, time.Time{}
	if p.byKey() {
		p.Log(ctx).Info("partition counts differ: records are placed by key", "topic", p.topic,
			"partitions", len(source.Partitions), "target", target.name, "target_partitions", target.partitions)
	}
	return nil
}

// begin is for a partition without a checkpoint: the first copy, or one whose
// checkpoint went with a target topic that was deleted. What this instance
// does not remember of that itself, the witness may.
func (p *partition) begin(ctx context.Context, first int64) (err error) {
	p.next, p.offsets = first, mapState{Mapped: new(int64)}
	if p.known == (identity{}) {
		if p.known, err = p.askWitness(ctx); err != nil {
			return err
		}
	}
	if err := p.notLost(ctx); err != nil || p.From == nil {
		return err
	}
	earliest, err := p.From.Offsets(ctx, p.topic, kafka.Earliest, p.number)
	if err != nil {
		return err
	}
	switch there := earliest[p.number]; {
	case p.following:
		p.next = there
	case there >= first: // above it there is a gap, which the fetch will name
	case p.FromEarliest:
		p.next = there
	default:
		p.Log(ctx).Warn("the first copy of a partition begins in its middle: what is before that will never be copied",
			"topic", p.topic, "partition", p.number, "begins_at", first, "earliest", there)
	}
	return nil
}

// notLost is an error where a first copy would be none.
func (p *partition) notLost(ctx context.Context) error {
	target := p.job.Topics.Target(p.topic)
	lost := p.Begun != nil && p.Begun(p.topic, p.number)
	if p.Exclusive && !lost {
		var err error
		if lost, err = HoldsRecords(ctx, p.Target, target, p.number); err != nil {
			return fmt.Errorf("target: %w", err)
		}
	}
	if !lost {
		return nil
	}
	// Between the look at the checkpoint and this one another instance may have
	// fenced this one and begun.
	now, err := committed(ctx, p.Target, p.group(), target)
	if err != nil {
		return err
	}
	if now.Offset >= 0 {
		return fmt.Errorf("copy %s/%d: another instance has begun: %w", p.topic, p.number, kafka.ErrFenced)
	}
	return fmt.Errorf("copy %s/%d: %w: it has expired (offsets.retention.minutes) or was deleted; copying from the beginning would double what %s holds. "+
		"Find out how far it was (etl verify), then: etl offsets reset %s --partition %d --to OFFSET --execute",
		p.topic, p.number, ErrLostCheckpoint, target, jobFlags(p.name, p.topic, target), p.number)
}

// HoldsRecords says whether a partition has committed records. One whose first
// copy was killed has offsets without: what was aborted, and its marker.
func HoldsRecords(ctx context.Context, c *kafka.Client, topic string, partition int32) (bool, error) {
	earliest, err := c.Offsets(ctx, topic, kafka.Earliest, partition)
	if err != nil {
		return false, err
	}
	ends, err := c.StableOffsets(ctx, topic, partition)
	if err != nil {
		return false, err
	}
	for next := earliest[partition]; next < ends[partition]; {
		fetched, err := c.FetchRecords(ctx, kafka.FetchRequest{Topic: topic, Partition: partition, Offset: next, MinBytes: 1, MaxBytes: 64 << 10, MaxWait: fetchWait, ReadCommitted: true})
		if err != nil || len(fetched.Records) > 0 {
			return len(fetched.Records) > 0, err
		}
		next = fetched.Next
	}
	return false, nil
}

// sameTopics compares the topics with those of the checkpoint.
func (p *partition) sameTopics(source kafka.Topic, target targetTopic) error {
	if now := source.ID.String(); differs(p.known.Source, now) {
		return p.recreated(p.next, theSource, replaced(p.known.Source, now))
	}
	if differs(p.known.Target, target.id) {
		return p.recreated(p.next, p.theTarget(), replaced(p.known.Target, target.id))
	}
	return nil
}

// unchanged makes sure that offsets which count as copied are those of the
// same topic still, and that the records are in the topic that is there now.
func (p *partition) unchanged(ctx context.Context) error {
	if !p.opened {
		if err := p.sameTarget(ctx); err != nil {
			return err
		}
	}
	source, err := p.job.source(ctx, p.topic)
	if err != nil {
		return err
	}
	if err := p.sameTopics(source, p.target); err != nil {
		return err
	}
	// The id stays where an unclean election takes the end of the log away.
	latest, err := p.From.Offsets(ctx, p.topic, kafka.Latest, p.number)
	if err != nil {
		return err
	}
	if end := latest[p.number]; end < p.next {
		return p.recreated(p.next, theSource, wentBack(end))
	}
	if time.Since(p.committed) < keepCheckpoint {
		return nil
	}
	return p.recommit(ctx)
}

// keepCheckpoint is how old a checkpoint may become while nothing is copied: a
// broker lets offsets of a group without members expire, after a day at the
// earliest by its defaults (offsets.retention.minutes, 0.11 to 1.1).
const keepCheckpoint = 6 * time.Hour

// recommit commits the checkpoint again, as it is.
func (p *partition) recommit(ctx context.Context) error {
	now := time.Now()
	n := note{identity: p.known, mapState: p.offsets, At: now.Unix()}
	p.attested = time.Time{} // the witness as well
	if err := p.checkpoint(ctx, kafka.Committed{Offset: p.next, Metadata: n.encode()}); err != nil {
		return err
	}
	if err := p.producer.Commit(ctx); err != nil {
		return err
	}
	p.committed = now
	return nil
}

// mostHalved makes 64 KiB of the default.
const mostHalved = 6

// chunk is about how many bytes a chunk has.
func (p *partition) chunk() int {
	return max(p.ChunkBytes>>p.halved, min(leastChunkBytes, p.ChunkBytes))
}

// run copies chunk by chunk.
func (p *partition) run(ctx context.Context, last, most int64, result *PartitionResult) error {
	buffers, ok := p.buffers.Get().(*[2]kafka.Buffer)
	if !ok {
		buffers = new([2]kafka.Buffer)
	}
	ctx, stop := context.WithCancel(ctx)
	processing := p.newProcessing(ctx, last)
	defer p.judge(processing, p.next)
	r := newReader(p, processing, last, buffers)
	chunks := r.chunks(ctx)
	defer func() {
		stop()
		for range chunks { // the buffers are the reader's until it has ended
		}
		p.perOffset = r.perOffset
		p.buffers.Put(buffers)
	}()
	if !p.opened {
		if err := p.sameTarget(ctx); err != nil { // while the first chunk is fetched
			return err
		}
	}
	open := transaction{partition: p, result: result}
	for {
		select {
		case planned, more := <-chunks:
			if err := open.take(ctx, planned, more); err != nil || !more || open.done(most) {
				return err
			}
		case <-open.due: // the next chunk is long in coming
			if err := open.commit(ctx); err != nil {
				return err
			}
		}
	}
}
