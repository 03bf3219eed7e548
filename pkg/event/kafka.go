package event

import (
	"fmt"
	"log/slog"
	"strings"
)

// Kafka is the event of one invocation by a CKafka trigger: a batch of records, normally of one
// partition, in the order of their offsets. The trigger may batch several partitions; order holds within
// each (SCF manual, 583/17530).
//
// The event is a lossy copy of the records: it has no headers, no timestamps, no null key and no bytes
// that are not UTF-8. A job that needs them uses [Kafka.Ranges] and fetches the records itself.
type Kafka struct {
	// Records are the records of the batch in the order of the event. It is never nil after decoding.
	Records []KafkaRecord
}

// KafkaRecord is one record of a CKafka event.
type KafkaRecord struct {
	// Topic is never empty after decoding.
	Topic string
	// Partition is never negative after decoding.
	Partition int32
	// Offset is never negative after decoding.
	Offset int64
	// Key is nil where msgKey is absent or null. "None" and "" stay what they are: see [KafkaRecord.NullKey].
	Key []byte
	// Body is nil where msgBody is absent or null.
	Body []byte
}

// NullKeyText is the msgKey that the platform is mostly seen to send for a record without a key.
const NullKeyText = "None"

// NullKey reports whether the record may have had no key. The platform sends a missing key as "None" or
// "" and says nowhere which, so a record whose key really is "None" or empty cannot be told apart: where
// that matters, fetch the record from the source.
func (r KafkaRecord) NullKey() bool {
	return len(r.Key) == 0 || string(r.Key) == NullKeyText
}

// Range is what an event holds of one partition.
type Range struct {
	Topic     string
	Partition int32
	// First and Last are the lowest and the highest offset, both inclusive.
	First, Last int64
	// Count is the number of records in the event. It is less than Last-First+1 where offsets are not
	// contiguous: compacted topics, transaction markers, aborted records.
	Count int
}

// String gives the range as topic/partition:first-last.
func (r Range) String() string {
	return fmt.Sprintf("%s/%d:%d-%d", r.Topic, r.Partition, r.First, r.Last)
}

// Ranges sums the event up per (topic, partition), in the order of first appearance.
func (k Kafka) Ranges() []Range {
	type partition struct {
		topic string
		id    int32
	}
	var ranges []Range
	var seen map[partition]int
	at := -1
	for i := range k.Records {
		r := &k.Records[i]
		// an event is normally of one partition, so the map is looked into only where it changes
		if at < 0 || ranges[at].Partition != r.Partition || ranges[at].Topic != r.Topic {
			key, known := partition{r.Topic, r.Partition}, false
			if at, known = seen[key]; !known {
				if seen == nil {
					seen = make(map[partition]int, 1)
				}
				at = len(ranges)
				seen[key] = at
				ranges = append(ranges, Range{Topic: r.Topic, Partition: r.Partition, First: r.Offset, Last: r.Offset})
			}
		}
		g := &ranges[at]
		g.First, g.Last = min(g.First, r.Offset), max(g.Last, r.Offset)
		g.Count++
	}
	return ranges
}

// maxLoggedRanges bounds the log line of an event with many partitions.
const maxLoggedRanges = 8

// LogAttrs describes the event for the log line of its invocation: topic, partition, first and last
// offset and number of records, or a summary where the event holds several partitions. It never holds
// keys or bodies.
func (k Kafka) LogAttrs() []slog.Attr {
	ranges := k.Ranges()
	records := slog.Int("records", len(k.Records))
	switch len(ranges) {
	case 0:
		return []slog.Attr{records}
	case 1:
		r := ranges[0]
		return []slog.Attr{
			slog.String("topic", r.Topic), slog.Int("partition", int(r.Partition)),
			slog.Int64("first", r.First), slog.Int64("last", r.Last), records,
		}
	}
	var list []string
	for _, r := range ranges[:min(len(ranges), maxLoggedRanges)] {
		list = append(list, r.String())
	}
	if more := len(ranges) - maxLoggedRanges; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return []slog.Attr{
		slog.Int("partitions", len(ranges)), slog.String("ranges", strings.Join(list, " ")), records,
	}
}
