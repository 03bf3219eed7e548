package emulator

import (
	"context"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// kafkaBatch is what one invocation of a Kafka trigger gets: consecutive
// records of one partition.
type kafkaBatch struct {
	// payload is the event. It stays as it is until the next batch but one is
	// cut, so that every delivery of the batch has the same bytes. It is nil for
	// a record that fits into no event.
	payload     []byte
	first, last int64
	count       int
	next        int64 // the offset to commit once it is done
	tooLarge    int   // bytes of that record
}

// cutting is how a batch is cut.
type cutting struct {
	records int           // maxMsgNum
	window  time.Duration // timeOut
	bytes   int           // of the event
	encoder func() *event.KafkaEncoder
}

// fetched is an answer of a partition's leader. The records are valid until the
// next read.
type fetched struct {
	records       []batch.Record
	next          int64 // where to read on
	highWatermark int64
}

// readFunc reads records from an offset on. It waits for the first, but no
// longer than that.
type readFunc func(ctx context.Context, offset int64, wait time.Duration) (fetched, error)

// batcher cuts a partition's records into batches, in order and without a gap.
// It is one batch ahead of the function: in memory are at most two events of
// 6 MB and one read of 4 MB, or what its batches decompress to.
type batcher struct {
	topic     string
	partition int32
	cut       cutting
	clock     Clock
	read      readFunc
	// failed is told of a read that failed, and says where to read on.
	failed func(ctx context.Context, offset int64, err error) int64
	// seen is told where the partition ends.
	seen  func(next, highWatermark int64)
	pause backOff

	position int64
	pending  []batch.Record // read, not yet in a batch
	encoders [2]*event.KafkaEncoder
	turn     int
}

// longestPoll bounds one read, so that a batch is cut in time and a stop is
// noticed.
const longestPoll = 250 * time.Millisecond

// run sends batches until the context ends. The channel must not be buffered:
// the receiver taking a batch means that it is done with the one before.
func (b *batcher) run(ctx context.Context, out chan<- kafkaBatch) {
	for {
		next, err := b.fill(ctx)
		if err != nil {
			return
		}
		select {
		case out <- next:
		case <-ctx.Done():
			return
		}
	}
}

// fill collects the next batch: as many records as may be in one, or what came
// until the window closed, counted from the first record. The error is the
// context's.
func (b *batcher) fill(ctx context.Context) (kafkaBatch, error) {
	e := b.encoder()
	var got kafkaBatch
	var opened time.Time
	for {
		if full := b.take(e, &got); full {
			return b.finish(e, got), nil
		}
		patience := longestPoll
		if got.count > 0 {
			if opened.IsZero() {
				opened = b.clock.Now()
			}
			left := b.cut.window - b.clock.Now().Sub(opened)
			if left <= 0 {
				return b.finish(e, got), nil
			}
			patience = min(patience, left)
		}
		if err := b.more(ctx, patience, got.count > 0); err != nil {
			return kafkaBatch{}, err
		}
	}
}

// encoder returns the one of two whose event nobody uses any more: with the
// batch before last its invocation was over when the last one was taken.
func (b *batcher) encoder() *event.KafkaEncoder {
	b.turn = 1 - b.turn
	if b.encoders[b.turn] == nil {
		b.encoders[b.turn] = b.cut.encoder()
	}
	b.encoders[b.turn].Reset()
	return b.encoders[b.turn]
}

// take moves pending records into the event and reports whether it is full.
func (b *batcher) take(e *event.KafkaEncoder, got *kafkaBatch) (full bool) {
	for len(b.pending) > 0 {
		r := &b.pending[0]
		rec := event.KafkaRecord{Topic: b.topic, Partition: b.partition, Offset: r.Offset, Key: r.Key, Body: r.Value}
		alone := false
		if !e.TryAdd(rec, b.cut.bytes) {
			if got.count > 0 {
				return true
			}
			alone = true
			if size := len(r.Key) + len(r.Value); size > b.cut.bytes {
				got.tooLarge = size
			} else {
				e.Add(rec) // the record fits, only the event around it does not
			}
		}
		if got.count == 0 {
			got.first = r.Offset
		}
		got.last = r.Offset
		got.count++
		b.pending = b.pending[1:]
		if alone || got.count == b.cut.records {
			return true
		}
	}
	return false
}

// finish closes the event.
func (b *batcher) finish(e *event.KafkaEncoder, got kafkaBatch) kafkaBatch {
	got.next = b.position
	if len(b.pending) > 0 {
		got.next = b.pending[0].Offset
	}
	if got.tooLarge == 0 {
		got.payload = e.Bytes()
	}
	return got
}

// more reads on. Where that fails it waits, but not beyond the window of a batch
// that is being filled.
func (b *batcher) more(ctx context.Context, patience time.Duration, filling bool) error {
	got, err := b.read(ctx, b.position, patience)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		b.position = b.failed(ctx, b.position, err)
		pause := b.pause.next()
		if filling {
			pause = min(pause, patience)
		}
		return wait(ctx, b.clock, pause)
	}
	b.pause.reset()
	b.pending, b.position = got.records, got.next
	b.seen(got.next, got.highWatermark)
	return nil
}
