package mirror

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Difference is the first place where two partitions, or two topics, are not
// the same.
type Difference struct {
	// Index is how many records before it are equal; -1 where order was not compared.
	Index int64 `json:"index"`
	// Field is one of the Field constants.
	Field string `json:"field"`
	// Source and Target are the records at this place, with their offsets. A
	// record is nil where its side has ended.
	Source *batch.Record `json:"source,omitempty"`
	Target *batch.Record `json:"target,omitempty"`

	SourcePartition int32 `json:"source_partition"`
	TargetPartition int32 `json:"target_partition"`
}

// explain looks at the records after the two that differ: a record that one
// side lacks makes all after it differ, which says less.
func (d *Difference) explain(nextSource, nextTarget *batch.Record) {
	if d.Source == nil || d.Target == nil {
		return
	}
	missing := nextSource != nil && differentField(nextSource, d.Target) == ""
	extra := nextTarget != nil && differentField(d.Source, nextTarget) == ""
	switch {
	case missing && extra:
		d.Field = FieldOrder
	case missing:
		d.Field = FieldMissing
	case extra:
		d.Field = FieldExtra
	}
}

// String says in one line what differs and shows it.
func (d *Difference) String() string {
	switch {
	case d.Source != nil && (d.Target == nil || d.Field == FieldMissing):
		return fmt.Sprintf("missing in target: source %s: %s", at(d.SourcePartition, d.Source), showRecord(d.Source))
	case d.Target != nil && (d.Source == nil || d.Field == FieldExtra):
		return fmt.Sprintf("only in target: target %s: %s", at(d.TargetPartition, d.Target), showRecord(d.Target))
	case d.Source == nil || d.Target == nil:
		return d.Field
	}
	source, target := d.shown()
	return fmt.Sprintf("%s differs: source %s: %s; target %s: %s", d.Field,
		at(d.SourcePartition, d.Source), source, at(d.TargetPartition, d.Target), target)
}

func at(partition int32, r *batch.Record) string {
	return fmt.Sprintf("partition %d offset %d", partition, r.Offset)
}

// shown gives both sides of the field.
func (d *Difference) shown() (source, target string) {
	switch d.Field {
	case FieldKey:
		return showDifferent(d.Source.Key, d.Target.Key)
	case FieldValue:
		return showDifferent(d.Source.Value, d.Target.Value)
	case FieldTimestamp:
		return showTime(d.Source.Timestamp), showTime(d.Target.Timestamp)
	case FieldHeaders:
		return showHeaders(d.Source.Headers), showHeaders(d.Target.Headers)
	}
	return showRecord(d.Source), showRecord(d.Target)
}

func showRecord(r *batch.Record) string {
	text := fmt.Sprintf("key %s, value %s, time %s", showBytes(r.Key), showBytes(r.Value), showTime(r.Timestamp))
	if len(r.Headers) > 0 {
		text += ", headers " + showHeaders(r.Headers)
	}
	return text
}

// showTime also has the number: what cannot be shown as a date has one.
func showTime(ms int64) string {
	return fmt.Sprintf("%s (%d)", time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z"), ms)
}

func showHeaders(headers []batch.Header) string {
	const most = 8
	var pairs []string
	for i, h := range headers {
		if i == most {
			pairs = append(pairs, fmt.Sprintf("%d more", len(headers)-most))
			break
		}
		pairs = append(pairs, showBytes([]byte(h.Key))+"="+showBytes(h.Value))
	}
	return "[" + strings.Join(pairs, " ") + "]"
}

// shownBytes is how much of a key or value is shown.
const shownBytes = 64

// showBytes shows text as text, other bytes in hexadecimal, and null apart from empty.
func showBytes(p []byte) string {
	if p == nil {
		return "null"
	}
	part := p[:min(len(p), shownBytes)]
	for cut := 0; cut < utf8.UTFMax && len(part) < len(p) && !utf8.Valid(part); cut++ {
		part = part[:len(part)-1] // do not cut a character in two
	}
	text := fmt.Sprintf("%q", part)
	if !utf8.Valid(part) {
		text = fmt.Sprintf("0x%x", p[:min(len(p), shownBytes)])
	}
	if len(part) < len(p) {
		text += fmt.Sprintf("… and %d bytes more", len(p)-len(part))
	}
	return text
}

// showDifferent shows both from a little before the first byte that differs.
func showDifferent(a, b []byte) (string, string) {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	const before = 16
	if n <= shownBytes/2 || a == nil || b == nil {
		return showBytes(a), showBytes(b)
	}
	from := n - before
	for from > 0 && !utf8.RuneStart(a[from]) {
		from--
	}
	return fmt.Sprintf("from byte %d on %s", from, showBytes(a[from:])), fmt.Sprintf("from byte %d on %s", from, showBytes(b[from:]))
}
