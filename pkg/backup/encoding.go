package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Encoding is what was done to a log to make an object of it: compressed, then
// encrypted.
type Encoding string

// The encodings of segments.
const (
	Plain            Encoding = ""
	Zstd             Encoding = "zst"
	Encrypted        Encoding = "age"
	ZstdAndEncrypted Encoding = "zst.age"
)

func (e Encoding) valid() bool {
	return slices.Contains([]Encoding{Plain, Zstd, Encrypted, ZstdAndEncrypted}, e)
}

func (e Encoding) suffix() string {
	if e == Plain {
		return ""
	}
	return "." + string(e)
}

func (e Encoding) encrypted() bool { return e == Encrypted || e == ZstdAndEncrypted }

func (e Encoding) compressed() bool { return e == Zstd || e == ZstdAndEncrypted }

// encrypt seals bytes for recipients.
func encrypt(log []byte, recipients []age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(log) + len(log)/1024 + 1024) // 16 bytes for 64 KiB, and the header
	w, err := age.Encrypt(&out, recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if _, err := w.Write(log); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return out.Bytes(), nil
}

// decode gives the log in an object, of exactly size bytes, in buf where it is large
// enough. The error is [ErrKey], or what is wrong with the bytes; beside it comes what
// could be decoded.
func (e Encoding) decode(object []byte, size int64, identities []age.Identity, buf []byte) ([]byte, error) {
	var from io.Reader = bytes.NewReader(object)
	if e.encrypted() {
		if len(identities) == 0 {
			return nil, fmt.Errorf("it is encrypted: %w: none was given", ErrKey)
		}
		opened, err := age.Decrypt(from, identities...)
		var mismatch *age.NoIdentityMatchError
		if errors.As(err, &mismatch) {
			return nil, fmt.Errorf("it is encrypted: %w (%d were tried)", ErrKey, len(identities))
		}
		if err != nil {
			return nil, fmt.Errorf("decrypt: %w", err)
		}
		from = opened
	}
	if e.compressed() {
		// why a bound: a window as large as a frame may ask for is more than a function has
		opened, err := zstd.NewReader(
			from,
			zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow),
		)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		defer opened.Close()
		from = opened
	}
	log, err := readUpTo(from, buf, size)
	if err != nil {
		return log, fmt.Errorf("decode: %w", err)
	}
	return log, nil
}

// maxWindow bounds how far back a zstd frame may look; compressor stays below.
const (
	maxWindow  = 8 << 20
	zstdWindow = 1 << 20
)

// compressor makes zstd frames. It is safe for concurrent use.
func compressor(parallel int) (*zstd.Encoder, error) {
	return zstd.NewWriter(
		nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(parallel),
		zstd.WithWindowSize(zstdWindow),
		zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false),
	)
}
