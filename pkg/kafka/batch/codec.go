package batch

import (
	"fmt"
	"strconv"
)

// Codec is the compression of a batch, with the numbers that Kafka gives them. The zero value is
// [None].
type Codec int8

// The compressions of Kafka. Zstd needs brokers from 2.1 on and record batches of format 2.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

// String returns the name that Kafka's compression.type settings use, "none" for none.
func (c Codec) String() string {
	switch c {
	case None:
		return "none"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	case LZ4:
		return "lz4"
	case Zstd:
		return "zstd"
	}
	return "codec(" + strconv.Itoa(int(c)) + ")"
}

// ParseCodec is the reverse of [Codec.String]. It also takes "uncompressed", the word of the
// broker setting. The error lists what is allowed.
func ParseCodec(name string) (Codec, error) {
	if name == "uncompressed" {
		return None, nil
	}
	for c := None; c <= Zstd; c++ {
		if name == c.String() {
			return c, nil
		}
	}
	return None, fmt.Errorf("compression %q: allowed are none, gzip, snappy, lz4 and zstd", name)
}

// MarshalText returns the name; a value that is no codec is an error.
func (c Codec) MarshalText() ([]byte, error) {
	if c < None || c > Zstd {
		return nil, fmt.Errorf("%v is no compression of Kafka", c)
	}
	return []byte(c.String()), nil
}

// UnmarshalText is [ParseCodec], for settings.
func (c *Codec) UnmarshalText(text []byte) error {
	parsed, err := ParseCodec(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}
