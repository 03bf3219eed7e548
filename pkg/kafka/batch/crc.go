package batch

import "hash/crc32"

// A CRC is linear: the checksums of two texts of one length differ by that of
// their difference, without its initial value. So what a changed header does to
// the checksum of a batch is known without reading the records again:
//
//	new = old ^ crc(old header ^ new header, then a zero for each byte of the records)
//
// and zeros behind a text multiply its CRC by a power of x, which takes a
// multiplication for each bit of their number (Mark Adler's crc32_combine).

// headerSum is the CRC of the part of the header that the checksum covers,
// without its initial value. It moves the checksum of the whole by itself times
// [recordsPower].
func (b Batch) headerSum() uint32 {
	const noInitialValue = ^uint32(0)
	return ^crc32.Update(noInitialValue, castagnoli, b[atAttributes:HeaderSize])
}

// recordsPower is what the bytes behind the header multiply their CRC by.
func (b Batch) recordsPower() uint32 { return power(8 * uint64(len(b)-HeaderSize)) }

// one is the polynomial 1: the bit of x^0 is the highest, as CRC-32C has it.
const one = uint32(1) << 31

// multiply gives a*b modulo the polynomial of CRC-32C.
func multiply(a, b uint32) uint32 {
	var product uint32
	for bit := one; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		b = b>>1 ^ crc32.Castagnoli&-(b&1) // times x
	}
	return product
}

// power gives x^n modulo the polynomial of CRC-32C.
func power(n uint64) uint32 {
	result, square := one, one>>1
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = multiply(result, square)
		}
		square = multiply(square, square)
	}
	return result
}
