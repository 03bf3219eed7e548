package batch

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/pierrec/lz4/v4"
)

// The LZ4 frame format, https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md.
const (
	lz4Magic       = 0x184d2204
	lz4VersionMask = 0xc0
	lz4Version     = 0x40
	lz4Independent = 0x20
	lz4BlockSum    = 0x10
	lz4ContentSize = 0x08
	lz4ContentSum  = 0x04
	lz4Reserved    = 0x03 // a reserved bit and dictionaries, which Kafka has not
	lz4Stored      = 1 << 31
	lz4Window      = 64 << 10
	// Kafka's clients write blocks of 64 KiB (KafkaLZ4BlockOutputStream).
	lz4BlockCode = 4
	lz4BlockSize = 64 << 10
)

var (
	le          = binary.LittleEndian
	errLZ4Frame = errors.New("not a whole frame")
)

// unlz4 appends the content of one or more frames. Kafka before 0.10 computed the checksum of
// the frame header wrongly (KAFKA-3160): brokenSum accepts it.
func unlz4(dst, src []byte, limit int, brokenSum bool) ([]byte, error) {
	for first := true; first || len(src) > 0; first = false {
		var f lz4Frame
		var err error
		if src, err = f.open(src, brokenSum); err != nil {
			return dst, err
		}
		if dst, src, err = f.blocks(dst, src, limit); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// lz4Frame is what the header of a frame says about its blocks.
type lz4Frame struct {
	flags    byte
	maxBlock int
}

func (f *lz4Frame) open(src []byte, brokenSum bool) (rest []byte, err error) {
	if len(src) < 7 || le.Uint32(src) != lz4Magic {
		return nil, errLZ4Frame
	}
	f.flags = src[4]
	code := src[5] >> 4
	if f.flags&lz4VersionMask != lz4Version || f.flags&lz4Reserved != 0 || code < 4 || code > 7 {
		return nil, errors.New("unknown frame flags")
	}
	f.maxBlock = 1 << (8 + 2*int(code))
	end := 6
	if f.flags&lz4ContentSize != 0 {
		end += 8 // the claimed size is not needed, so it is not trusted
	}
	if len(src) <= end {
		return nil, errLZ4Frame
	}
	if !brokenSum && src[end] != lz4HeaderSum(src[4:end]) {
		return nil, errors.New("wrong frame header checksum")
	}
	return src[end+1:], nil
}

func lz4HeaderSum(descriptor []byte) byte { return byte(xxh32(descriptor) >> 8) }

func (f *lz4Frame) blocks(dst, src []byte, limit int) (out, rest []byte, err error) {
	start := len(dst)
	for {
		if len(src) < 4 {
			return dst, nil, errLZ4Frame
		}
		word := le.Uint32(src)
		src = src[4:]
		if word == 0 {
			return f.close(dst, src, start)
		}
		size := int(word &^ lz4Stored)
		if size > len(src) || size > f.maxBlock {
			return dst, nil, errors.New("block outside its frame")
		}
		block := src[:size]
		src = src[size:]
		if f.flags&lz4BlockSum != 0 {
			if len(src) < 4 || le.Uint32(src) != xxh32(block) {
				return dst, nil, errors.New("wrong block checksum")
			}
			src = src[4:]
		}
		if word&lz4Stored != 0 {
			dst = append(dst, block...)
		} else if dst, err = f.block(dst, block, start); err != nil {
			return dst, nil, err
		}
		if len(dst) > limit {
			return dst, nil, errOverLimit
		}
	}
}

// block appends one compressed block. start is where the content of the frame begins in dst.
func (f *lz4Frame) block(dst, block []byte, start int) ([]byte, error) {
	// A block expands at most 255 times, so a small one takes no 4 MiB however it is declared.
	room := min(f.maxBlock, 255*len(block)+64)
	dst = slices.Grow(dst, room)
	var dict []byte
	if f.flags&lz4Independent == 0 {
		dict = dst[max(start, len(dst)-lz4Window):]
	}
	n, err := lz4.UncompressBlockWithDict(block, dst[len(dst):len(dst)+room], dict)
	if err != nil {
		return dst, err
	}
	return dst[:len(dst)+n], nil
}

func (f *lz4Frame) close(dst, src []byte, start int) (out, rest []byte, err error) {
	if f.flags&lz4ContentSum == 0 {
		return dst, src, nil
	}
	if len(src) < 4 || le.Uint32(src) != xxh32(dst[start:]) {
		return dst, nil, errors.New("wrong content checksum")
	}
	return dst, src[4:], nil
}

// appendLZ4 appends src as one frame like Kafka's Java clients write it: independent blocks of
// 64 KiB, no checksum but that of the header.
func appendLZ4(dst, src []byte, c *lz4.Compressor) ([]byte, error) {
	descriptor := [2]byte{lz4Version | lz4Independent, lz4BlockCode << 4}
	dst = le.AppendUint32(dst, lz4Magic)
	dst = append(dst, descriptor[0], descriptor[1], lz4HeaderSum(descriptor[:]))
	for block := range slices.Chunk(src, lz4BlockSize) {
		dst = slices.Grow(dst, 4+lz4.CompressBlockBound(len(block)))
		at := len(dst)
		n, err := c.CompressBlock(block, dst[at+4:cap(dst)])
		if err != nil {
			return dst, err
		}
		if n == 0 || n >= len(block) {
			dst = append(le.AppendUint32(dst, uint32(len(block))|lz4Stored), block...)
			continue
		}
		dst = le.AppendUint32(dst, uint32(n))[:at+4+n]
	}
	return le.AppendUint32(dst, 0), nil
}
