package mirror

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// What is written is checked against what was read:
//
//   - A batch that is passed on keeps the checksum of its records from the broker
//     of the source to that of the target, which verifies it: [batch.Batch.Stamp]
//     carries it over instead of making a new one. That costs nothing.
//   - A batch that is built anew is decoded again, and its records must be those
//     that it was built of.

// errUnfaithful says that a batch that was built is not what it was built of.
var errUnfaithful = errors.New("a batch that was built holds other records than the source: nothing of it is written, please report this")

// content sums up the contents of records in order, as [batch.Digest] does, but
// for comparisons inside of one process: it is many times as fast. The zero
// value is that of no records.
type content struct {
	hash  maphash.Hash
	frame []byte
}

func (c *content) add(r batch.Record) {
	f := binary.BigEndian.AppendUint64(c.frame[:0], uint64(r.Timestamp))
	f = appendLength(appendLength(f, r.Key), r.Value)
	f = binary.BigEndian.AppendUint32(f, uint32(len(r.Headers)))
	for _, h := range r.Headers {
		f = binary.BigEndian.AppendUint32(f, uint32(len(h.Key)))
		f = appendLength(append(f, h.Key...), h.Value)
		f = append(f, h.Value...)
	}
	c.hash.Write(f)
	c.hash.Write(r.Key)
	c.hash.Write(r.Value)
	c.frame = f
}

// appendLength keeps nil and empty apart.
func appendLength(p, field []byte) []byte {
	if field == nil {
		return binary.BigEndian.AppendUint32(p, 1<<32-1)
	}
	return binary.BigEndian.AppendUint32(p, uint32(len(field)))
}

// checker decodes what was built.
type checker struct {
	decoder batch.Decoder
	built   content
}

// check wants the records of a batch to be those that source sums up.
func (c *checker) check(b batch.Batch, source *content) error {
	c.built.hash.SetSeed(source.hash.Seed())
	for r, err := range b.Records(&c.decoder) {
		if err != nil {
			return fmt.Errorf("%w (%w)", errUnfaithful, err)
		}
		c.built.add(r)
	}
	if c.built.hash.Sum64() != source.hash.Sum64() {
		return errUnfaithful
	}
	return nil
}
