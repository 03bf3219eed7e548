package event

import (
	"strconv"
	"unicode/utf8"
)

// KafkaEncoder writes CKafka events as the platform sends them, record by record, so that a batch can be
// cut at the platform's limit on the size of an event. It is not safe for concurrent use.
type KafkaEncoder struct {
	nullKey   string
	partition string // what the field is called
	buf       []byte // the event up to its last record, without the closing brackets
	count     int
}

// The parts of an event around its records.
const (
	kafkaHead = `{"Records":[`
	kafkaTail = `]}`
)

// The two names of a record's partition.
const (
	smallPartition   = "partition"
	capitalPartition = "Partition"
)

// NewKafkaEncoder makes an encoder that writes nullKey as the msgKey of records without a key. The platform
// is seen to send "None" ([NullKeyText]) and "".
func NewKafkaEncoder(nullKey string) *KafkaEncoder {
	return &KafkaEncoder{nullKey: nullKey, partition: smallPartition, buf: []byte(kafkaHead)}
}

// CapitalPartition has the records that follow name their partition "Partition" and not "partition": the
// platform is seen to send both.
func (e *KafkaEncoder) CapitalPartition() { e.partition = capitalPartition }

// Add puts a record at the end of the event. A nil body is written as an empty string, since the event has
// no other form for it.
func (e *KafkaEncoder) Add(r KafkaRecord) {
	if e.count > 0 {
		e.buf = append(e.buf, ',')
	}
	e.buf = appendRecord(e.buf, r, e.nullKey, e.partition)
	e.count++
}

// TryAdd is Add if the event, closing brackets included, then has at most limit bytes. Otherwise it leaves
// the event as it is and reports false. A record that does not fit into an empty event never will.
func (e *KafkaEncoder) TryAdd(r KafkaRecord, limit int) bool {
	// encoding never makes text shorter
	if e.Len()+len(r.Topic)+len(r.Key)+len(r.Body) > limit {
		return false
	}
	before := len(e.buf)
	e.Add(r)
	if e.Len() <= limit {
		return true
	}
	e.buf = e.buf[:before]
	e.count--
	return false
}

// Count is the number of records in the event.
func (e *KafkaEncoder) Count() int { return e.count }

// Len is the size of the event in bytes, as Bytes returns it.
func (e *KafkaEncoder) Len() int { return len(e.buf) + len(kafkaTail) }

// Bytes is the event. It is valid until the next call of Add, TryAdd or Reset.
func (e *KafkaEncoder) Bytes() []byte { return append(e.buf, kafkaTail...) }

// Reset empties the event and keeps its memory for the next one.
func (e *KafkaEncoder) Reset() {
	e.buf = e.buf[:len(kafkaHead)]
	e.count = 0
}

// AppendJSON appends the event to dst as the platform sends it, with "None" ([NullKeyText]) for a nil key
// and "" for a nil body. Invalid UTF-8 becomes U+FFFD: the event cannot carry it.
func (k Kafka) AppendJSON(dst []byte) []byte {
	dst = append(dst, kafkaHead...)
	for i, r := range k.Records {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendRecord(dst, r, NullKeyText, smallPartition)
	}
	return append(dst, kafkaTail...)
}

// MarshalJSON is [Kafka.AppendJSON] for encoding/json. It never fails.
func (k Kafka) MarshalJSON() ([]byte, error) {
	return k.AppendJSON(nil), nil
}

func appendRecord(dst []byte, r KafkaRecord, nullKey, partition string) []byte {
	dst = append(dst, `{"Ckafka":{"topic":"`...)
	dst = appendEscaped(dst, r.Topic)
	dst = append(dst, `","`...)
	dst = append(dst, partition...)
	dst = append(dst, `":`...)
	dst = strconv.AppendInt(dst, int64(r.Partition), 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, r.Offset, 10)
	dst = append(dst, `,"msgKey":"`...)
	if r.Key == nil {
		dst = appendEscaped(dst, nullKey)
	} else {
		dst = appendEscaped(dst, r.Key)
	}
	dst = append(dst, `","msgBody":"`...)
	dst = appendEscaped(dst, r.Body)
	return append(dst, `"}}`...)
}

// appendEscaped appends the inside of a JSON string. It escapes only what JSON requires (RFC 8259, 7).
func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	p := []byte(text)
	for i := 0; ; i++ {
		end := plainEnd(p, i)
		dst = append(dst, p[i:end]...)
		if end == len(p) {
			return dst
		}
		switch c := p[end]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			if c < utf8.RuneSelf {
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
			} else {
				dst = utf8.AppendRune(dst, utf8.RuneError)
			}
		}
		i = end
	}
}
