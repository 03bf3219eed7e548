package mirror

// What tests of this package and of mirror_test both need.

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Unit is a batch or message as a broker has stored it, and the last offset
// that it takes up.
type Unit struct {
	Bytes []byte
	Last  int64
}

// Craft are the fields of a batch that a test wants otherwise than a producer
// writes them.
type Craft struct {
	Attributes int16
	LastDelta  int32 // where it is beyond the last record; else the last record's
	Epoch      int32
	MaxTime    int64 // where Attributes say that the broker set the time
	BaseTime   int64 // 0: the time of the first record
	Producer   int64 // producer id; 0: none
}

// Attribute bits (Kafka protocol, "Record Batch").
const (
	BitLogAppendTime = 1 << 3
	BitTransactional = 1 << 4
	BitControl       = 1 << 5
	BitDeleteHorizon = 1 << 6
)

// CraftBatch writes a batch of format 2 with the offsets that the records say,
// uncompressed. Without records it is what compaction leaves of a batch.
func CraftBatch(base int64, c Craft, records ...batch.Record) Unit {
	b := kmsg.RecordBatch{
		FirstOffset: base, PartitionLeaderEpoch: c.Epoch, Magic: 2, Attributes: c.Attributes,
		LastOffsetDelta: c.LastDelta, FirstTimestamp: c.BaseTime, MaxTimestamp: c.MaxTime,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(records)),
	}
	if c.Producer != 0 {
		b.ProducerID, b.ProducerEpoch = c.Producer, 0
	}
	if c.BaseTime == 0 && len(records) > 0 {
		b.FirstTimestamp = records[0].Timestamp
	}
	for _, r := range records {
		b.LastOffsetDelta = max(b.LastOffsetDelta, int32(r.Offset-base))
		if c.MaxTime == 0 {
			b.MaxTimestamp = max(b.MaxTimestamp, r.Timestamp)
		}
		record := kmsg.Record{TimestampDelta64: r.Timestamp - b.FirstTimestamp, OffsetDelta: int32(r.Offset - base), Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			record.Headers = append(record.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		body := record.AppendTo(nil)[1:] // its length was written as 0
		b.Records = append(kbin.AppendVarint(b.Records, int32(len(body))), body...)
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return Unit{raw, base + int64(b.LastOffsetDelta)}
}

// CraftMessage writes a message of format 0 or 1 (before Kafka 0.11).
func CraftMessage(magic int8, r batch.Record) Unit {
	var body []byte
	body = append(body, byte(magic), 0)
	if magic == 1 {
		body = binary.BigEndian.AppendUint64(body, uint64(r.Timestamp))
	}
	for _, field := range [][]byte{r.Key, r.Value} {
		if field == nil {
			body = binary.BigEndian.AppendUint32(body, 0xffffffff)
			continue
		}
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(field))), field...)
	}
	raw := binary.BigEndian.AppendUint64(nil, uint64(r.Offset))
	raw = binary.BigEndian.AppendUint32(raw, uint32(len(body)+4))
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(body))
	return Unit{append(raw, body...), r.Offset}
}
