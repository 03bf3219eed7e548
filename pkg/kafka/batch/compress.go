package batch

import (
	"fmt"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// compressor keeps the state of the compressors between batches.
type compressor struct {
	gzip *gzip.Writer
	lz4  *lz4.Compressor
	zstd *zstd.Encoder
}

// compress appends src compressed to dst.
func (c *compressor) compress(dst, src []byte, codec Codec) ([]byte, error) {
	switch codec {
	case Gzip:
		return c.appendGzip(dst, src)
	case Snappy:
		return appendSnappy(dst, src), nil
	case LZ4:
		if c.lz4 == nil {
			c.lz4 = new(lz4.Compressor)
		}
		return appendLZ4(dst, src, c.lz4)
	case Zstd:
		return c.appendZstd(dst, src)
	}
	return dst, fmt.Errorf("unknown compression %d", codec)
}

func (c *compressor) appendGzip(dst, src []byte) ([]byte, error) {
	out := sliceWriter(dst)
	if c.gzip == nil {
		c.gzip = gzip.NewWriter(&out)
	} else {
		c.gzip.Reset(&out)
	}
	if _, err := c.gzip.Write(src); err != nil {
		return dst, err
	}
	err := c.gzip.Close()
	return out, err
}

type sliceWriter []byte

func (w *sliceWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

func (c *compressor) appendZstd(dst, src []byte) ([]byte, error) {
	if c.zstd == nil {
		// No frame checksum, as Kafka's clients have it: the batch has its CRC-32C.
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
		if err != nil {
			return dst, err
		}
		c.zstd = z
	}
	return c.zstd.EncodeAll(src, dst), nil
}
