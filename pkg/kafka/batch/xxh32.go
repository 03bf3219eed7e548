package batch

import "math/bits"

// xxh32 is the 32-bit xxHash with seed 0, the checksum of LZ4 frames
// (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
func xxh32(p []byte) uint32 {
	const (
		p1 = 0x9e3779b1
		p2 = 0x85ebca77
		p3 = 0xc2b2ae3d
		p4 = 0x27d4eb2f
		p5 = 0x165667b1
	)
	n := uint32(len(p))
	h := uint32(p5)
	if len(p) >= 16 {
		a, b, c, d := uint32(p1&0xffffffff), uint32(p2), uint32(0), uint32(0)
		a += p2
		d -= p1
		for ; len(p) >= 16; p = p[16:] {
			a = bits.RotateLeft32(a+le.Uint32(p)*p2, 13) * p1
			b = bits.RotateLeft32(b+le.Uint32(p[4:])*p2, 13) * p1
			c = bits.RotateLeft32(c+le.Uint32(p[8:])*p2, 13) * p1
			d = bits.RotateLeft32(d+le.Uint32(p[12:])*p2, 13) * p1
		}
		h = bits.RotateLeft32(a, 1) + bits.RotateLeft32(b, 7) + bits.RotateLeft32(c, 12) + bits.RotateLeft32(d, 18)
	}
	h += n
	for ; len(p) >= 4; p = p[4:] {
		h = bits.RotateLeft32(h+le.Uint32(p)*p3, 17) * p4
	}
	for _, c := range p {
		h = bits.RotateLeft32(h+uint32(c)*p5, 11) * p1
	}
	h = (h ^ h>>15) * p2
	h = (h ^ h>>13) * p3
	return h ^ h>>16
}
