// Package sample makes records for demos and tests: plain ones, as a service
// would log them, and the special ones that copies tend to change.
package sample

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Large is the size of the largest special value, in bytes: near the limit of
// a default topic, and over that of a batch with anything beside it.
const Large = 900_000

// TopicSettings are what a topic needs to take the special records: 4.x brokers
// refuse timestamps more than an hour ahead unless told otherwise.
func TopicSettings() map[string]string {
	return map[string]string{
		"message.timestamp.type":         "CreateTime",
		"retention.ms":                   "-1", // records of 1970 stay
		"message.timestamp.after.max.ms": fmt.Sprint(int64(1) << 62),
	}
}

// Special gives the records that copies tend to change: keys and values nil
// and empty, tombstones, bytes that are no text, a value of [Large] bytes,
// headers none, repeated, nil and empty, timestamps from 1970 to 2100.
// Nothing in it is random: the same records every time.
func Special() []batch.Record {
	noise := make([]byte, Large)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise) // never fails
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli()
	value := []byte("value")
	records := []batch.Record{
		{Key: nil, Value: value},
		{Key: []byte{}, Value: value},
		{Key: []byte("key"), Value: value},
		{Key: []byte("tombstone"), Value: nil},
		{Key: []byte("empty"), Value: []byte{}},
		{Key: nil, Value: nil},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("zero byte"), Value: []byte{0}},
		{Key: []byte("invalid UTF-8"), Value: []byte{0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80}},
		{Key: []byte{0xff, 0x00}, Value: []byte("日志清洗 \u0000 \u2028 \"quoted\" \\ \n")},
		{Key: []byte("large"), Value: noise},
		{Key: []byte("large text"), Value: bytes.Repeat([]byte("record "), Large/7)},
		{Key: []byte("headers"), Value: value, Headers: []batch.Header{{Key: "trace", Value: []byte("1")}, {Key: "trace", Value: []byte("2")}, {Key: "trace", Value: []byte("1")}}},
		{Key: []byte("headers"), Value: value, Headers: []batch.Header{{Key: "nil", Value: nil}, {Key: "empty", Value: []byte{}}, {Key: "", Value: []byte{0}}}},
		{Key: []byte("headers"), Value: nil, Headers: []batch.Header{{Key: "on a tombstone", Value: []byte("x")}}},
	}
	for i := range records {
		records[i].Timestamp = now + int64(i)
	}
	for _, t := range []time.Time{
		time.UnixMilli(0), time.UnixMilli(1),
		time.Date(1999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
		time.Date(2100, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		records = append(records, batch.Record{Key: []byte("time"), Value: value, Timestamp: t.UnixMilli()})
	}
	return records
}

// Plain gives n records with values of size bytes, as a service would log
// them: compressible, keyed, each different. seed chooses which.
func Plain(n, size int, seed uint64) []batch.Record {
	random := rand.New(rand.NewPCG(seed, 1))
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli()
	records := make([]batch.Record, n)
	for i := range records {
		value := fmt.Appendf(nil, `{"time":%d,"user":%d,"path":"/item/%d","status":200,"trace":"%016x"`,
			start+int64(i), random.IntN(100_000), random.IntN(1_000_000), random.Uint64())
		for len(value) < size-1 {
			value = fmt.Appendf(value, `,"f%d":%d`, len(value)%97, random.IntN(1_000_000))
		}
		records[i] = batch.Record{
			Key:       fmt.Appendf(nil, "user-%d", random.IntN(100_000)),
			Value:     append(value[:max(size-1, 0)], '}'),
			Timestamp: start + int64(i),
		}
	}
	return records
}
