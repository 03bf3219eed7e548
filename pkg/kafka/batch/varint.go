package batch

import "math/bits"

// reader takes fields off the front of a byte slice. After the first field that is not there it
// is failed: fields are zero from then on, so that a caller checks once a record.
type reader struct {
	p      []byte
	failed bool
}

func (r *reader) fail() { r.p, r.failed = nil, true }

// varint reads a zigzag number of at most 64 bits.
func (r *reader) varint() int64 {
	// Most lengths and deltas are one byte.
	if len(r.p) > 0 && r.p[0] < 0x80 {
		u := uint64(r.p[0])
		r.p = r.p[1:]
		return int64(u>>1) ^ -int64(u&1)
	}
	return r.longVarint()
}

func (r *reader) longVarint() int64 {
	var u uint64
	for i, c := range r.p {
		if i == 9 && c > 1 {
			break // more than 64 bits
		}
		u |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.p = r.p[i+1:]
			return int64(u>>1) ^ -int64(u&1)
		}
	}
	r.fail()
	return 0
}

// varint32 reads a zigzag number of at most 32 bits.
func (r *reader) varint32() int32 {
	v := r.varint()
	if int64(int32(v)) != v {
		r.fail()
		return 0
	}
	return int32(v)
}

// bytes reads a length and as many bytes; length -1 is nil.
func (r *reader) bytes() []byte {
	return r.take(int(r.varint32()))
}

// take reads n bytes, nil for n = -1. The result is never nil for other n.
func (r *reader) take(n int) []byte {
	if uint(n) > uint(len(r.p)) {
		if n != -1 {
			r.fail()
		}
		return nil
	}
	b := r.p[:n:n]
	r.p = r.p[n:]
	if b == nil {
		return []byte{}
	}
	return b
}

// int32 reads a big-endian number.
func (r *reader) int32() int32 {
	if len(r.p) < 4 {
		r.fail()
		return 0
	}
	v := int32(be.Uint32(r.p))
	r.p = r.p[4:]
	return v
}

// int64 reads a big-endian number.
func (r *reader) int64() int64 {
	if len(r.p) < 8 {
		r.fail()
		return 0
	}
	v := int64(be.Uint64(r.p))
	r.p = r.p[8:]
	return v
}

func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }

func varintSize(v int64) int { return (bits.Len64(zigzag(v)|1) + 6) / 7 }

func appendVarint(p []byte, v int64) []byte {
	u := zigzag(v)
	for ; u >= 0x80; u >>= 7 {
		p = append(p, byte(u)|0x80)
	}
	return append(p, byte(u))
}
