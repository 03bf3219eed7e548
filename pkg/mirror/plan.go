package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// planner turns what the source has stored into what the target gets. A batch
// is passed on as it is where that gives the same records; else its records
// are decoded and built into new batches:
//
//   - control batches and aborted transactions have no records to copy
//   - messages of format 0 and 1, which no target takes
//   - a batch with offsets missing in it (compacted): brokers refuse it
//   - a batch whose time is the broker's (LogAppendTime): the records keep it
//   - a batch that begins before the checkpoint, or goes on behind an exact end
//   - a batch larger than the target's max.message.bytes: it is divided
//   - another number of partitions in the target, or another codec asked for
//   - one of very many small batches: see manySmall
//   - a job processes the records: see [processing]
type planner struct {
	topic      string // of the source
	partition  int32
	target     targetTopic
	byKey      bool        // the partition counts differ
	processing *processing // nil: records are copied as they are
	codec      *batch.Codec
	ceiling    int    // smaller than a batch of several records that the target has refused; 0: none
	block      *block // nil: none
	merge      bool   // small batches are put together
	unchecked  bool   // see Config
	limit      int64  // the offset behind the last one that is copied; 0: that of the last batch
	broken     error  // a record of the chunk may be built in part: it must not be written

	pool     *sync.Pool // gives the memory of batches that are built; see job
	chunk    *chunk
	decoder  batch.Decoder
	checker  checker
	builders map[destination]*building
}

// building is a batch under way, of records from one or more source batches.
type building struct {
	*batch.Builder
	codec batch.Codec
	limit int    // the largest batch that the target takes; 0: not known
	from  []span // where its records are in the source
	// content is that of its records as they were read
	content   content
	unchecked bool
}

// begin starts the next batch.
func (b *building) begin(codec batch.Codec, maxBytes int) {
	b.codec, b.from = codec, nil
	b.content.hash.Reset()
	b.Reset(batch.Options{Codec: codec, MaxBytes: maxBytes})
}

// take adds a record; false where the batch has no room for it.
func (b *building) take(r batch.Record) bool {
	if !b.Add(r) {
		return false
	}
	if !b.unchecked {
		b.content.add(r)
	}
	b.note(r.Offset)
	return true
}

// note says where a record is that was added to the batch.
func (b *building) note(offset int64) {
	if n := len(b.from); n > 0 && b.from[n-1].first+b.from[n-1].count == offset {
		b.from[n-1].count++
		return
	}
	b.from = append(b.from, span{offset, 1})
}

func newPlanner(p *partition, processing *processing, last int64) *planner {
	var end int64
	if p.Exact {
		end = last + 1
	}
	return &planner{
		limit:      end,
		processing: processing,
		topic:      p.topic, partition: p.number, target: p.target, byKey: p.byKey(),
		codec: p.Codec, ceiling: p.ceiling, block: p.block,
		unchecked: p.Unchecked, builders: map[destination]*building{}, pool: &p.built,
	}
}

// byKey says that a record's partition in the target is not the source's.
// Where the source is not known a partition that the target has is kept.
func (p *partition) byKey() bool {
	if p.KeepPartitions {
		return false
	}
	if len(p.source.Partitions) == 0 {
		return p.number >= p.target.partitions
	}
	return len(p.source.Partitions) != int(p.target.partitions)
}

// begin starts a chunk at a checkpoint.
func (p *planner) begin(next int64, epoch int32) {
	if p.processing != nil {
		p.processing.due = time.Now().Add(p.processing.interval)
	}
	p.chunk = &chunk{next: next, epoch: epoch, batches: map[destination][]batch.Batch{}, from: map[destination][][]span{}}
}

// here is the partition that a record goes to where nothing else is said.
func (p *planner) here() destination { return destination{p.target.name, p.partition} }

// add plans one stored unit, or as much of it as the chunk has time for. After an
// error the chunk holds what came before.
func (p *planner) add(ctx context.Context, s kafka.Stored) error {
	if s.LastOffset() < p.chunk.next {
		return nil
	}
	switch {
	case s.Skip, p.limit > 0 && s.Batch != nil && s.Batch.BaseOffset() >= p.limit:
	case p.processing != nil:
		if done, err := p.process(ctx, s); err != nil || !done {
			return err
		}
	case p.passes(s.Batch):
		if err := p.flush(p.here()); err != nil {
			return err
		}
		p.chunk.add(p.here(), []span{{s.Batch.BaseOffset(), int64(s.Batch.Count())}}, s.Batch)
		p.chunk.passed++
	default:
		if err := p.rebuild(s); err != nil {
			return err
		}
	}
	p.chunk.next = s.LastOffset() + 1
	if p.limit > 0 {
		p.chunk.next = min(p.chunk.next, p.limit)
	}
	return nil
}

// passes says whether a batch's bytes give the same records in the target.
func (p *planner) passes(b batch.Batch) bool {
	return b != nil && !p.byKey &&
		b.BaseOffset() >= p.chunk.next &&
		(p.limit == 0 || b.LastOffset() < p.limit) &&
		(p.codec == nil || *p.codec == b.Codec()) &&
		!(p.merge && len(b) < smallBatch) &&
		(p.target.maxBytes == 0 || len(b) <= p.target.maxBytes) &&
		(p.ceiling == 0 || len(b) <= p.ceiling || b.Count() == 1) &&
		(p.block == nil || b.LastOffset() < p.block.offset) &&
		b.Stampable() == nil
}

