package batch

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
)

// Digest sums up the content of the records of one partition, in order: two partitions with the
// same digest hold the same records. Timestamp, key, value and headers in order count, with nil
// and empty apart; offsets, batching, compression, producers and control markers do not. The
// zero value is the digest of no records. It is not for use by several goroutines at once.
//
// It is SHA-256 over a framing that only one sequence of records can have: per record the time as
// 8 big-endian bytes, key, value, number of headers, and name and value of each; fields with
// their length before them, lengths and the number as zigzag varints, -1 for nil.
// SHA-256 is the fastest cryptographic hash of the standard library on processors with SHA
// instructions: 1.3 GB/s and core with records of 1 KB.
type Digest struct {
	hash  hash.Hash // nil before the first record
	count int64
	frame []byte // of the record at hand, not yet hashed
}

// Add takes in the next record.
func (d *Digest) Add(r Record) {
	if d.hash == nil {
		d.hash = sha256.New()
	}
	d.count++
	d.frame = be.AppendUint64(d.frame[:0], uint64(r.Timestamp))
	d.bytes(r.Key)
	d.bytes(r.Value)
	d.frame = appendVarint(d.frame, int64(len(r.Headers)))
	for _, h := range r.Headers {
		d.frame = appendVarint(d.frame, int64(len(h.Key)))
		d.frame = append(d.frame, h.Key...)
		d.bytes(h.Value)
	}
	d.hash.Write(d.frame)
}

func (d *Digest) bytes(b []byte) {
	// Long fields are hashed where they are, short ones are put together first.
	const short = 256
	if b == nil {
		d.frame = appendVarint(d.frame, -1)
		return
	}
	d.frame = appendVarint(d.frame, int64(len(b)))
	if len(b) <= short {
		d.frame = append(d.frame, b...)
		return
	}
	d.hash.Write(d.frame)
	d.hash.Write(b)
	d.frame = d.frame[:0]
}

// Count is the number of records taken in.
func (d *Digest) Count() int64 { return d.count }

// Sum is the digest of the records taken in so far. More may be added after.
func (d *Digest) Sum() (sum [sha256.Size]byte) {
	if d.hash == nil {
		return sha256.Sum256(nil)
	}
	d.hash.Sum(sum[:0])
	return sum
}

// String returns the first 16 hexadecimal digits of Sum, to show to people. Compare by Sum.
func (d *Digest) String() string {
	sum := d.Sum()
	return hex.EncodeToString(sum[:8])
}

// digestVersion starts a marshalled digest; another version is another framing.
const digestVersion = 1

// MarshalBinary returns the state, so that another process can go on with the next record.
func (d *Digest) MarshalBinary() ([]byte, error) {
	p := be.AppendUint64([]byte{digestVersion}, uint64(d.count))
	if d.hash == nil {
		return p, nil
	}
	state, err := d.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("marshal digest: %w", err)
	}
	return append(p, state...), nil
}

// UnmarshalBinary replaces the state of d by one from MarshalBinary. On an error, which means
// that the state is damaged or from another version, d is unchanged: start over from the first
// record.
func (d *Digest) UnmarshalBinary(state []byte) error {
	const head = 1 + 8
	if len(state) < head || state[0] != digestVersion {
		return errors.New("unmarshal digest: not a digest of this version")
	}
	count := int64(be.Uint64(state[1:]))
	if count < 0 || (count == 0) != (len(state) == head) {
		return errors.New("unmarshal digest: damaged")
	}
	if count == 0 {
		*d = Digest{}
		return nil
	}
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state[head:]); err != nil {
		return fmt.Errorf("unmarshal digest: %w", err)
	}
	*d = Digest{hash: h, count: count}
	return nil
}
