package kafka

import (
	"context"
	"io"
	"math"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// FetchRequest asks the leader of one partition for raw record batches.
type FetchRequest struct {
	Topic     string
	Partition int32
	Offset    int64 // the answer begins with the batch that holds it
	// MaxBytes bounds the answer (1 MiB by default); one batch that is larger
	// comes alone, whole.
	MaxBytes int32
	// MinBytes and MaxWait let the broker wait for more: for at least MinBytes,
	// or for what there is after MaxWait. Zero waits for nothing.
	MinBytes int32
	MaxWait  time.Duration
	// ReadCommitted stops the answer before the first open transaction and
	// lists the aborted ones. It does not remove them: see [Client.FetchRecords].
	ReadCommitted bool
}

const defaultMaxBytes = 1 << 20

// FetchResponse is the answer. Its slices alias the buffer it was read into.
type FetchResponse struct {
	HighWatermark int64 // offset after the last replicated record
	LastStable    int64 // offset of the first record of an open transaction, else HighWatermark; -1 before 0.11, and before 2.0 without ReadCommitted
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

// Bytes gives n bytes of the memory, for who fetches from elsewhere than a broker.
func (b *Buffer) Bytes(n int) []byte {
	if cap(b.frame) < n {
		b.frame = make([]byte, n)
	}
	b.frame = b.frame[:n]
	return b.frame
}

const (
	isolationUncommitted = 0
	isolationCommitted   = 1
)

// fetchCorrelation is the id of the one request that a connection carries.
const fetchCorrelation = 1

// Fetch gets raw record batches of one partition, undecoded. An empty answer
// is no error. [ErrOffsetOutOfRange] where the partition does not hold the
// offset: compare with the earliest and latest to see which way.
//
// One try: a leader that has moved is an error that [Retriable] knows. Once
// Fetch has returned, also with an error, nothing touches buf any more.
func (c *Client) Fetch(ctx context.Context, q FetchRequest, buf *Buffer) (FetchResponse, error) {
	if q.MaxBytes <= 0 {
		q.MaxBytes = defaultMaxBytes
	}
	var (
		answer  FetchResponse
		refused error
	)
	talk := func(conn io.ReadWriter, version int16) error {
		if _, err := conn.Write(c.fetchRequest(q, version)); err != nil {
			return err
		}
		frame, err := readFrame(conn, buf.frame)
		buf.frame = frame
		if err != nil {
			return err
		}
		answer, refused, err = parseFetch(frame, version)
		return err
	}
	err := c.call(ctx, q.MaxWait, func(ctx context.Context) error {
		if err := c.toLeader(ctx, protocol.Fetch, q.Topic, q.Partition, talk); err != nil {
			return err
		}
		return refused
	})
	if err != nil {
		return FetchResponse{}, partitionError("fetch", q.Topic, q.Partition, q.Offset, err)
	}
	return answer, nil
}

// fetchRequest writes a Fetch request, version 2 to 11.
func (c *Client) fetchRequest(q FetchRequest, version int16) []byte {
	r := newRequest(make([]byte, 0, 128), int16(protocol.Fetch), version, fetchCorrelation, c.config.ClientID)
	r.int32(-1) // replica id: a consumer
	r.int32(int32(q.MaxWait.Milliseconds()))
	r.int32(q.MinBytes)
	if version >= 3 {
		// The partition's bound below is the one that counts: kfake leaves the
		// aborted transactions out of an answer that this one has cut short.
		r.int32(math.MaxInt32)
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

// parseFetch reads the answer for one partition of one topic. refused is what
// the broker says, err that the answer makes no sense.
func parseFetch(frame []byte, version int16) (answer FetchResponse, refused, err error) {
	answer.LastStable, answer.LogStart = -1, -1
	r := newResponse(frame, fetchCorrelation)
	r.int32() // throttle
	if version >= 7 {
		// with an error for the whole request there are no topics
		if refused = codeError(r.int16()); refused != nil {
			return answer, refused, r.err
		}
		r.int32() // session id
	}
	r.one("topic")
	r.skipString()
	r.one("partition")
	r.int32()
	refused = codeError(r.int16())
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
		return FetchResponse{}, nil, r.err
	}
	return answer, refused, nil
}
