package batch

import (
	"bytes"
	"errors"
	"slices"

	"github.com/klauspost/compress/snappy"
)

// xerialHeader starts the framing that Java clients put around snappy blocks: a magic of 8 bytes,
// version 1, compatible with 1. Each block follows after its big-endian length
// (org.xerial.snappy.SnappyOutputStream). Clients over the C library write one bare block.
const xerialHeader = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"

const (
	xerialMagicSize = 8
	xerialBlockSize = 32 << 10
)

// unsnappy appends the content of src, framed or bare.
func unsnappy(dst, src []byte, limit int) ([]byte, error) {
	magic := []byte(xerialHeader[:xerialMagicSize])
	if !bytes.HasPrefix(src, magic) {
		return unsnappyBlock(dst, src, limit)
	}
	for len(src) > 0 {
		if bytes.HasPrefix(src, magic) { // at the start, and where streams were put together
			if len(src) < len(xerialHeader) {
				return dst, errors.New("not a whole stream header")
			}
			src = src[len(xerialHeader):]
			continue
		}
		if len(src) < 4 || uint64(be.Uint32(src)) > uint64(len(src)-4) {
			return dst, errors.New("block outside its stream")
		}
		end := 4 + int(be.Uint32(src))
		var err error
		if dst, err = unsnappyBlock(dst, src[4:end], limit); err != nil {
			return dst, err
		}
		src = src[end:]
	}
	return dst, nil
}

func unsnappyBlock(dst, block []byte, limit int) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	if err != nil {
		return dst, err
	}
	// Three bytes stand for at most 64, so more than that is a lie to take memory by.
	if n > 22*len(block)+64 {
		return dst, errors.New("block claims more than it can hold")
	}
	if n > limit-len(dst) {
		return dst, errOverLimit
	}
	dst = slices.Grow(dst, n)
	out, err := snappy.Decode(dst[len(dst):len(dst)+n], block)
	if err != nil {
		return dst, err
	}
	return dst[:len(dst)+len(out)], nil
}

// appendSnappy appends src in the framing and the block size of the Java clients.
func appendSnappy(dst, src []byte) []byte {
	dst = append(dst, xerialHeader...)
	for block := range slices.Chunk(src, xerialBlockSize) {
		dst = slices.Grow(dst, 4+snappy.MaxEncodedLen(len(block)))
		at := len(dst) + 4
		out := snappy.Encode(dst[at:cap(dst)], block)
		dst = be.AppendUint32(dst, uint32(len(out)))[:at+len(out)]
	}
	return dst
}
