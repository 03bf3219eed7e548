package batch_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// compressed makes a frame of any content with the reference writer of each format.
func compressed(t testing.TB, codec batch.Codec, p []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch codec {
	case batch.Gzip:
		w := gzip.NewWriter(&out)
		_, _ = w.Write(p)
		err = w.Close()
	case batch.Snappy:
		return snappy.Encode(nil, p)
	case batch.LZ4:
		w := lz4.NewWriter(&out)
		_, _ = w.Write(p)
		err = w.Close()
	case batch.Zstd:
		w, _ := zstd.NewWriter(&out)
		_, _ = w.Write(p)
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// text is content of any size that compresses.
func text(n int) []byte {
	rng := rand.New(rand.NewPCG(3, 4))
	var p []byte
	for len(p) < n {
		p = append(p, `{"id":`...)
		p = append(p, byte('0'+rng.IntN(10)), byte('0'+rng.IntN(10)))
		p = append(p, `,"name":"somebody"}`...)
	}
	return p[:n]
}

// records are the bytes of an uncompressed batch with one record.
func rawRecords(t testing.TB, value []byte) []byte {
	return build(t, batch.Options{}, batch.Record{Value: value})[batch.HeaderSize:]
}

// value decodes a batch of one record from a compressed payload.
func value(t testing.TB, codec batch.Codec, payload []byte) ([]byte, error) {
	t.Helper()
	b := append(build(t, batch.Options{}, batch.Record{})[:batch.HeaderSize], payload...)
	b[22] = byte(codec)
	for r, err := range b.Records(nil) {
		return r.Value, err
	}
	return nil, errors.New("no record")
}

func TestFramesOfOtherWriters(t *testing.T) {
	t.Parallel()
	want := text(300_000)
	raw := rawRecords(t, want)
	half := len(raw) / 2
	lz4With := func(options ...lz4.Option) []byte {
		var out bytes.Buffer
		w := lz4.NewWriter(&out)
		if err := w.Apply(options...); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(raw)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	xerial := func(p []byte) []byte {
		out := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
		for part := range slices.Chunk(p, 100_000) {
			block := snappy.Encode(nil, part)
			out = append(be.AppendUint32(out, uint32(len(block))), block...)
		}
		return out
	}
	for name, tc := range map[string]struct {
		codec   batch.Codec
		payload []byte
	}{
		"one bare snappy block":              {batch.Snappy, snappy.Encode(nil, raw)},
		"snappy in blocks of another size":   {batch.Snappy, xerial(raw)},
		"two snappy streams put together":    {batch.Snappy, append(xerial(raw[:half]), xerial(raw[half:])...)},
		"gzip in two members":                {batch.Gzip, append(compressed(t, batch.Gzip, raw[:half]), compressed(t, batch.Gzip, raw[half:])...)},
		"lz4 in blocks of 64 KiB":            {batch.LZ4, lz4With(lz4.BlockSizeOption(lz4.Block64Kb))},
		"lz4 in blocks of 256 KiB":           {batch.LZ4, lz4With(lz4.BlockSizeOption(lz4.Block256Kb))},
		"lz4 in blocks of 4 MiB":             {batch.LZ4, lz4With(lz4.BlockSizeOption(lz4.Block4Mb), lz4.ChecksumOption(false))},
		"lz4 with a checksum for each block": {batch.LZ4, lz4With(lz4.BlockChecksumOption(true))},
		"lz4 with the size of its content":   {batch.LZ4, lz4With(lz4.SizeOption(uint64(len(raw))))},
		"two lz4 frames":                     {batch.LZ4, append(compressed(t, batch.LZ4, raw[:half]), compressed(t, batch.LZ4, raw[half:])...)},
		"zstd from a stream":                 {batch.Zstd, compressed(t, batch.Zstd, raw)},
		"two zstd frames":                    {batch.Zstd, append(compressed(t, batch.Zstd, raw[:half]), compressed(t, batch.Zstd, raw[half:])...)},
	} {
		t.Run("it reads "+name, func(t *testing.T) {
			t.Parallel()
			got, err := value(t, tc.codec, tc.payload)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes of %d: %v", len(got), len(want), err)
			}
		})
	}

	t.Run("it reads lz4 blocks that depend on the ones before", func(t *testing.T) {
		t.Parallel()
		const want = "0123456789abcdef0123456789abcdefEND.."
		raw := rawRecords(t, []byte(want))
		cut := len(raw) - len("0123456789abcdefEND..\x00")                 // the last byte is the number of headers
		frame := []byte{4, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0}             // blocks of 64 KiB, dependent
		frame = append(append(frame, byte(cut), 0, 0, 0x80), raw[:cut]...) // a stored block
		block := append([]byte{0x0c, 16, 0, 0x60}, "END..\x00"...)         // 16 bytes from 16 back, then 6 literals
		frame = append(append(frame, byte(len(block)), 0, 0, 0), block...)
		frame = append(frame, 0, 0, 0, 0)
		got, err := value(t, batch.LZ4, frame)
		if err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestDamagedXerial(t *testing.T) {
	t.Parallel()
	t.Run("a stream cut anywhere is an error", func(t *testing.T) {
		t.Parallel()
		b := build(t, batch.Options{Codec: batch.Snappy}, batch.Record{Value: text(70_000)})
		good := b[batch.HeaderSize:]
		for n := range good {
			if n > 40 && n < len(good)-40 {
				continue
			}
			if _, err := value(t, batch.Snappy, good[:n]); !errors.Is(err, batch.ErrCorrupt) {
				t.Fatalf("%d bytes: %v", n, err)
			}
		}
	})
	t.Run("the header of a second stream is whole", func(t *testing.T) {
		t.Parallel()
		bad := append(build(t, batch.Options{Codec: batch.Snappy}, batch.Record{})[batch.HeaderSize:], "\x82SNAPPY\x00\x00"...)
		if _, err := value(t, batch.Snappy, bad); !errors.Is(err, batch.ErrCorrupt) {
			t.Error(err)
		}
	})
}

func TestDamagedLZ4(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := lz4.NewWriter(&out)
	_ = w.Apply(lz4.BlockChecksumOption(true))
	_, _ = w.Write(rawRecords(t, text(2000)))
	_ = w.Close()
	good := out.Bytes()
	for name, tc := range map[string]struct {
		at   int
		want string
	}{
		"the magic number":      {0, "not a whole frame"},
		"the version":           {4, "unknown frame flags"},
		"the block size":        {5, "unknown frame flags"},
		"the header checksum":   {6, "frame header checksum"},
		"the length of a block": {9, "block outside its frame"},
		"a block":               {30, "block checksum"},
		"the checksum of all":   {len(good) - 1, "content checksum"},
	} {
		t.Run("damage is found in "+name, func(t *testing.T) {
			t.Parallel()
			bad := slices.Clone(good)
			bad[tc.at] ^= 0xf0
			if _, err := value(t, batch.LZ4, bad); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	t.Run("a frame cut anywhere is an error", func(t *testing.T) {
		t.Parallel()
		for n := range good {
			if _, err := value(t, batch.LZ4, good[:n]); !errors.Is(err, batch.ErrCorrupt) {
				t.Fatalf("%d bytes: %v", n, err)
			}
		}
	})
}