// rebuild decodes a unit and builds its records from the checkpoint on.
func (p *planner) rebuild(s kafka.Stored) error {
	codec := p.codecFor(s)
	for record, err := range s.Records(&p.decoder) {
		if err != nil {
			return fmt.Errorf("decode %s/%d at offset %d: %w", p.topic, p.partition, p.chunk.next, err)
		}
		if record.Offset < p.chunk.next {
			continue
		}
		if p.limit > 0 && record.Offset >= p.limit {
			return nil
		}
		if err := p.copy(codec, record); err != nil {
			return err
		}
		p.chunk.next = record.Offset + 1
	}
	return nil
}

// copy builds a record as it is.
func (p *planner) copy(codec batch.Codec, r batch.Record) error {
	if p.block != nil && r.Offset == p.block.offset {
		return p.block.err
	}
	return p.build(p.route(r), p.target.maxBytes, codec, r)
}

func (p *planner) codecFor(s kafka.Stored) batch.Codec {
	switch {
	case p.codec != nil:
		return *p.codec
	case s.Batch != nil:
		return s.Batch.Codec()
	default:
		return s.Message.Codec()
	}
}

// route gives the target partition of a record. With equal counts it is the
// source's. Else keys go where the Java client's default partitioner puts
// them, and records without a key stay together, so that their order stays.
func (p *planner) route(r batch.Record) destination {
	if p.byKey {
		return destination{p.target.name, byKey(r.Key, p.partition, p.target.partitions)}
	}
	return p.here()
}

// byKey places a record, with or without a key, among so many partitions.
func byKey(key []byte, source, partitions int32) int32 {
	if key == nil {
		return source % partitions
	}
	return batch.Partition(key, partitions)
}

// size is how large a built batch of several records may be, where the target
// takes one of limit.
func (p *planner) size(limit int) int {
	size := defaultMaxBytes
	for _, bound := range []int{limit, p.ceiling} {
		if bound > 0 {
			size = min(size, bound)
		}
	}
	return size
}

// build adds a record to the batch under way for a partition of the target, whose
// batches may be as large as limit.
func (p *planner) build(to destination, limit int, codec batch.Codec, r batch.Record) error {
	b := p.builders[to]
	if b == nil {
		b = &building{Builder: batch.NewBuilder(batch.Options{}), unchecked: p.unchecked, limit: limit}
		p.builders[to] = b
	}
	if b.Len() > 0 && b.codec == codec && b.take(r) {
		return nil
	}
	if err := p.flush(to); err != nil {
		return err
	}
	b.begin(codec, p.size(limit))
	b.take(r) // the first record is always taken
	if b.Size() <= p.size(limit) {
		return nil
	}
	// Alone it may be as large as the target takes. It is flushed now, so that
	// one that is too large stops the chunk before it.
	b.begin(codec, limit)
	b.take(r)
	return p.flush(to)
}

// flush moves the batch under way for a partition of the target to the chunk.
func (p *planner) flush(to destination) error {
	b := p.builders[to]
	if b == nil || b.Len() == 0 {
		return nil
	}
	built, err := b.Batch()
	var tooLarge *batch.TooLargeError
	if errors.As(err, &tooLarge) {
		b.Reset(batch.Options{})
		return &TooLargeError{Topic: p.topic, Partition: p.partition, Offset: b.from[0].first, Size: tooLarge.Size, Target: to.topic, Limit: tooLarge.Limit}
	}
	if err != nil {
		return fmt.Errorf("build batch of %s/%d from offset %d: %w", p.topic, p.partition, b.from[0].first, err)
	}
	if !p.unchecked {
		if err := p.checker.check(built, &b.content); err != nil {
			return fmt.Errorf("build batch of %s/%d from offset %d: %w", p.topic, p.partition, b.from[0].first, err)
		}
	}
	memory, ok := p.pool.Get().(*[]byte)
	if !ok {
		memory = new([]byte)
	}
	*memory = append((*memory)[:0], built...) // which is the builder's memory
	p.chunk.add(to, b.from, *memory)
	p.chunk.built = append(p.chunk.built, memory)
	p.chunk.rebuilt++
	b.Reset(batch.Options{})
	return nil
}

// Each batch is a produce request of its own, which costs a broker as much as
// some hundred records do (integration/bench, the cases with small batches). So
// where a fetch gives very many small ones, their records are put together.
//
// A producer's default batch.size is 16 KiB.
const (
	smallBatch  = 16 << 10 // bytes, on average
	manyBatches = 64
)

// maxBatches bounds the batches of a chunk, where small and large ones take
// turns: with 5 ms for the replicas of a distant cluster 500 requests take
// 2.5 s, far from the transaction's time-out.
const maxBatches = 500

// manySmall says so of batches that lie back to back.
func manySmall(batches []byte) bool {
	n, rest := 0, batches
	for {
		b, after, err := batch.Next(rest)
		if b == nil || err != nil {
			break // what is cut short or of an old format is rebuilt or fetched again
		}
		n, rest = n+1, after
	}
	return n >= manyBatches && (len(batches)-len(rest))/n < smallBatch
}

// maxBuilt bounds what of a copied chunk is built anew, in bytes: that takes memory
// beside the fetched buffers.
const maxBuilt = 1 << 20

// full says that the chunk holds at least so many bytes, or batches enough.
func (p *planner) full(bytes int) bool {
	if p.chunk.passed+p.chunk.rebuilt >= maxBatches {
		return true
	}
	if p.chunk.rebuilt > 0 && p.processing == nil {
		bytes = min(bytes, maxBuilt)
	}
	held := int(p.chunk.bytes)
	for _, b := range p.builders {
		if b.Len() > 0 {
			held += b.Size()
		}
	}
	return held >= bytes
}

// end completes the chunk; nil with an error where records of it cannot be
// written, for then its checkpoint is not true.
func (p *planner) end() (*chunk, error) {
	if p.broken != nil {
		return nil, p.broken
	}
	for to := range p.builders {
		if err := p.flush(to); err != nil {
			return nil, err
		}
	}
	return p.chunk, nil
}
