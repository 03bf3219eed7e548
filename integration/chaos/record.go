package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Content makes the records of a run. The same seed, partition and number give
// the same record, so that what arrives is compared with no copy of it.
type Content struct{ Seed uint64 }

// longest is the largest value in bytes; the average is half of it.
const longest = 250

// Record is record number of a partition. Its key is "PARTITION/NUMBER"; its
// value is random bytes, now and then empty or nil; some have headers. Its time
// is a millisecond a number after a fixed one.
func (c Content) Record(partition int32, number int) batch.Record {
	random := rand.New(rand.NewPCG(c.Seed^uint64(partition)<<32, uint64(number)))
	r := batch.Record{
		Key:       keyOf(partition, number),
		Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli() + int64(number),
	}
	switch random.IntN(50) {
	case 0: // a tombstone
	case 1:
		r.Value = []byte{}
	default:
		r.Value = make([]byte, 0, longest+8)
		for n := random.IntN(longest); len(r.Value) < n; {
			word := random.Uint64()
			for range 8 {
				r.Value = append(r.Value, "0123456789abcdef"[word&15]) // half of it is left to codecs
				word >>= 4
			}
		}
	}
	if random.IntN(10) == 0 {
		r.Headers = []batch.Header{{Key: "trace", Value: fmt.Append(nil, random.Uint64())}, {Key: "nil"}}
	}
	return r
}

// Number reads the number of a record of a partition from its key. It is false
// where no record of the partition has that key.
func Number(partition int32, key []byte) (number int, ok bool) {
	_, digits, _ := strings.Cut(string(key), "/")
	number, err := strconv.Atoi(digits)
	return number, err == nil && number >= 0 && string(key) == string(keyOf(partition, number))
}

func keyOf(partition int32, number int) []byte {
	return strconv.AppendInt(append(strconv.AppendInt(nil, int64(partition), 10), '/'), int64(number), 10)
}

// same says whether two records are equal in all that a producer writes.
func same(a, b batch.Record) bool {
	return a.Timestamp == b.Timestamp && sameBytes(a.Key, b.Key) && sameBytes(a.Value, b.Value) &&
		slices.EqualFunc(a.Headers, b.Headers, func(a, b batch.Header) bool {
			return a.Key == b.Key && sameBytes(a.Value, b.Value)
		})
}

// sameBytes keeps nil and empty apart.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
