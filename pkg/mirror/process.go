package mirror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Record is a record of the source with its position. What it points to is valid
// until Process returns.
type Record struct {
	batch.Record
	Topic     string
	Partition int32
	// Redriven is how often the record was sent on its way again from the dead
	// letter; 0 for most. The source has it once more, further back.
	Redriven int
}

// Output is a record to write. Its offset is of no meaning. Without a timestamp it
// has that of the source's record, because a topic deletes records of 1970 at once.
//
// It goes to the partition that its key belongs to, as the Java client's default
// partitioner has it. Without a key it goes to the partition of the source's
// number, or, where there are fewer, to that modulo their count.
type Output struct {
	Topic string // "" for the target topic of the source
	batch.Record
}

// Processor makes of the records of one source partition what is written instead
// of them: none, one or several of each. It is called by one goroutine at a time,
// in the order of the offsets.
//
// An effect of a record is what was emitted, and it is written once; Process
// itself may be called again with a record, and those behind it, after an accident.
// So it should have no effects of its own, or such as may be repeated.
//
// nil says that the record is done. After an error nothing that was emitted for
// the record is written. See [deadletter.IsTransient]: a transient error is tried
// again, and stops the partition where that does not help; another one, or a
// panic, sends the record to the dead letter. Without dead letters it stops the
// partition.
//
// A record that takes all the time of an invocation, alone, ends in the dead letter
// too, as one that ends the process does. So a processor that waits for a service
// says so: an error of net/http or net at the end of ctx, or one that
// [deadletter.Transient] has marked, is one of the service.
//
// What is emitted belongs to the caller again when emit returns. What the record
// points to must not be changed.
type Processor interface {
	Process(ctx context.Context, r Record, emit func(Output)) error
}

// ProcessFunc is a Processor that remembers nothing.
type ProcessFunc func(ctx context.Context, r Record, emit func(Output)) error

// Process calls f.
func (f ProcessFunc) Process(ctx context.Context, r Record, emit func(Output)) error {
	return f(ctx, r, emit)
}

// processing is what a planner needs to process records instead of copying them.
type processing struct {
	Processor
	letters    DeadLetters
	held       *held // keys that dead letters hold; nil: the order is not kept
	resolve    func(ctx context.Context, topic string) (targetTopic, error)
	topics     map[string]targetTopic // that were resolved
	last       int64                  // of the records to process
	killed     *attempt               // says of the next record that it has killed who processed it; nil: it has not
	until      time.Time              // when its time is over: there has to be some left to commit
	interval   time.Duration          // how long a chunk may take
	chunkBytes int                    // about how much it may hold
	overtime   bool                   // the time was over while a record was being processed

	due     time.Time      // when the chunk is
	codec   batch.Codec    // of the record at hand
	outputs []placedOutput // of the record at hand
	memory  []byte         // what they point to
	trial   *batch.Builder // of a record that may be too large
}

// placedOutput is an output with its destination, in memory of its own.
type placedOutput struct {
	destination
	limit  int // of a batch; 0: not known
	record batch.Record
}

// errNoTime ends a call before its context does, so that there is time to commit.
var errNoTime = fmt.Errorf("out of time: %w", context.DeadlineExceeded)

// process processes the records of a unit, from the checkpoint on. done says that
// there are no more to process in it; else the chunk is due.
func (p *planner) process(ctx context.Context, s kafka.Stored) (done bool, err error) {
	ctx, stop := context.WithDeadline(ctx, p.processing.until)
	defer stop()
	p.processing.codec = p.codecFor(s)
	for record, err := range s.Records(&p.decoder) {
		if err != nil {
			return false, fmt.Errorf("decode %s/%d at offset %d: %w", p.topic, p.partition, p.chunk.next, err)
		}
		if record.Offset < p.chunk.next {
			continue
		}
		if record.Offset > p.processing.last {
			break
		}
		if err := p.handle(ctx, record); err != nil {
			return false, err
		}
		p.chunk.next = record.Offset + 1
		if p.due() {
			return false, nil
		}
	}
	if p.processing.last < s.LastOffset() {
		p.chunk.next = p.processing.last + 1
		return false, nil
	}
	return true, nil
}

// due says that the chunk should not wait for more records of its unit: they
// would be processed again after an accident.
func (p *planner) due() bool {
	return p.full(p.processing.chunkBytes) || time.Now().After(p.processing.due)
}

// handle processes one record, and builds all that is written for it or nothing.
func (p *planner) handle(ctx context.Context, r batch.Record) error {
	j := p.processing
	if !time.Now().Before(j.until) {
		return fmt.Errorf("copy %s/%d: %w", p.topic, p.partition, errNoTime)
	}
	record, redrive := deadletter.TakeRedrive(r)
	letter := deadletter.Letter{Record: record, Topic: p.topic, Partition: p.partition, Function: j.letters.Function, Version: j.letters.Version, Attempt: 1, Redrives: redrive.Count}
	refused := p.refusal(ctx, &letter, j.held.holds(record, redrive))
	switch {
	case refused == nil:
	case deadletter.IsTransient(refused):
		return fmt.Errorf("process %s/%d at offset %d: %w", p.topic, p.partition, r.Offset, refused)
	case j.letters.Topic == "":
		return fmt.Errorf("process %s/%d at offset %d: %w (without a topic for dead letters it stops the partition)", p.topic, p.partition, r.Offset, refused)
	default:
		if err := p.bury(ctx, letter, refused); err != nil {
			return err
		}
		p.chunk.letters++
	}
	if len(j.outputs) == 0 {
		p.chunk.dropped++
	}
	if change, ok := j.held.note(record, redrive, refused != nil); ok {
		j.outputs = append(j.outputs, placedOutput{destination{j.held.topic.name, j.held.partition}, j.held.topic.maxBytes, change})
	}
	for _, o := range j.outputs {
		if err := p.build(o.destination, o.limit, j.codec, o.record); err != nil {
			p.broken = err // some of the record may be built
			return err
		}
	}
	p.chunk.handled++
	return nil
}

