package kafka

import (
	"context"
	"fmt"
	"io"

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
// ([RefusedError]); batches after it are not there, or must be aborted.
func (c *Client) ProduceBatches(ctx context.Context, topic string, partition int32, transactionalID string, batches []batch.Batch) ([]int64, error) {
	ctx, cancel := c.within(ctx, 0)
	defer cancel()
	p := &produce{c: c, topic: topic, partition: partition, transactionalID: transactionalID, batches: batches}
	err := c.roundTrip(ctx, &exchange{key: protocol.Produce, broker: leaderOf(topic, partition), talk: p.talk})
	if err == nil && p.refused != nil {
		err = p.refused
	}
	if err != nil {
		return nil, fmt.Errorf("produce to %s/%d: %w", topic, partition, err)
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

	offsets []int64
	refused *RefusedError
	head    []byte
	frame   []byte
}

func (p *produce) talk(conn io.ReadWriter, version int16) error {
	if version < 3 {
		return fmt.Errorf("%w: this broker takes no record batches (version 2): Kafka 0.11 or later is needed", ErrUnsupported)
	}
	for sent, received := 0, 0; received < len(p.batches); received++ {
		for ; sent < len(p.batches) && sent-received < pipelined; sent++ {
			if err := p.send(conn, version, sent); err != nil {
				return err
			}
		}
		if err := p.receive(conn, version, received); err != nil {
			return err
		}
	}
	return nil
}

// send writes a Produce request, version 3 to 8.
func (p *produce) send(conn io.Writer, version int16, i int) error {
	b := p.batches[i]
	r := newRequest(p.head, int16(protocol.Produce), version, int32(i), p.c.config.ClientID)
	r.nullableString(p.transactionalID)
	r.int16(-1) // acks of all in-sync replicas
	r.int32(int32(p.c.config.RequestTimeout.Milliseconds()))
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
	r := &response{b: frame}
	if id := r.int32(); id != int32(i) && r.err == nil {
		return fmt.Errorf("produce answer %d, want %d", id, i)
	}
	if topics := r.array(); topics != 1 && r.err == nil {
		return fmt.Errorf("produce answer for %d topics, want 1", topics)
	}
	_ = r.string()
	r.array()
	r.int32()
	code := r.int16()
	base := r.int64()
	r.int64() // log append time
	if version >= 5 {
		r.int64() // log start offset
	}
	message := ""
	if version >= 8 {
		message = recordErrors(r)
	}
	if r.err != nil {
		return r.err
	}
	if err := codeError(code); err != nil && p.refused == nil {
		if message != "" {
			err = fmt.Errorf("%w: %s", err, message)
		}
		p.refused = &RefusedError{Index: i, Bytes: len(p.batches[i]), Err: err}
	}
	p.offsets = append(p.offsets, base)
	return nil
}

// recordErrors reads which records of a batch were refused, in words (KIP-467).
func recordErrors(r *response) string {
	words := ""
	for n := r.array(); n > 0 && r.err == nil; n-- {
		index, text := r.int32(), r.string()
		if words == "" && text != "" {
			words = fmt.Sprintf("record %d of the batch: %s", index, text)
		}
	}
	if whole := r.string(); whole != "" {
		words = whole + " " + words
	}
	return words
}

// Produce appends records to one partition, as one batch, uncompressed and
// acknowledged by all in-sync replicas. It is at-least-once and meant for
// tests and tools: a copy uses [Transactional].
func (c *Client) Produce(ctx context.Context, topic string, partition int32, records ...batch.Record) (int64, error) {
	b, err := batch.Build(batch.Options{}, records)
	if err != nil {
		return 0, fmt.Errorf("produce to %s/%d: %w", topic, partition, err)
	}
	var offsets []int64
	err = c.retry(ctx, func(ctx context.Context) error {
		offsets, err = c.ProduceBatches(ctx, topic, partition, "", []batch.Batch{b})
		return err
	})
	if err != nil {
		return 0, err
	}
	return offsets[0], nil
}
