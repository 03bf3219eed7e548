package batch

import (
	"fmt"
	"hash/crc32"
	"iter"
)

// Positions in a message of format 0 or 1. Offset, length and magic byte are where a batch has
// them; in format 1 a timestamp of 8 bytes comes before key and value.
const (
	atMessageCRC        = 12 // CRC-32 (IEEE) of what follows this field
	atMessageAttributes = 17
	messageHeaderSize   = 18
	minMessage0         = messageHeaderSize + 4 + 4
	minMessage1         = minMessage0 + 8
)

// Message is one whole message of format 0 (Kafka before 0.10) or 1 (before 0.11): a record, or
// a wrapper whose value holds several records compressed. It aliases the buffer that it was
// split from.
//
// Brokers hand these out for segments that were written before their message format was
// raised; brokers before 0.11 know nothing else.
//
// For a Message made by conversion instead of [NextMessage], [Message.Records] alone is safe: the
// other methods panic on a slice that is too short.
type Message []byte

// NextMessage splits the first message off p. The returned message and rest alias p.
//
// A nil message with a nil error means that p is empty or ends inside its first message, as the
// bytes of a fetch may. The error is [ErrNewFormat] where a record batch comes first, and wraps
// [ErrCorrupt] where the length or the magic byte cannot be true. [Message.Records] checks the
// rest.
func NextMessage(p []byte) (m Message, rest []byte, err error) {
	if len(p) <= atMagic {
		return nil, p, nil
	}
	n := int64(int32(be.Uint32(p[atLength:]))) + lengthEnd
	least := int64(minMessage0)
	switch magic := int8(p[atMagic]); magic {
	case 0:
	case 1:
		least = minMessage1
	case 2:
		return nil, p, ErrNewFormat
	default:
		return nil, p, corrupt("message at offset %d has magic %d, known are 0, 1 and 2", be.Uint64(p), magic)
	}
	switch {
	case n < least:
		return nil, p, corrupt("message at offset %d claims %d bytes, the least is %d", be.Uint64(p), n, least)
	case n > int64(len(p)):
		return nil, p, nil
	}
	return Message(p[:n:n]), p[n:], nil
}

// LastOffset is the offset of the last record in m.
func (m Message) LastOffset() int64 { return int64(be.Uint64(m)) }

// Codec is the compression of the records in m.
func (m Message) Codec() Codec { return Codec(m[atMessageAttributes] & codecMask) }

// LogAppendTime says that the timestamps are the broker's, of when it appended m, and not the
// producers'. Format 0 has none.
func (m Message) LogAppendTime() bool {
	return m[atMagic] == 1 && m[atMessageAttributes]&logAppendTimeBit != 0
}

// Records iterates over the records in m, with absolute offsets, after checking the CRC-32 of m
// and of each message inside it. Format 0 has no time: Timestamp is -1. Where the broker set
// the time of a wrapper, that is the time of all its records.
//
// What records alias, for how long they are valid and what a nil d does is as for
// [Batch.Records]. After an error the iteration ends; it wraps [ErrCorrupt] or [ErrLimit].
func (m Message) Records(d *Decoder) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) { decodeMessage(m, d, yield) }
}

func decodeMessage(m Message, d *Decoder, yield func(Record, error) bool) {
	outer, err := parseMessage(m)
	switch {
	case err != nil:
		yield(Record{}, err)
	case m.Codec() == None:
		yield(outer, nil)
	default:
		if d == nil {
			d = new(Decoder)
		}
		inner, base, err := d.unwrap(m, outer)
		if err != nil {
			yield(Record{}, fmt.Errorf("message at offset %d: %w", m.LastOffset(), err))
			return
		}
		d.unwrapped(m, outer, inner, base, yield)
	}
}

// unwrap returns the messages inside m, back to back, and what their offsets count from.
func (d *Decoder) unwrap(m Message, outer Record) (inner []byte, base int64, err error) {
	if m.Codec() == Zstd {
		return nil, 0, corrupt("zstd in a message of format %d", m[atMagic])
	}
	// KAFKA-3160: clients of format 0 computed the header checksum of LZ4 frames wrongly.
	broken := m[atMagic] == 0
	if d.buf, err = d.decompress(d.buf[:0], outer.Value, m.Codec(), d.limit(), broken); err != nil {
		return nil, 0, err
	}
	last := Message(nil)
	for p := d.buf; len(p) > 0; {
		next, rest, err := NextMessage(p)
		switch {
		case err != nil:
			return nil, 0, corrupt("inside it: %v", err)
		case next == nil:
			return nil, 0, corrupt("its content ends inside a message")
		case next[atMagic] != m[atMagic] || next.Codec() != None:
			return nil, 0, corrupt("inside it: message of format %d with compression %v", next[atMagic], next.Codec())
		}
		last, p = next, rest
	}
	if last == nil {
		return nil, 0, corrupt("nothing in it")
	}
	if m[atMagic] == 1 {
		// Format 1 counts inside a wrapper from any number; only the last offset is known (KIP-31).
		base = m.LastOffset() - last.LastOffset()
	}
	return d.buf, base, nil
}

func (d *Decoder) unwrapped(m Message, outer Record, inner []byte, base int64, yield func(Record, error) bool) {
	fixedTime := m[atMagic] == 1 && m[atMessageAttributes]&legacyTimeTypeBit != 0
	var last int64
	for i := 0; len(inner) > 0; i++ {
		var next Message
		next, inner, _ = NextMessage(inner) // unwrap has seen that they split
		r, err := parseMessage(next)
		r.Offset += base
		if err == nil && i > 0 && r.Offset <= last {
			err = corrupt("offset %d comes after %d", r.Offset, last)
		}
		if err != nil {
			yield(Record{}, fmt.Errorf("record %d of message at offset %d: %w", i, m.LastOffset(), err))
			return
		}
		last = r.Offset
		if fixedTime {
			r.Timestamp = outer.Timestamp
		}
		if !yield(r, nil) {
			return
		}
	}
}

// parseMessage checks m and reads its fields.
func parseMessage(m Message) (Record, error) {
	if whole, _, err := NextMessage(m); err != nil || len(whole) != len(m) || whole == nil {
		return Record{}, corrupt("%d bytes are no message of format 0 or 1", len(m))
	}
	r := Record{Offset: m.LastOffset(), Timestamp: -1}
	if want, got := be.Uint32(m[atMessageCRC:]), crc32.ChecksumIEEE(m[atMagic:]); want != got {
		return r, corrupt("message at offset %d has CRC-32 %08x, its bytes give %08x", r.Offset, want, got)
	}
	in := reader{p: m[messageHeaderSize:]}
	if m[atMagic] == 1 {
		r.Timestamp = in.int64()
	}
	r.Key = in.take(int(in.int32()))
	r.Value = in.take(int(in.int32()))
	switch {
	case in.failed:
		return r, corrupt("message at offset %d: a field points outside its %d bytes", r.Offset, len(m))
	case len(in.p) > 0:
		return r, corrupt("message at offset %d: %d of its %d bytes are left over", r.Offset, len(in.p), len(m))
	}
	return r, nil
}