// refusal processes a record and gives what keeps it from being done; the outputs
// are placed where nothing does. It completes the letter about it.
func (p *planner) refusal(ctx context.Context, letter *deadletter.Letter, behind bool) error {
	j := p.processing
	j.outputs, j.memory = j.outputs[:0], j.memory[:0]
	offset := letter.Record.Offset
	if behind {
		letter.Reason = deadletter.Behind
		return errors.New("an earlier record with the same key is in the dead letter, and their order is kept")
	}
	if p.block != nil && p.block.offset == offset {
		letter.Reason = deadletter.Rejected
		if errors.Is(p.block.err, ErrTooLarge) {
			letter.Reason = deadletter.TooLarge
		}
		return p.block.err
	}
	if j.killed != nil && offset == j.killed.Last {
		letter.Reason, letter.Attempt = deadletter.Killed, j.killed.Tries
		return fmt.Errorf("the function was ended %d times with this record alone in work: it died, took too much memory, or more than its time", j.killed.Tries)
	}
	var placing error
	err := j.call(ctx, letter, func(o Output) {
		if placing != nil {
			return
		}
		if o.Timestamp == 0 {
			o.Timestamp = letter.Record.Timestamp
		}
		placing = p.place(ctx, o, offset)
	})
	if err != nil && ctx.Err() != nil {
		j.overtime = !awaitsOthers(err)
		return fmt.Errorf("%w: %w", errNoTime, err)
	}
	if err != nil {
		return err
	}
	if placing == nil {
		letter.Reason = deadletter.TooLarge
		placing = p.fits(letter.Record)
	}
	if placing != nil {
		j.outputs = j.outputs[:0]
	}
	return placing
}

// awaitsOthers says that an error at the end of a record's time is one of a service
// that is away or slow, and not of the record.
func awaitsOthers(err error) bool {
	var request *url.Error
	var network *net.OpError
	return deadletter.Marked(err) || errors.As(err, &request) || errors.As(err, &network)
}

// call processes a record. A panic becomes an error.
func (j *processing) call(ctx context.Context, letter *deadletter.Letter, emit func(Output)) (err error) {
	letter.Reason = deadletter.Rejected
	defer func() {
		if value := recover(); value != nil {
			letter.Reason, letter.Stack = deadletter.Panicked, string(debug.Stack())
			err = fmt.Errorf("panic: %v", value)
		}
	}()
	return j.Process(ctx, Record{Record: letter.Record, Topic: letter.Topic, Partition: letter.Partition, Redriven: letter.Redrives}, emit)
}

// place keeps an output in memory of the planner's, with its destination.
func (p *planner) place(ctx context.Context, o Output, offset int64) error {
	j := p.processing
	topic := p.target
	if o.Topic != "" && o.Topic != topic.name {
		if !topicName.MatchString(o.Topic) || strings.Trim(o.Topic, ".") == "" {
			return fmt.Errorf("output topic %.300q: a topic name has 1 to 249 letters, digits, '.', '_' or '-'", o.Topic)
		}
		var err error
		if topic, err = j.topic(ctx, o.Topic); err != nil {
			return deadletter.Transient(err) // of the cluster, not of the record
		}
	}
	r := o.Record
	r.Offset = offset // says later which record of the source it is of
	r.Key, r.Value = j.keep(r.Key), j.keep(r.Value)
	if len(r.Headers) > 0 {
		r.Headers = slices.Clone(r.Headers)
		for i, h := range r.Headers {
			r.Headers[i].Value = j.keep(h.Value)
		}
	}
	to := destination{topic.name, byKey(r.Key, p.partition, topic.partitions)}
	j.outputs = append(j.outputs, placedOutput{to, topic.maxBytes, r})
	return nil
}

func (j *processing) topic(ctx context.Context, name string) (targetTopic, error) {
	if known, ok := j.topics[name]; ok {
		return known, nil
	}
	topic, err := j.resolve(ctx, name)
	if err == nil {
		j.topics[name] = topic
	}
	return topic, err
}

// keep copies bytes, nil and empty apart. What was kept before stays valid where
// the memory has to grow.
func (j *processing) keep(b []byte) []byte {
	if b == nil {
		return nil
	}
	from := len(j.memory)
	j.memory = append(j.memory, b...)
	return j.memory[from:len(j.memory):len(j.memory)]
}

// newProcessing gives what a planner needs to bring the records up to last to
// their end; nil where the job copies.
func (p *partition) newProcessing(ctx context.Context, last int64) *processing {
	if p.Process == nil {
		return nil
	}
	until := time.Now().Add(24 * time.Hour)
	if deadline, ok := ctx.Deadline(); ok {
		until = deadline.Add(-min(p.CommitInterval, time.Until(deadline)/2))
	}
	return &processing{
		Processor: p.processor, letters: p.DeadLetters, held: p.held, topics: map[string]targetTopic{},
		resolve: func(ctx context.Context, topic string) (targetTopic, error) {
			return p.job.output(ctx, p.source, p.target, topic)
		},
		last:       last,
		killed:     p.killed,
		until:      until,
		interval:   p.CommitInterval,
		chunkBytes: p.chunk(),
	}
}
