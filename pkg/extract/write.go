package extract

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

type destination struct {
	topic     string
	partition int32
}

// batching is the batch under way for a partition.
type batching struct {
	*batch.Builder
	digests []string // of the source's records in it, where the job is careful
}

// mapPage puts the records of a page through the rules, and writes what they became.
func (e *Extractor) mapPage(ctx context.Context, p page, number int64) (Result, error) {
	sum := Result{Records: int64(len(p.items)), Bytes: p.bytes}
	if len(p.items) > 0 || p.last {
		sum.Pages = 1 // why not else: it was looked at, or read again, and nothing was taken
	}
	var first error
	for i := range p.items {
		written, err := e.mapItem(ctx, p, i, number+int64(i))
		var rejected *rejection
		switch {
		case errors.As(err, &rejected):
			if first == nil {
				first = fmt.Errorf("%s: %w", p.position(i), rejected)
			}
			if err := e.bury(ctx, p, i, number+int64(i), rejected); err != nil {
				return sum, err
			}
			sum.DeadLetters++
		case err != nil:
			return sum, err
		case written == 0:
			sum.Dropped++
		}
		sum.Written += int64(written)
	}
	if len(p.items) >= leastForReject && sum.DeadLetters*100 > int64(e.File.rejects)*sum.Records {
		return sum, e.alone(fmt.Errorf("%s: %w: %d of %d records cannot be mapped (reject: %d per cent); the first one: %w",
			p.name, ErrSchema, sum.DeadLetters, sum.Records, e.File.rejects, first))
	}
	return sum, nil
}

// leastForReject is how many records a page has at least of which a share means something.
const leastForReject = 10

// alone makes sure that the pages before one with a fault are committed: the fault counts
// where it comes again with the page alone in its transaction.
func (e *Extractor) alone(err error) error {
	if e.careful {
		return err
	}
	e.careful = true
	return fmt.Errorf("%w: %w", errAgain, err)
}

// rejection is why a record goes to the dead letter.
type rejection struct {
	reason deadletter.Reason
	err    error
}

func (r *rejection) Error() string { return r.err.Error() }

func (r *rejection) Unwrap() error { return r.err }

// mapItem gives how many records one has become.
func (e *Extractor) mapItem(ctx context.Context, p page, i int, number int64) (int, error) {
	item := p.items[i]
	if item.err != nil {
		return 0, &rejection{deadletter.Rejected, item.err}
	}
	mark := ""
	if e.careful {
		mark = digestOf(item.bytes())
		if err, ok := e.refused[mark]; ok {
			return 0, err
		}
	}
	in := transform.Record{Topic: Group(e.Job), Record: batch.Record{Offset: number, Timestamp: e.Now().UnixMilli(), Value: item.value}}
	written := 0
	var outputs []placed
	err := e.transformer.Transform(in, func(o transform.Output) error {
		written++
		if o.Topic == "" {
			o.Topic = e.File.Topic()
		}
		to, err := e.topic(ctx, o.Topic)
		if err != nil {
			return err
		}
		if err := e.fits(to, o.Record); err != nil {
			return err
		}
		if written == 1 { // as a rule the only one
			outputs = append(outputs[:0], placed{to, o.Record})
			return nil
		}
		outputs[0].record = outputs[0].record.Clone()
		outputs = append(outputs, placed{to, o.Record.Clone()})
		return nil
	})
	var failed *transform.Error
	if errors.As(err, &failed) {
		return 0, &rejection{deadletter.Rejected, failed}
	}
	if err != nil {
		return 0, err
	}
	for _, o := range outputs {
		if err := e.add(ctx, o.to, partitionOf(o.record.Key, number, o.to.partitions), o.record, mark); err != nil {
			return 0, err
		}
	}
	return written, nil
}

type placed struct {
	to     topic
	record batch.Record
}

// partitionOf places by key, as Kafka's own producers do; without, one after the other.
func partitionOf(key []byte, number int64, partitions int32) int32 {
	if key == nil {
		return int32(number % int64(partitions))
	}
	return batch.Partition(key, partitions)
}

// recordSize is at least what a record takes, without compression, alone in a batch.
func recordSize(r batch.Record) int {
	size := batch.HeaderSize + 64 + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		size += 16 + len(h.Key) + len(h.Value)
	}
	return size
}

// fullBatch is where a batch ends, as soon as it has a record.
const fullBatch = 1 << 20

