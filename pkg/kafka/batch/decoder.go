package batch

import (
	"fmt"
	"iter"
	"unsafe"
)

// DefaultLimit is the [Decoder.Limit] of the zero Decoder: 256 MiB. Brokers store batches of up
// to message.max.bytes (1 MB unless set) as compressed; producers fill them by their compressed
// size, so that well-packed text may come to some fifty times that.
const DefaultLimit = 256 << 20

// Decoder holds the memory that decoding needs, to be used again from batch to batch. The zero
// value is ready. It is not for use by several goroutines at once.
type Decoder struct {
	// Limit bounds the memory in bytes that the records of one batch or message may take when
	// decompressed, their header lists included. Beyond it the error wraps [ErrLimit]. Zero
	// means [DefaultLimit]. To find out that zstd goes beyond it may take 32 MiB.
	Limit int

	decompressor
	buf     []byte   // decompressed records of the batch at hand
	headers []Header // of all records of the batch at hand
	names   map[string]string
}

// Detach gives the memory of all records decoded so far away to them: they stay valid for good,
// except for what aliases the bytes of an uncompressed batch. The decoder takes new memory.
func (d *Decoder) Detach() { d.buf, d.headers = nil, nil }

func (d *Decoder) limit() int {
	if d.Limit > 0 {
		return d.Limit
	}
	return DefaultLimit
}

// Records iterates over the records of b in order, with absolute offsets. With
// [Batch.LogAppendTime] every Timestamp is [Batch.MaxTimestamp]. After an error the iteration
// ends; records seen before it were good. It does not check the CRC-32C: see [Batch.Verify].
// Control batches are decoded like others: see [Batch.Control].
//
// Keys, values and header values alias b where it is uncompressed, else memory of d. They are
// valid until d is used for another batch (or [Decoder.Detach] made them last) and as long as
// the bytes of b are not changed. Header names are strings of their own. With a nil d
// the records have memory of their own, except for what aliases an uncompressed b.
//
// The error wraps [ErrCorrupt] or [ErrLimit]. Iterating over an uncompressed batch
// allocates nothing once d is warm.
func (b Batch) Records(d *Decoder) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) { decodeBatch(b, d, yield) }
}

// minRecordSize is a record with nil key, nil value and no headers.
const minRecordSize = 7

func decodeBatch(b Batch, d *Decoder, yield func(Record, error) bool) {
	if d == nil {
		d = new(Decoder)
	}
	data, err := d.open(b)
	if err != nil {
		yield(Record{}, err)
		return
	}
	var (
		in        = reader{p: data}
		base      = b.BaseOffset()
		baseTime  = b.BaseTimestamp()
		fixedTime = b.LogAppendTime()
		maxDelta  = b.LastOffsetDelta()
		last      = int32(-1)
	)
	d.headers = d.headers[:0]
	for i := range b.Count() {
		r, err := d.record(&in)
		delta := int32(r.Offset)
		if err == nil && (delta <= last || delta > maxDelta) {
			err = corrupt("offset delta %d is not above %d and at most %d", delta, last, maxDelta)
		}
		if err != nil {
			yield(Record{}, fmt.Errorf("record %d of batch at offset %d: %w", i, base, err))
			return
		}
		last = delta
		r.Offset += base
		if fixedTime {
			r.Timestamp = b.MaxTimestamp()
		} else {
			r.Timestamp += baseTime
		}
		if !yield(r, nil) {
			return
		}
	}
	if len(in.p) > 0 {
		yield(Record{}, corrupt("batch at offset %d has %d bytes after its last record", base, len(in.p)))
	}
}

// open checks what can be checked before the first record and decompresses.
func (d *Decoder) open(b Batch) ([]byte, error) {
	if len(b) < HeaderSize {
		return nil, corrupt("%d bytes are no batch, its header alone has %d", len(b), HeaderSize)
	}
	data, count := []byte(b[HeaderSize:]), b.Count()
	if count < 0 {
		return nil, corrupt("batch at offset %d claims %d records", b.BaseOffset(), count)
	}
	// Compaction keeps emptied batches as bare headers, with whatever codec bits.
	if codec := b.Codec(); codec != None && !(count == 0 && len(data) == 0) {
		var err error
		if d.buf, err = d.decompress(d.buf[:0], data, codec, d.limit(), false); err != nil {
			return nil, fmt.Errorf("batch at offset %d: %w", b.BaseOffset(), err)
		}
		data = d.buf
	}
	if int64(count)*minRecordSize > int64(len(data)) {
		return nil, corrupt("batch at offset %d claims %d records in %d bytes", b.BaseOffset(), count, len(data))
	}
	return data, nil
}

// record reads one record. Its Offset and Timestamp are the deltas.
func (d *Decoder) record(in *reader) (r Record, err error) {
	length := in.varint32()
	if in.failed || length < 0 || int(length) > len(in.p) {
		return r, corrupt("length %d, %d bytes are left", length, len(in.p))
	}
	body := reader{p: in.p[:length]}
	in.p = in.p[length:]
	body.take(1) // attributes: none are in use
	r.Timestamp = body.varint()
	r.Offset = int64(body.varint32())
	r.Key = body.bytes()
	r.Value = body.bytes()
	if n := body.varint32(); n != 0 {
		if r.Headers, err = d.readHeaders(&body, n); err != nil {
			return r, err
		}
	}
	if body.failed {
		return r, corrupt("a field points outside its %d bytes", length)
	}
	if len(body.p) > 0 {
		return r, corrupt("%d of its %d bytes are left over", len(body.p), length)
	}
	return r, nil
}

const (
	headerMemory  = int(unsafe.Sizeof(Header{}))
	minHeaderSize = 2 // empty name, nil value
)

func (d *Decoder) readHeaders(in *reader, n int32) ([]Header, error) {
	if n < 0 || int64(n)*minHeaderSize > int64(len(in.p)) {
		return nil, corrupt("%d headers in %d bytes", n, len(in.p))
	}
	// Two bytes can claim a Header of memory, so headers count towards the limit too.
	if (len(d.headers)+int(n))*headerMemory+len(d.buf) > d.limit() {
		return nil, fmt.Errorf("%w of %d bytes: %d headers", ErrLimit, d.limit(), len(d.headers)+int(n))
	}
	start := len(d.headers)
	for range n {
		name := in.bytes()
		value := in.bytes()
		if name == nil || in.failed {
			return nil, corrupt("a header without a name, or one that points outside its record")
		}
		d.headers = append(d.headers, Header{Key: d.name(name), Value: value})
	}
	return d.headers[start:len(d.headers):len(d.headers)], nil
}

// name returns b as a string, the same one for the same name: a topic uses few.
func (d *Decoder) name(b []byte) string {
	const maxNames, maxNameSize = 512, 128
	if s, ok := d.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(b) <= maxNameSize && len(d.names) < maxNames {
		if d.names == nil {
			d.names = make(map[string]string)
		}
		d.names[s] = s
	}
	return s
}
