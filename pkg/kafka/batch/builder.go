package batch

import (
	"math"
	"slices"
)

// Options say how a batch is built.
type Options struct {
	// Codec is the compression of the records.
	Codec Codec
	// MaxBytes bounds the size of a batch in bytes, header included: the max.message.bytes of
	// the target topic. Zero means no bound but that of the format, 2 GiB.
	MaxBytes int
}

// Builder makes batches that a broker accepts from a producer: dense, base offset 0, no producer
// id (see [Batch.Stamp]). Its memory is used again from batch to batch. The zero value builds
// uncompressed batches. It is not for use by several goroutines at once.
type Builder struct {
	opts Options
	compressor
	raw      []byte // the batch before compression, header included
	out      []byte // the batch after compression
	count    int32
	baseTime int64
	maxTime  int64
	tooLarge int // size of a record that no batch can hold
}

// NewBuilder returns a Builder with the given options.
func NewBuilder(opts Options) *Builder { return &Builder{opts: opts} }

// Reset forgets the records and starts a new batch. Batches that came from b become invalid.
func (b *Builder) Reset(opts Options) {
	b.opts = opts
	b.raw, b.count, b.tooLarge = b.raw[:0], 0, 0
}

// Len is the number of records added.
func (b *Builder) Len() int { return int(b.count) }

// Size is the number of bytes that the batch takes without compression.
func (b *Builder) Size() int { return max(len(b.raw), HeaderSize) }

// Add appends a copy of r, at the next offset: r.Offset is ignored. It reports false, and leaves
// the batch as it was, where r would take it beyond MaxBytes: then take the Batch, Reset and add
// r again. Sizes count before compression, so that the bound holds whatever the data.
// The first record is always taken: alone and compressed it may fit, and if not [Builder.Batch]
// returns a [*TooLargeError].
func (b *Builder) Add(r Record) bool {
	if b.count == 0 {
		b.raw = slices.Grow(b.raw[:0], HeaderSize)[:HeaderSize]
		b.baseTime, b.maxTime = r.Timestamp, r.Timestamp
	}
	body := recordSize(r, r.Timestamp-b.baseTime, b.count)
	size := len(b.raw) + varintSize(int64(body)) + body
	if b.count > 0 && (size > b.maxBytes() || b.count == math.MaxInt32 || b.tooLarge > 0) {
		return false
	}
	b.count++
	if size > maxBatchSize {
		b.tooLarge = size
		return true
	}
	b.maxTime = max(b.maxTime, r.Timestamp)
	b.raw = slices.Grow(b.raw, size-len(b.raw))
	b.raw = appendRecord(b.raw, r, body, r.Timestamp-b.baseTime, b.count-1)
	return true
}

func (b *Builder) maxBytes() int {
	if b.opts.MaxBytes > 0 {
		return min(b.opts.MaxBytes, maxBatchSize)
	}
	return maxBatchSize
}

// Batch returns the batch of the records added so far. It aliases memory of b and is valid until
// the next Add, Batch or Reset.
//
// Where compression makes the records larger than MaxBytes and they fit without, the batch is
// uncompressed. The error is [ErrEmpty] without records, and a [*TooLargeError] where the single
// record is larger than MaxBytes either way.
func (b *Builder) Batch() (Batch, error) {
	switch {
	case b.count == 0:
		return nil, ErrEmpty
	case b.tooLarge > 0:
		return nil, &TooLargeError{Size: b.tooLarge, Limit: b.maxBytes()}
	}
	out, codec := b.raw, None
	if b.opts.Codec != None {
		b.out = slices.Grow(b.out[:0], HeaderSize)[:HeaderSize]
		var err error
		if b.out, err = b.compress(b.out, b.raw[HeaderSize:], b.opts.Codec); err != nil {
			return nil, err
		}
		if len(b.out) <= b.maxBytes() || len(b.out) < len(b.raw) {
			out, codec = b.out, b.opts.Codec
		}
	}
	if len(out) > b.maxBytes() {
		return nil, &TooLargeError{Size: len(out), Limit: b.maxBytes()}
	}
	return b.finish(out, codec), nil
}

func (b *Builder) finish(out Batch, codec Codec) Batch {
	clear(out[:HeaderSize])
	be.PutUint32(out[atLeaderEpoch:], math.MaxUint32)
	out[atMagic] = 2
	be.PutUint16(out[atAttributes:], uint16(codec))
	be.PutUint32(out[atLastOffsetDelta:], uint32(b.count-1))
	be.PutUint64(out[atBaseTimestamp:], uint64(b.baseTime))
	be.PutUint64(out[atMaxTimestamp:], uint64(b.maxTime))
	be.PutUint64(out[atProducerID:], math.MaxUint64)
	be.PutUint16(out[atProducerEpoch:], math.MaxUint16)
	be.PutUint32(out[atBaseSequence:], math.MaxUint32)
	be.PutUint32(out[atCount:], uint32(b.count))
	out.seal()
	return slices.Clip(out)
}

// Build makes one batch of records, in memory of its own. The error is [ErrEmpty] for no
// records and a [*TooLargeError] where all of them in one batch are larger than MaxBytes.
func Build(opts Options, records []Record) (Batch, error) {
	b := NewBuilder(Options{Codec: opts.Codec})
	for _, r := range records {
		if !b.Add(r) {
			return nil, &TooLargeError{Size: maxBatchSize, Limit: maxBatchSize}
		}
	}
	b.opts = opts
	return b.Batch()
}

// recordSize is the number of bytes of the record after its length.
func recordSize(r Record, timeDelta int64, offsetDelta int32) int {
	n := 1 + varintSize(timeDelta) + varintSize(int64(offsetDelta)) +
		bytesSize(r.Key) + bytesSize(r.Value) + varintSize(int64(len(r.Headers)))
	for _, h := range r.Headers {
		n += varintSize(int64(len(h.Key))) + len(h.Key) + bytesSize(h.Value)
	}
	return n
}

func bytesSize(b []byte) int {
	if b == nil {
		return varintSize(-1)
	}
	return varintSize(int64(len(b))) + len(b)
}

func appendRecord(p []byte, r Record, body int, timeDelta int64, offsetDelta int32) []byte {
	p = appendVarint(p, int64(body))
	p = append(p, 0) // attributes: none are in use
	p = appendVarint(p, timeDelta)
	p = appendVarint(p, int64(offsetDelta))
	p = appendBytes(p, r.Key)
	p = appendBytes(p, r.Value)
	p = appendVarint(p, int64(len(r.Headers)))
	for _, h := range r.Headers {
		p = appendVarint(p, int64(len(h.Key)))
		p = append(p, h.Key...)
		p = appendBytes(p, h.Value)
	}
	return p
}

func appendBytes(p, b []byte) []byte {
	if b == nil {
		return appendVarint(p, -1)
	}
	return append(appendVarint(p, int64(len(b))), b...)
}
