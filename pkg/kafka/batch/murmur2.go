package batch

import "encoding/binary"

// Murmur2 is the 32-bit hash that Kafka's clients choose partitions by: MurmurHash2 with the
// seed 0x9747b28c (org.apache.kafka.common.utils.Utils.murmur2).
func Murmur2(key []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := uint32(seed) ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		k ^= k >> r
		h = h*m ^ k*m
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// Partition is where the default partitioner of the Java client puts a record with this key in a
// topic of n partitions. It is for records that have a key, which may be empty: those without
// one are spread freely. It panics where n is not positive.
func Partition(key []byte, n int32) int32 {
	return int32(Murmur2(key)&0x7fffffff) % n
}
