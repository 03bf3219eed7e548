package kafka

import (
	"context"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// pipelined is how many produce requests of one partition are under way at
// once: brokers keep the order of an idempotent producer up to 5 (KIP-98).
const pipelined = 5

// RefusedError is a batch that the broker did not take.
type RefusedError struct {
	Index int // of the batch in the call
	Bytes int // size of the batch
	Err   error
}

// Error names the batch by its place and size; who calls knows its records.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("batch %d of %d bytes refused: %v", e.Index, e.Bytes, e.Err)
}

// Unwrap gives the broker's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// ProduceBatches sends batches to one partition in their order and returns
// the offset that each got. It waits until all in-sync replicas have them.
//
// Batches of one producer id must be stamped with consecutive sequences. With
// a transactional id the partition must have been added to the transaction:
// [Transactional.Produce] does both. The first refused batch is the error
// ([RefusedError]). What was already under way behind it may be there: of an
// idempotent producer the broker refuses it, of a transaction it is aborted.
//
// One try: after an error that is no RefusedError it is unknown which batches
// are there.
func (c *Client) ProduceBatches(ctx context.Context, topic string, partition int32, transactionalID string, batches []batch.Batch) ([]int64, error) {
	return c.produceBatches(ctx, &produce{c: c, topic: topic, partition: partition, transactionalID: transactionalID, batches: batches})
}

func (c *Client) produceBatches(ctx context.Context, p *produce) ([]int64, error) {
	batches := p.batches
	if len(batches) == 0 {
		return nil, nil
	}
	waves := (len(batches) - 1) / pipelined // each may take as long as one request
	if err := c.call(ctx, time.Duration(waves)*c.config.RequestTimeout, p.once); err != nil {
		return nil, fmt.Errorf("produce to %s/%d: %w", p.topic, p.partition, err)
	}
	return p.offsets, nil
}

// produce is one pipelined exchange: one request a batch, because a request
// may hold only one batch a partition.
type produce struct {
	c               *Client
	topic           string
	partition       int32
	transactionalID string
	batches         []batch.Batch
	retimed         bool // the topic may replace timestamps

	offsets []int64
	refused *RefusedError
	head    []byte
	frame   []byte
}

// once sends all batches, and gives the first refused one as the error.
func (p *produce) once(ctx context.Context) error {
	p.offsets, p.refused = nil, nil
	err := p.c.toLeader(ctx, protocol.Produce, p.topic, p.partition, p.talk)
	if err == nil && p.refused != nil {
		return p.refused
	}
	return err
}

func (p *produce) talk(conn io.ReadWriter, version int16) error {
	if version < 3 {
		return fmt.Errorf("%w: it takes no record batches (Produce version %d): Kafka 0.11 or later is needed", ErrUnsupported, version)
	}
	for sent, received := 0, 0; ; received++ {
		for sent < len(p.batches) && sent-received < pipelined && p.refused == nil && p.fits(version, sent) {
			if err := p.send(conn, version, sent); err != nil {
				return err
			}
			sent++
		}
		if received == sent {
			return nil
		}
		if err := p.receive(conn, version, received); err != nil {
			return err
		}
	}
}

// zstdVersion is the first of Produce that takes zstd, 2.1 (KIP-110). Older
// brokers answer with no more than that something is wrong.
const zstdVersion = 7

// fits refuses a batch that the broker is too old for.
func (p *produce) fits(version int16, i int) bool {
	if p.batches[i].Codec() != batch.Zstd || version >= zstdVersion {
		return true
	}
	p.refused = &RefusedError{Index: i, Bytes: len(p.batches[i]), Err: fmt.Errorf("%w: zstd needs Kafka 2.1 or later: choose another compression (COMPRESSION)", ErrUnsupported)}
	return false
}

// send writes a Produce request, version 3 to 8.
func (p *produce) send(conn io.Writer, version int16, i int) error {
	b := p.batches[i]
	r := newRequest(p.head, int16(protocol.Produce), version, int32(i), p.c.config.ClientID)
	r.nullableString(p.transactionalID)
	r.int16(-1) // acks of all in-sync replicas
	// the broker gives up before we do, and says why
	r.int32(int32(p.c.config.RequestTimeout.Milliseconds() / 2))
	r.int32(1)
	r.string(p.topic)
	r.int32(1)
	r.int32(p.partition)
	r.int32(int32(len(b)))
	p.head = r.finish(len(b))
	if _, err := conn.Write(p.head); err != nil {
		return err
	}
	_, err := conn.Write(b)
	return err
}

func (p *produce) receive(conn io.Reader, version int16, i int) error {
	frame, err := readFrame(conn, p.frame)
	p.frame = frame
	if err != nil {
		return err
	}
	offset, appendTime, refused, err := parseProduce(frame, version, int32(i))
	if err != nil {
		return err
	}
	if appendTime != noAppendTime && p.transactionalID != "" && !p.retimed && refused == nil {
		refused = ErrTimestampReplaced
	}
	if refused != nil && p.refused == nil {
		p.refused = &RefusedError{Index: i, Bytes: len(p.batches[i]), Err: refused}
	}
	p.offsets = append(p.offsets, offset)
	return nil
}

// noAppendTime is the answer's log append time where the topic keeps the time
// of the records (message.timestamp.type=CreateTime).
const noAppendTime = -1

// parseProduce reads the answer for one batch. refused is what the broker
// says, err that the answer makes no sense.
func parseProduce(frame []byte, version int16, correlation int32) (offset, appendTime int64, refused, err error) {
	r := newResponse(frame, correlation)
	r.one("topic")
	r.skipString()
	r.one("partition")
	r.int32()
	code := r.int16()
	offset = r.int64()
	appendTime = r.int64()
	if version >= 5 {
		r.int64() // log start offset
	}
	words := ""
	if version >= 8 {
		words = recordErrors(r)
	}
	if r.err != nil {
		return 0, 0, nil, r.err
	}
	if code != 0 {
		refused = &brokerError{code: kafkago.Error(code), message: words}
	}
	return offset, appendTime, refused, nil
}

// recordErrors reads why a batch was refused, in words: of the first record
// that was, or else of the whole (KIP-467).
func recordErrors(r *response) string {
	words := ""
	for n := r.array(); n > 0 && r.err == nil; n-- {
		index := r.int32()
		if words != "" {
			r.skipString()
		} else if text := r.string(); text != "" {
			words = fmt.Sprintf("record %d of the batch: %s", index, text)
		}
	}
	if words != "" {
		r.skipString()
		return words
	}
	return r.string()
}

// Produce appends records to one partition, as one batch, uncompressed and
// acknowledged by all in-sync replicas, and gives the offset of the first. It
// is at-least-once, repeated like reads are, and meant for tests and tools: a
// copy uses [Transactional].
func (c *Client) Produce(ctx context.Context, topic string, partition int32, records ...batch.Record) (int64, error) {
	b, err := batch.Build(batch.Options{}, records)
	if err == nil {
		p := &produce{c: c, topic: topic, partition: partition, batches: []batch.Batch{b}}
		if err = c.repeat(ctx, whileAgain, p.once); err == nil {
			return p.offsets[0], nil
		}
	}
	return 0, fmt.Errorf("produce to %s/%d: %w", topic, partition, err)
}
