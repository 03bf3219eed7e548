package batch_test

import (
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func TestCodec(t *testing.T) {
	t.Parallel()
	t.Run("names and values go both ways", func(t *testing.T) {
		t.Parallel()
		for i, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
			var c batch.Codec
			if err := c.UnmarshalText([]byte(name)); err != nil || c != batch.Codec(i) {
				t.Errorf("%s: %v, %v", name, c, err)
			}
			if text, err := c.MarshalText(); err != nil || string(text) != name || c.String() != name {
				t.Errorf("%s: %s, %v", name, text, err)
			}
		}
	})
	t.Run("the broker's word for none is taken", func(t *testing.T) {
		t.Parallel()
		if c, err := batch.ParseCodec("uncompressed"); err != nil || c != batch.None {
			t.Error(c, err)
		}
	})
	t.Run("another name is an error that lists the names", func(t *testing.T) {
		t.Parallel()
		c := batch.LZ4
		if err := c.UnmarshalText([]byte("LZ4")); err == nil || !strings.Contains(err.Error(), `"LZ4": allowed are none, gzip, snappy, lz4 and zstd`) || c != batch.LZ4 {
			t.Error(c, err)
		}
	})
	t.Run("a number that is no codec shows as that number", func(t *testing.T) {
		t.Parallel()
		if _, err := batch.Codec(6).MarshalText(); err == nil || batch.Codec(6).String() != "codec(6)" {
			t.Error(err)
		}
	})
}
