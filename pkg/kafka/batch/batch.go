package batch

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
)

// HeaderSize is the number of bytes before the records of a batch.
const HeaderSize = 61

// Positions of the header fields, all big-endian.
const (
	atBaseOffset      = 0
	atLength          = 8 // of what follows this field
	atLeaderEpoch     = 12
	atMagic           = 16 // the same in messages of format 0 and 1
	atCRC             = 17 // CRC-32C of what follows this field
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atCount           = 57
)

// lengthEnd is where the bytes start that the length field counts.
const lengthEnd = 12

// Attribute bits.
const (
	codecMask         = 0x07
	logAppendTimeBit  = 0x08
	transactionalBit  = 0x10
	controlBit        = 0x20
	deleteHorizonBit  = 0x40 // KIP-534: the cleaner put its delete horizon into baseTimestamp
	stampClearsBits   = logAppendTimeBit | transactionalBit | deleteHorizonBit
	legacyTimeTypeBit = 0x08
)

var (
	be         = binary.BigEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// Batch is one whole record batch of format 2, header included. It aliases the buffer that it
// was split from.
//
// A Batch from [Next], [Build] or [Builder.Batch] is at least [HeaderSize] bytes long. For one
// made by conversion call [Batch.Verify] first: the accessors panic on a shorter slice.
type Batch []byte

// Next splits the first batch off p, which holds batches back to back as a fetch response or a
// log segment does. The returned batch and rest alias p.
//
// A nil batch with a nil error means that p is empty or ends inside its first batch, as the
// bytes of a fetch may. The error is [ErrOldFormat] where a message of format 0 or 1 comes
// first, and wraps [ErrCorrupt] where the length or the magic byte cannot be true. Nothing else
// is checked: see [Batch.Verify].
func Next(p []byte) (b Batch, rest []byte, err error) {
	if len(p) <= atMagic {
		return nil, p, nil
	}
	n := int64(int32(be.Uint32(p[atLength:]))) + lengthEnd
	switch magic := int8(p[atMagic]); {
	case magic == 0 || magic == 1:
		return nil, p, ErrOldFormat
	case magic != 2:
		return nil, p, corrupt("batch at offset %d has magic %d, known are 0, 1 and 2", be.Uint64(p), magic)
	case n < HeaderSize:
		return nil, p, corrupt("batch at offset %d claims %d bytes, its header alone has %d", be.Uint64(p), n, HeaderSize)
	case n > int64(len(p)):
		return nil, p, nil
	}
	return Batch(p[:n:n]), p[n:], nil
}

// BaseOffset is the offset that the deltas of the records count from. In a compacted topic the
// record with this offset may be gone.
func (b Batch) BaseOffset() int64 { return int64(be.Uint64(b[atBaseOffset:])) }

// LastOffsetDelta is the distance from [Batch.BaseOffset] to [Batch.LastOffset].
func (b Batch) LastOffsetDelta() int32 { return int32(be.Uint32(b[atLastOffsetDelta:])) }

// LastOffset is the last offset that the batch takes up, whether or not compaction left a record
// there. The next batch of the partition starts above it.
func (b Batch) LastOffset() int64 { return b.BaseOffset() + int64(b.LastOffsetDelta()) }

// Count is the number of records that the header claims.
func (b Batch) Count() int32 { return int32(be.Uint32(b[atCount:])) }

// Attributes are the attribute bits as they stand.
func (b Batch) Attributes() int16 { return int16(be.Uint16(b[atAttributes:])) }

// Codec is the compression of the records. A value above [Zstd] is unknown, and decoding the
// records says so.
func (b Batch) Codec() Codec { return Codec(b.Attributes() & codecMask) }

// LogAppendTime reports whether the broker set the time: then every record has the time
// [Batch.MaxTimestamp], whatever its own delta says.
func (b Batch) LogAppendTime() bool { return b.Attributes()&logAppendTimeBit != 0 }

// Transactional reports whether the batch was written inside a transaction.
func (b Batch) Transactional() bool { return b.Attributes()&transactionalBit != 0 }

// Control reports whether the batch holds a marker of the broker instead of records of a
// producer. See [Batch.Marker].
func (b Batch) Control() bool { return b.Attributes()&controlBit != 0 }

// ProducerID is the id of an idempotent or transactional producer, -1 for none.
func (b Batch) ProducerID() int64 { return int64(be.Uint64(b[atProducerID:])) }

// ProducerEpoch is the epoch of the producer, -1 for none.
func (b Batch) ProducerEpoch() int16 { return int16(be.Uint16(b[atProducerEpoch:])) }

// BaseSequence is the producer's sequence number of the first record, -1 for none.
func (b Batch) BaseSequence() int32 { return int32(be.Uint32(b[atBaseSequence:])) }

// BaseTimestamp is what the time deltas of the records count from, in milliseconds since 1970.
// It is no time of its own: the cleaner of a compacted topic may have replaced it.
func (b Batch) BaseTimestamp() int64 { return int64(be.Uint64(b[atBaseTimestamp:])) }

// MaxTimestamp is the largest time of the records, in milliseconds since 1970; -1 where they
// have none. With [Batch.LogAppendTime] it is the time of all of them.
func (b Batch) MaxTimestamp() int64 { return int64(be.Uint64(b[atMaxTimestamp:])) }

// LeaderEpoch is the epoch of the partition leader that appended the batch, -1 where unknown.
func (b Batch) LeaderEpoch() int32 { return int32(be.Uint32(b[atLeaderEpoch:])) }

// Dense reports whether the batch has a record for each offset that it takes up, as a producer
// writes it. Compaction leaves batches that are not dense.
func (b Batch) Dense() bool {
	n := b.Count()
	return n > 0 && int64(b.LastOffsetDelta())+1 == int64(n)
}

// SameRecords says that two batches hold the same records, their offsets and producers aside,
// and can say so without decoding them: their bytes are the same, and so is what the header
// says about them. false says nothing: other bytes may be the same records.
func (b Batch) SameRecords(other Batch) bool {
	const meaning = codecMask | logAppendTimeBit | controlBit | deleteHorizonBit
	return b.Attributes()&meaning == other.Attributes()&meaning &&
		b.Count() == other.Count() &&
		b.BaseTimestamp() == other.BaseTimestamp() && b.MaxTimestamp() == other.MaxTimestamp() &&
		bytes.Equal(b[HeaderSize:], other[HeaderSize:])
}

// Verify checks that b is exactly one batch of format 2 whose CRC-32C is right. The error wraps
// [ErrCorrupt]. It is safe on any bytes. The records themselves are checked by decoding them.
func (b Batch) Verify() error {
	if len(b) < HeaderSize {
		return corrupt("%d bytes are no batch, its header alone has %d", len(b), HeaderSize)
	}
	if magic := int8(b[atMagic]); magic != 2 {
		return corrupt("batch at offset %d has magic %d, not 2", b.BaseOffset(), magic)
	}
	if n := int64(int32(be.Uint32(b[atLength:]))) + lengthEnd; n != int64(len(b)) {
		return corrupt("batch at offset %d claims %d bytes and has %d", b.BaseOffset(), n, len(b))
	}
	if want, got := be.Uint32(b[atCRC:]), b.checksum(); want != got {
		return corrupt("batch at offset %d has CRC-32C %08x, its bytes give %08x", b.BaseOffset(), want, got)
	}
	return nil
}

func (b Batch) checksum() uint32 { return crc32.Checksum(b[atAttributes:], castagnoli) }

// seal fills in the fields that depend on the finished bytes.
func (b Batch) seal() {
	be.PutUint32(b[atLength:], uint32(len(b)-lengthEnd))
	be.PutUint32(b[atCRC:], b.checksum())
}

// maxBatchSize is what the length field can express.
const maxBatchSize = math.MaxInt32
