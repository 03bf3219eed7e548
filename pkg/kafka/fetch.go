package kafka

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// FetchRequest asks the leader of one partition for raw record batches.
type FetchRequest struct {
	Topic     string
	Partition int32
	Offset    int64 // the answer begins with the batch that holds it
	// MaxBytes bounds the answer; one batch that is larger comes alone, whole.
	MaxBytes int32
	// MinBytes and MaxWait let the broker wait for more. At least MinBytes, or
	// what there is after MaxWait.
	MinBytes int32
	MaxWait  time.Duration
	// ReadCommitted stops the answer before the first open transaction and
	// lists the aborted ones. It does not remove them: see [Client.FetchRecords].
	ReadCommitted bool
}

// FetchResponse is the answer. Its slices alias the buffer it was read into.
type FetchResponse struct {
	HighWatermark int64 // offset after the last replicated record
	LastStable    int64 // offset of the first record of an open transaction, else HighWatermark; -1 before 0.11
	LogStart      int64 // first offset that is still there; -1 before 1.0
	Aborted       []AbortedTransaction
	// Batches are raw record batches, the last of which may be cut short.
	Batches []byte
}

// AbortedTransaction says that the records of a producer from an offset on, up
// to its next control batch, must not be read.
type AbortedTransaction struct {
	ProducerID  int64
	FirstOffset int64
}

// Buffer is memory that fetches reuse. The zero value is ready. It holds one
// answer at a time: the next fetch overwrites what the last one returned.
type Buffer struct{ frame []byte }

const (
	isolationUncommitted = 0
	isolationCommitted   = 1
)

// Fetch gets raw record batches of one partition, undecoded. An empty answer
// is no error. [ErrOffsetOutOfRange] where the partition does not hold the
// offset: compare with the earliest and latest to see which way.
//
// One try: a leader that has moved is an error that [Retriable] knows.
func (c *Client) Fetch(ctx context.Context, q FetchRequest, buf *Buffer) (FetchResponse, error) {
	ctx, cancel := c.within(ctx, q.MaxWait)
	defer cancel()
	var answer FetchResponse
	err := c.roundTrip(ctx, &exchange{key: protocol.Fetch, broker: leaderOf(q.Topic, q.Partition), talk: func(conn io.ReadWriter, version int16) error {
		if _, err := conn.Write(c.fetchRequest(q, version)); err != nil {
			return err
		}
		frame, err := readFrame(conn, buf.frame)
		buf.frame = frame
		if err != nil {
			return err
		}
		answer, err = parseFetch(frame, version)
		return err
	}})
	return answer, partitionError("fetch", q.Topic, q.Partition, q.Offset, err)
}

// fetchRequest writes a Fetch request, version 2 to 11.
func (c *Client) fetchRequest(q FetchRequest, version int16) []byte {
	r := newRequest(make([]byte, 0, 128), int16(protocol.Fetch), version, 1, c.config.ClientID)
	r.int32(-1) // replica id: a consumer
	r.int32(int32(q.MaxWait.Milliseconds()))
	r.int32(q.MinBytes)
	if version >= 3 {
		r.int32(q.MaxBytes)
	}
	if version >= 4 {
		isolation := int8(isolationUncommitted)
		if q.ReadCommitted {
			isolation = isolationCommitted
		}
		r.int8(isolation)
	}
	if version >= 7 {
		r.int32(0)  // session id
		r.int32(-1) // session epoch: no session
	}
	r.int32(1)
	r.string(q.Topic)
	r.int32(1)
	r.int32(q.Partition)
	if version >= 9 {
		r.int32(-1) // current leader epoch: unknown
	}
	r.int64(q.Offset)
	if version >= 5 {
		r.int64(-1) // log start offset: of followers only
	}
	r.int32(q.MaxBytes)
	if version >= 7 {
		r.int32(0) // no topics to forget
	}
	if version >= 11 {
		r.string("") // rack
	}
	return r.finish(0)
}

// parseFetch reads the answer for one partition of one topic.
func parseFetch(frame []byte, version int16) (FetchResponse, error) {
	r := &response{b: frame}
	answer := FetchResponse{LastStable: -1, LogStart: -1}
	r.int32() // correlation id
	r.int32() // throttle
	if version >= 7 {
		if err := codeError(r.int16()); err != nil {
			return answer, err
		}
		r.int32() // session id
	}
	if n := r.array(); n != 1 && r.err == nil {
		return answer, fmt.Errorf("answer for %d topics, want 1", n)
	}
	_ = r.string()
	if n := r.array(); n != 1 && r.err == nil {
		return answer, fmt.Errorf("answer for %d partitions, want 1", n)
	}
	r.int32()
	code := r.int16()
	answer.HighWatermark = r.int64()
	if version >= 4 {
		answer.LastStable = r.int64()
		if version >= 5 {
			answer.LogStart = r.int64()
		}
		for n := r.array(); n > 0 && r.err == nil; n-- {
			answer.Aborted = append(answer.Aborted, AbortedTransaction{ProducerID: r.int64(), FirstOffset: r.int64()})
		}
		if version >= 11 {
			r.int32() // preferred read replica
		}
	}
	if n := r.int32(); n > 0 {
		answer.Batches = r.take(int(n))
	}
	if r.err != nil {
		return answer, r.err
	}
	return answer, codeError(code)
}
