package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// decompressor keeps the state of the decompressors between batches.
type decompressor struct {
	src  bytes.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder

	zstdMemory int // the bound that zstd was made with
}

// decompress puts the content of src into dst, which is empty but for its capacity. The memory it takes grows with the content found,
// not with sizes that src claims, and ends at limit.
//
// brokenLZ4 says that the frame checksum of LZ4 is not to be checked: see [Message].
func (d *decompressor) decompress(dst, src []byte, codec Codec, limit int, brokenLZ4 bool) ([]byte, error) {
	var err error
	switch codec {
	case Gzip:
		dst, err = d.gunzip(dst, src, limit)
	case Snappy:
		dst, err = unsnappy(dst, src, limit)
	case LZ4:
		dst, err = unlz4(dst, src, limit, brokenLZ4)
	case Zstd:
		dst, err = d.unzstd(dst, src, limit)
	default:
		return dst, corrupt("unknown compression %d", codec)
	}
	if err == nil && len(dst) > limit {
		err = errOverLimit
	}
	switch {
	case errors.Is(err, errOverLimit):
		return dst, fmt.Errorf("%w of %d bytes: %d bytes of %v", ErrLimit, limit, len(src), codec)
	case err != nil:
		return dst, corrupt("%v: %v", codec, err)
	}
	return dst, nil
}

// errOverLimit is what the codecs return for content beyond the limit.
var errOverLimit = errors.New("over limit")

// expected is the first guess at the size of the content of n compressed bytes.
func expected(n, limit int) int { return min(4*n+512, limit) }

func (d *decompressor) gunzip(dst, src []byte, limit int) ([]byte, error) {
	d.src.Reset(src)
	defer d.src.Reset(nil) // let go of src
	if d.gzip == nil {
		d.gzip = new(gzip.Reader)
	}
	if err := d.gzip.Reset(&d.src); err != nil {
		return dst, unexpected(err)
	}
	dst = slices.Grow(dst, expected(len(src), limit))
	for {
		n, err := d.gzip.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		case len(dst) > limit:
			return dst, errOverLimit
		case len(dst) == cap(dst):
			dst = slices.Grow(dst, min(len(dst), limit-len(dst))+1)
		}
	}
}

// unexpected turns the end of the input into an error that does not read like success.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// minZstdMemory is the least bound to give a zstd decoder. Below it a frame is refused for the
// window that it declares (Java's clients: 2 MiB), however little it holds.
const minZstdMemory = 32 << 20

func (d *decompressor) unzstd(dst, src []byte, limit int) ([]byte, error) {
	if memory := max(limit, minZstdMemory); d.zstd == nil || d.zstdMemory != memory {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(memory)))
		if err != nil {
			return dst, err
		}
		d.zstd, d.zstdMemory = z, memory
	}
	// The decoder takes the memory that a frame claims to need at once.
	var header zstd.Header
	if err := header.Decode(src); err != nil {
		return dst, unexpected(err)
	}
	if header.HasFCS && header.FrameContentSize > maxZstdContent(len(src)) {
		return dst, errors.New("frame claims more than it can hold")
	}
	if header.HasFCS && header.FrameContentSize > uint64(limit) {
		return dst, errOverLimit
	}
	dst, err := d.zstd.DecodeAll(src, dst)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		err = errOverLimit
	}
	return dst, err
}

// maxZstdContent is what n bytes of zstd can hold: a block takes at least 4 bytes and holds at
// most 128 KiB (RFC 8878, 3.1.1.2).
func maxZstdContent(n int) uint64 { return (uint64(n)/4 + 1) << 17 }
