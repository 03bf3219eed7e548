package event

import (
	"math"
	"slices"
)

// UnmarshalJSON decodes a CKafka event:
//
//	{"Records":[{"Ckafka":{"topic":"t","partition":1,"offset":36,"msgKey":"None","msgBody":"..."}}]}
//
// The result is what encoding/json would make of it: field names match without regard to case (the
// platform sends both "partition" and "Partition"), unknown fields are skipped, of duplicates the last one
// counts, null leaves a field as it was, and invalid UTF-8 becomes U+FFFD. It fails where encoding/json
// fails and, beyond that, where the event has no Records and where a record has no topic, or no partition
// or offset of zero or more. The error is a *[DecodeError]; k is then unchanged.
//
// Keys and bodies without escapes are not copied: they share memory with payload, keep it alive, and
// change if it changes. Clone them to keep a few of many, and do not decode through a json.Decoder, which
// reuses its buffer.
func (k *Kafka) UnmarshalJSON(payload []byte) error {
	d := kafkaDecoder{scanner: newScanner(KindKafka, payload), watch: -1}
	if err := d.document(d.event); err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	k.Records = d.records[:d.count:d.count]
	return nil
}

// A partition or an offset that no event has: the field has not been seen yet.
const (
	noPartition = math.MinInt32
	noOffset    = math.MinInt64
)

// kafkaDecoder decodes one CKafka event.
type kafkaDecoder struct {
	scanner
	// records holds every record decoded so far, count says how many of them the event has. They differ
	// only where "Records" comes twice: encoding/json then decodes the second list on top of the first.
	records []KafkaRecord
	count   int
	listed  bool // the event has Records
	first   int  // index of the byte where the first record starts

	// watch is the index of the record whose start goes to watched, or -1.
	watch, watched int
}

func (d *kafkaDecoder) event() error {
	return d.optionalObject(d.eventField)
}

func (d *kafkaDecoder) eventField(name []byte) error {
	if match(name, "Records") == "" {
		return d.skip()
	}
	d.field = "Records"
	switch d.peek() {
	case '[':
		d.count, d.listed = 0, true
		if err := d.array(d.nextRecord); err != nil {
			return err
		}
		if d.count == 0 {
			d.records = []KafkaRecord{}
		}
	case 'n':
		if err := d.literal("null"); err != nil {
			return err
		}
		d.records, d.count, d.listed = nil, 0, false
	default:
		return d.mismatch("an array")
	}
	d.field = ""
	return nil
}

func (d *kafkaDecoder) nextRecord() error {
	at := d.count
	if at == len(d.records) {
		d.grow()
		d.records = append(d.records, KafkaRecord{Partition: noPartition, Offset: noOffset})
	}
	d.count++
	d.record, d.field = at, ""
	if at == d.watch {
		d.watched = d.i
	}
	if err := d.optionalObject(d.recordField); err != nil {
		return err
	}
	d.record, d.field = -1, "Records"
	return nil
}

// grow makes room for one more record, and in advance for as many as the rest of the payload seems to
// hold. That is a guess from the records so far, so it is trusted more the more there are.
func (d *kafkaDecoder) grow() {
	have := len(d.records)
	if have < cap(d.records) {
		return
	}
	if have == 0 {
		d.first = d.i
		d.records = make([]KafkaRecord, 0, 1) // many events have just one record
		return
	}
	size := max(1, (d.i-d.first)/have)
	expected := (len(d.p)-d.i)/size + 1
	d.records = slices.Grow(d.records, max(have/4+1, min(expected, 8*have+32)))
}

func (d *kafkaDecoder) recordField(name []byte) error {
	if match(name, "Ckafka") == "" {
		return d.skip()
	}
	d.field = "Ckafka"
	err := d.optionalObject(d.messageField)
	if err == nil {
		d.field = ""
	}
	return err
}

// messageField reads one member of the innermost object.
func (d *kafkaDecoder) messageField(name []byte) error {
	field := match(name, "topic", "partition", "offset", "msgKey", "msgBody")
	r := &d.records[d.record]
	var err error
	d.field = field
	switch field {
	case "topic":
		err = d.topic(r)
	case "partition":
		var n int64
		n, err = d.integer(int64(r.Partition), 32)
		r.Partition = int32(n)
	case "offset":
		r.Offset, err = d.integer(r.Offset, 64)
	case "msgKey":
		r.Key, err = d.optionalText()
	case "msgBody":
		r.Body, err = d.optionalText()
	default:
		err = d.skip()
	}
	if err == nil {
		d.field = "Ckafka"
	}
	return err
}

// topic reads the topic of r. Records of one event share it, so its text is made once.
func (d *kafkaDecoder) topic(r *KafkaRecord) error {
	switch d.peek() {
	case '"':
	case 'n':
		return d.literal("null")
	default:
		return d.mismatch("a string")
	}
	name, err := d.text()
	if err != nil {
		return err
	}
	if d.record > 0 && d.records[d.record-1].Topic == string(name) {
		r.Topic = d.records[d.record-1].Topic
		return nil
	}
	r.Topic = string(name)
	return nil
}

// check finds what is well formed and yet cannot be an event of the platform.
func (d *kafkaDecoder) check() error {
	if !d.listed {
		return d.fail(0, "there are no Records: this is not the event of a CKafka trigger")
	}
	for i := range d.records[:d.count] {
		field, reason := d.records[i].fault()
		if reason == "" {
			continue
		}
		// read again for where the record starts, which is worth keeping only now
		again := kafkaDecoder{scanner: newScanner(KindKafka, d.p), watch: i}
		if err := again.document(again.event); err != nil {
			return err
		}
		d.record, d.field = i, field
		return d.fail(again.watched, reason)
	}
	return nil
}

// fault is the field that cannot be as it is, and why; the reason is empty for a good record.
func (r *KafkaRecord) fault() (field, reason string) {
	switch {
	case r.Topic == "":
		return "topic", "it is missing or empty"
	case r.Partition == noPartition:
		return "partition", "it is missing"
	case r.Partition < 0:
		return "partition", "it is negative"
	case r.Offset == noOffset:
		return "offset", "it is missing"
	case r.Offset < 0:
		return "offset", "it is negative"
	}
	return "", ""
}
