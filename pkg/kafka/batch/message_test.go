package batch_test

import (
	"errors"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// message encodes one message of format 0 or 1.
func message(magic, attributes byte, r batch.Record) []byte {
	p := be.AppendUint64(nil, uint64(r.Offset))
	p = append(p, make([]byte, 8)...)
	p = append(p, magic, attributes)
	if magic == 1 {
		p = be.AppendUint64(p, uint64(r.Timestamp))
	}
	for _, b := range [][]byte{r.Key, r.Value} {
		if b == nil {
			p = append(p, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		p = append(be.AppendUint32(p, uint32(len(b))), b...)
	}
	return sealed(p)
}

// sealed makes length and CRC right.
func sealed(m []byte) []byte {
	be.PutUint32(m[8:], uint32(len(m)-12))
	be.PutUint32(m[12:], crc32.ChecksumIEEE(m[16:]))
	return m
}

// wrapper compresses messages into one, with the content of an uncompressed batch's compressor.
func wrapper(t testing.TB, magic byte, codec batch.Codec, r batch.Record, inner ...[]byte) []byte {
	t.Helper()
	r.Value = compressed(t, codec, slices.Concat(inner...))
	return message(magic, byte(codec), r)
}

func TestMessages(t *testing.T) {
	t.Parallel()
	records := []batch.Record{
		{Offset: 100, Timestamp: 1, Key: nil, Value: []byte("v")},
		{Offset: 101, Timestamp: -1, Key: []byte{}, Value: nil},
		{Offset: 105, Timestamp: 1 << 41, Key: []byte("k"), Value: []byte{}},
	}
	untimed := slices.Clone(records)
	for i := range untimed {
		untimed[i].Timestamp = -1
	}

	t.Run("messages are split until only a part is left", func(t *testing.T) {
		t.Parallel()
		p := slices.Concat(message(0, 0, records[0]), message(1, 0, records[1]), message(1, 0, records[2])[:30])
		first, rest, err := batch.NextMessage(p)
		if err != nil || cap(first) != len(first) {
			t.Fatal(err)
		}
		second, rest, err := batch.NextMessage(rest)
		if err != nil {
			t.Fatal(err)
		}
		if m, rest, err := batch.NextMessage(rest); m != nil || err != nil || len(rest) != 30 {
			t.Error(m, err)
		}
		got := append(collect(t, first.Records(nil)), collect(t, second.Records(nil))...)
		if d := diff([]batch.Record{untimed[0], records[1]}, got); d != "" {
			t.Error(d)
		}
	})

	for _, codec := range codecs[1:4] {
		t.Run("format 1 counts back from the offset of its wrapper with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			var inner [][]byte
			for _, r := range records {
				r.Offset -= 93 // not from 0: compaction took the first ones
				inner = append(inner, message(1, 0, r))
			}
			m := batch.Message(wrapper(t, 1, codec, batch.Record{Offset: 105}, inner...))
			if d := diff(records, collect(t, m.Records(nil))); d != "" || m.LastOffset() != 105 || m.Codec() != codec {
				t.Error(d)
			}
		})
		t.Run("format 0 has absolute offsets in its wrapper with "+codec.String(), func(t *testing.T) {
			t.Parallel()
			var inner [][]byte
			for _, r := range records {
				inner = append(inner, message(0, 0, r))
			}
			m := batch.Message(wrapper(t, 0, codec, batch.Record{Offset: 105}, inner...))
			if d := diff(untimed, collect(t, m.Records(nil))); d != "" {
				t.Error(d)
			}
		})
	}

	t.Run("the broker's time of a wrapper is that of all its records", func(t *testing.T) {
		t.Parallel()
		m := wrapper(t, 1, batch.Gzip, batch.Record{Offset: 1, Timestamp: 777}, message(1, 0, batch.Record{Timestamp: 5}), message(1, 0, batch.Record{Offset: 1}))
		m[17] |= 0x08
		var times []int64
		for _, r := range collect(t, batch.Message(sealed(m)).Records(nil)) {
			times = append(times, r.Timestamp)
		}
		if d := cmp.Diff([]int64{777, 777}, times); d != "" {
			t.Error(d)
		}
	})

	t.Run("record batches and messages send each other on", func(t *testing.T) {
		t.Parallel()
		if _, _, err := batch.NextMessage(build(t, batch.Options{}, batch.Record{})); !errors.Is(err, batch.ErrNewFormat) {
			t.Error(err)
		}
		if _, _, err := batch.Next(message(1, 0, batch.Record{})); !errors.Is(err, batch.ErrOldFormat) {
			t.Error(err)
		}
	})

	t.Run("the wrong frame checksum of LZ4 is right in format 0 only", func(t *testing.T) {
		t.Parallel()
		log, err := os.ReadFile("testdata/java/v0-lz4.bin")
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := batch.NextMessage(log)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(collect(t, m.Records(nil))); n != 10 {
			t.Errorf("%d records", n)
		}
		newer := message(1, byte(batch.LZ4), batch.Record{Value: m[26:]})
		if _, err := lastError(batch.Message(newer).Records(nil)); err == nil || !strings.Contains(err.Error(), "frame header checksum") {
			t.Error(err)
		}
	})
}

func TestCorruptMessages(t *testing.T) {
	t.Parallel()
	good := message(1, 0, batch.Record{Key: []byte("k"), Value: []byte("v")})
	with := func(change func(m []byte) []byte) []byte { return change(slices.Clone(good)) }
	wrap := func(inner ...[]byte) []byte { return wrapper(t, 1, batch.Gzip, batch.Record{Offset: 9}, inner...) }
	second := message(1, 0, batch.Record{Offset: 1})
	for name, tc := range map[string]struct {
		message []byte
		want    string
	}{
		"a flipped bit":               {with(func(m []byte) []byte { m[30] ^= 1; return m }), "CRC-32"},
		"a key outside":               {with(func(m []byte) []byte { m[29] = 200; return sealed(m) }), "points outside"},
		"a key of length -2":          {with(func(m []byte) []byte { be.PutUint32(m[26:], 0xfffffffe); return sealed(m) }), "points outside"},
		"bytes left over":             {with(func(m []byte) []byte { return sealed(append(m, 0)) }), "left over"},
		"the wrong length":            {append(slices.Clone(good), 0), "no message"},
		"no bytes":                    {nil, "no message"},
		"a batch":                     {build(t, batch.Options{}, batch.Record{}), "no message"},
		"an empty wrapper":            {wrap(), "nothing in it"},
		"a wrapper without a value":   {message(1, 1, batch.Record{}), "gzip"},
		"a part in a wrapper":         {wrap(good, second[:20]), "ends inside a message"},
		"a batch in a wrapper":        {wrap(good, build(t, batch.Options{}, batch.Record{})), "inside it"},
		"a wrapper in a wrapper":      {wrap(wrap(good)), "compression gzip"},
		"another format in a wrapper": {wrap(good, message(0, 0, batch.Record{Offset: 1})), "format 0"},
		"a bad length in a wrapper":   {wrap(good, make([]byte, 20)), "inside it"},
		"a flipped bit in a wrapper":  {wrap(good, with(func(m []byte) []byte { m[7] = 3; m[30] ^= 1; return m })), "record 1"},
		"offsets that repeat":         {wrap(good, good), "comes after"},
		"compression with zstd":       {message(1, byte(batch.Zstd), batch.Record{Value: []byte("x")}), "zstd"},
		"compression with number 7":   {message(1, 7, batch.Record{Value: []byte("x")}), "unknown compression"},
	} {
		t.Run("an error tells of "+name, func(t *testing.T) {
			t.Parallel()
			_, err := lastError(batch.Message(tc.message).Records(nil))
			if !errors.Is(err, batch.ErrCorrupt) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
	t.Run("lengths and formats that cannot be true are not split", func(t *testing.T) {
		t.Parallel()
		for _, change := range []func(m []byte){
			func(m []byte) { be.PutUint32(m[8:], 21) },
			func(m []byte) { be.PutUint32(m[8:], 0xffffffff) },
			func(m []byte) { m[16] = 0; be.PutUint32(m[8:], 13) },
			func(m []byte) { m[16] = 9 },
		} {
			m := slices.Clone(good)
			change(m)
			if _, _, err := batch.NextMessage(m); !errors.Is(err, batch.ErrCorrupt) {
				t.Error(err)
			}
		}
	})
	t.Run("a wrapper stops at the limit of the decoder", func(t *testing.T) {
		t.Parallel()
		bomb := wrap(message(1, 0, batch.Record{Value: make([]byte, 1<<20)}))
		if _, err := lastError(batch.Message(bomb).Records(&batch.Decoder{Limit: 1 << 19})); !errors.Is(err, batch.ErrLimit) {
			t.Error(err)
		}
	})
}
