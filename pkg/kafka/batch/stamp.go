package batch

import (
	"fmt"
	"math"
)

// Producer is what a producer writes into a batch to make it idempotent or transactional.
// [NoProducer] stands for a plain producer; the zero value is the producer with id 0.
type Producer struct {
	ID            int64 // from InitProducerId
	Epoch         int16 // from InitProducerId
	Sequence      int32 // of the first record of the batch, counted per partition: see [NextSequence]
	Transactional bool  // the batch belongs to the open transaction of the producer
}

// NoProducer returns the stamp of a producer that is neither idempotent nor transactional.
func NoProducer() Producer { return Producer{ID: -1, Epoch: -1, Sequence: -1} }

// NextSequence is the sequence number that follows n records from sequence on. Numbers wrap from
// the largest int32 to 0, as brokers expect.
func NextSequence(sequence, n int32) int32 {
	return int32((int64(sequence) + int64(n)) & math.MaxInt32)
}

// Stamp rewrites in place what a producer owns, so that a fetched batch can be produced again
// without decoding: base offset 0, leader epoch -1, the producer fields, the attribute bits for
// broker time, transaction and delete horizon, and the CRC-32C. Compression, record times,
// headers and every byte of the records stay. The records are not read: a batch whose CRC-32C was
// wrong has a wrong one after the stamp, so that the broker refuses what was damaged on the way,
// in the memory of this process too.
//
// The error wraps [ErrNotStampable], and b is unchanged, where that would not give the same
// records: see [Batch.Stampable].
func (b Batch) Stamp(p Producer) error {
	if err := b.Stampable(); err != nil {
		return err
	}
	before := b.headerSum()
	attributes := b.Attributes() &^ stampClearsBits
	if p.Transactional {
		attributes |= transactionalBit
	}
	be.PutUint64(b[atBaseOffset:], 0)
	be.PutUint32(b[atLeaderEpoch:], math.MaxUint32)
	be.PutUint16(b[atAttributes:], uint16(attributes))
	be.PutUint64(b[atProducerID:], uint64(p.ID))
	be.PutUint16(b[atProducerEpoch:], uint16(p.Epoch))
	be.PutUint32(b[atBaseSequence:], uint32(p.Sequence))
	change := multiply(before^b.headerSum(), b.recordsPower())
	be.PutUint32(b[atCRC:], be.Uint32(b[atCRC:])^change)
	return nil
}

// Stampable returns nil where [Batch.Stamp] keeps every record as it is. Otherwise the error
// wraps [ErrNotStampable] and says why:
//
//   - a control batch: only brokers write these;
//   - a batch that is not [Batch.Dense]: brokers refuse offsets with gaps from a producer;
//   - a batch with [Batch.LogAppendTime]: the time of its records is in the header, where the
//     target broker keeps none for producers, and their own deltas hold another.
func (b Batch) Stampable() error {
	switch {
	case len(b) < HeaderSize:
		return fmt.Errorf("%w: %d bytes are no batch", ErrNotStampable, len(b))
	case b.Control():
		return fmt.Errorf("%w: batch at offset %d is a control batch", ErrNotStampable, b.BaseOffset())
	case !b.Dense():
		return fmt.Errorf("%w: batch at offset %d has %d records for %d offsets", ErrNotStampable,
			b.BaseOffset(), b.Count(), int64(b.LastOffsetDelta())+1)
	case b.LogAppendTime():
		return fmt.Errorf("%w: batch at offset %d carries the time of its records in its header", ErrNotStampable, b.BaseOffset())
	}
	return nil
}