// add puts a record into the batch of its partition, and writes that where it is full.
func (e *Extractor) add(ctx context.Context, to topic, partition int32, r batch.Record, mark string) error {
	at := destination{to.name, partition}
	b := e.batches[at]
	if b == nil {
		b = &batching{Builder: batch.NewBuilder(e.options(to))}
		e.batches[at] = b
	}
	if e.careful && b.Len() > 0 || !b.Add(r) {
		if err := e.produce(ctx, at, b); err != nil {
			return err
		}
		b.Reset(e.options(to))
		b.Add(r) // the first one is always taken
	}
	if mark != "" {
		b.digests = append(b.digests, mark)
	}
	if b.Size() < fullBatch {
		return nil
	}
	err := e.produce(ctx, at, b)
	b.Reset(e.options(to))
	return err
}

func (e *Extractor) options(to topic) batch.Options {
	return batch.Options{Codec: e.Codec, MaxBytes: to.maxBytes}
}

// fits is a rejection where a record is larger than its topic takes.
func (e *Extractor) fits(to topic, r batch.Record) error {
	if to.maxBytes == 0 || recordSize(r) <= to.maxBytes {
		return nil
	}
	var tooLarge *batch.TooLargeError
	if _, err := batch.Build(e.options(to), []batch.Record{r}); errors.As(err, &tooLarge) {
		return &rejection{deadletter.TooLarge, fmt.Errorf("it becomes a record of %d bytes, and topic %s takes %d (max.message.bytes)", tooLarge.Size, to.name, to.maxBytes)}
	}
	return nil
}

// flush writes the batches under way.
func (e *Extractor) flush(ctx context.Context) error {
	for at, b := range e.batches {
		if b.Len() == 0 {
			continue
		}
		if err := e.produce(ctx, at, b); err != nil {
			return err
		}
		b.Reset(e.options(e.topics[at.topic]))
	}
	return nil
}

func (e *Extractor) produce(ctx context.Context, at destination, b *batching) error {
	built, err := b.Batch()
	if err != nil {
		return fmt.Errorf("batch for %s/%d: %w", at.topic, at.partition, err)
	}
	e.fault("produce")
	_, err = e.producer.Produce(ctx, at.topic, at.partition, []batch.Batch{built})
	marks := b.digests
	b.digests = nil
	if err == nil {
		return nil
	}
	return e.refusedBy(at, marks, err)
}

// refusedBy finds the record that the cluster does not take for what it is, by trying
// once more with one record in a batch, and the next time lets it go to the dead letter.
func (e *Extractor) refusedBy(at destination, marks []string, err error) error {
	ofRecord := []error{kafka.ErrTooLarge, kafka.ErrTimestampRefused, kafka.ErrInvalidRecord}
	if at.topic == e.DeadLetters || !slices.ContainsFunc(ofRecord, func(of error) bool { return errors.Is(err, of) }) {
		return err
	}
	if e.careful && len(marks) == 1 {
		reason := deadletter.Rejected
		if errors.Is(err, kafka.ErrTooLarge) {
			reason = deadletter.TooLarge
		}
		e.refused[marks[0]] = &rejection{reason, err}
	}
	e.careful = true
	return fmt.Errorf("%w: %w", errAgain, err)
}

// bury writes a dead letter about a record, in the same transaction.
func (e *Extractor) bury(ctx context.Context, p page, i int, number int64, why *rejection) error {
	if e.DeadLetters == "" {
		return e.alone(permanent{fmt.Errorf("%s, %s: %w (without a topic for dead letters it stops the job)", p.name, p.position(i), why)})
	}
	to, err := e.topic(ctx, e.DeadLetters)
	if err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	letter := deadletter.Letter{
		Record: batch.Record{
			Offset: number, Timestamp: -1, Value: slices.Clone(p.items[i].bytes()),
			Headers: []batch.Header{{Key: HeaderSource, Value: []byte(p.name)}, {Key: HeaderPosition, Value: []byte(p.position(i))}},
		},
		Topic: Group(e.Job), Function: e.Function, Version: e.Version, Reason: why.reason, Error: why.Error(), Attempt: 1, At: e.Now(),
	}
	partition := int32(number % int64(to.partitions))
	for _, r := range letter.Records(to.maxBytes) {
		if err := e.add(ctx, to, partition, r, ""); err != nil {
			return fmt.Errorf("dead letter: %w", err)
		}
	}
	return nil
}

// Headers of the record in a dead letter: which page of the source it was on, and where
// there.
const (
	HeaderSource   = "etl.extract.source"
	HeaderPosition = "etl.extract.position"
)
