package event

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Masks for eight bytes at a time in a 64-bit word.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks the bytes of x that end a run of plain ASCII in a JSON string: '"', '\', control
// characters and everything from 0x80 up. The high bit of the lowest such byte is set in the result; bits
// above it mean nothing, because a subtraction may borrow from the next byte.
func special(x uint64) uint64 {
	quote, backslash := x^ones*'"', x^ones*'\\'
	return (x | (x - ones*0x20) | (quote - ones) | (backslash - ones)) & highs
}

// plainEnd is the index of the first byte of p, from i on, that a JSON string cannot hold as it is: '"',
// '\', a control character, or a byte that is not part of well-formed UTF-8. It is len(p) if there is none.
func plainEnd(p []byte, i int) int {
	for {
		for i+8 <= len(p) {
			m := special(binary.LittleEndian.Uint64(p[i:]))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(p) && p[i] < utf8.RuneSelf {
			if c := p[i]; c < ' ' || c == '"' || c == '\\' {
				return i
			}
			i++
		}
		end := wideEnd(p, i)
		if end == i {
			return i
		}
		i = end
	}
}

// Two characters of three bytes each in the low six bytes of a little-endian word: 1110xxxx 10xxxxxx
// 10xxxxxx, twice.
const (
	threeMask = 0xC0C0F0_C0C0F0
	threeBits = 0x8080E0_8080E0
)

// wideEnd is the end of the run of well-formed characters above U+007F that starts at p[i]; it is i where
// there is none.
//
// Text in Chinese, Japanese or Korean is nearly all characters of three bytes, so these are checked two at
// a time; utf8.DecodeRune, one call a character, is several times slower and does the rest.
func wideEnd(p []byte, i int) int {
	for {
		for i+8 <= len(p) {
			x := binary.LittleEndian.Uint64(p[i:])
			if x&threeMask != threeBits || !threeByteRune(x) || !threeByteRune(x>>24) {
				break
			}
			i += 6
		}
		if i >= len(p) || p[i] < utf8.RuneSelf {
			return i
		}
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

// threeByteRune reports whether the low three bytes of x, known to have the bits of a three-byte sequence,
// are neither an overlong form (E0 80..9F) nor a surrogate (ED A0..BF).
func threeByteRune(x uint64) bool {
	x &= 0x20_0F // low half of the first byte, and the bit that parts 80..9F from A0..BF in the second
	return x != 0x00_00 && x != 0x20_0D
}
