package cos

import "hash/crc64"

// ecma is the polynomial of the checksums of COS.
var ecma = crc64.MakeTable(crc64.ECMA)

// CRC64 is the checksum of COS, CRC-64/ECMA, of data after what crc covers; 0
// begins.
func CRC64(crc uint64, data []byte) uint64 { return crc64.Update(crc, ecma, data) }

// CombineCRC64 is the checksum of two runs of bytes one after the other, from
// the checksum of each and the length of the second. It takes microseconds.
func CombineCRC64(first, second uint64, length int64) uint64 {
	if length <= 0 {
		return first
	}
	// The method of zlib's crc32_combine: appending a zero bit is a linear map on
	// the register, here a matrix over GF(2); squared again and again it appends
	// 2, 4, 8 bits.
	var even, odd [64]uint64
	odd[0] = crc64.ECMA
	for i := 1; i < 64; i++ {
		odd[i] = 1 << (i - 1)
	}
	square(&even, &odd) // 2 bits
	square(&odd, &even) // 4 bits
	current, next := &odd, &even
	for ; length > 0; length >>= 1 {
		square(next, current)
		current, next = next, current
		if length&1 == 1 {
			first = times(current, first)
		}
	}
	return first ^ second
}

func times(matrix *[64]uint64, vector uint64) (sum uint64) {
	for i := 0; vector != 0; i, vector = i+1, vector>>1 {
		if vector&1 == 1 {
			sum ^= matrix[i]
		}
	}
	return sum
}

func square(to, from *[64]uint64) {
	for i := range from {
		to[i] = times(from, from[i])
	}
}
