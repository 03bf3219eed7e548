package deadletter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Letter is a record that could not be handled, and why.
type Letter struct {
	// Record is what was read, with the offset and the timestamp that it had.
	Record    batch.Record
	Topic     string
	Partition int32

	Function string // that could not handle it
	Version  string // of the function
	Reason   Reason
	Error    string // the whole chain
	Stack    string // of a panic; "" elsewhere
	Attempt  int    // how often it was tried, from 1 on
	Redrives int    // how often it was sent on its way again before
	At       time.Time

	// Part says which part of the letter this is, where it was too large for one
	// record: see [Join]. It is zero for a whole one.
	Part Part

	// Object is where the record is, where it is not in the letter: see [Letter.Whole].
	Object string
}

// Reason is what a failure was, in a word to count by.
type Reason string

// The reasons.
const (
	// Rejected: the function has said that it cannot handle the record.
	Rejected Reason = "rejected"
	// Panicked: the function panicked on the record.
	Panicked Reason = "panic"
	// Killed: the process died on the record, or took longer than its time, so
	// that nobody could say why.
	Killed Reason = "killed"
	// TooLarge: what was made of the record is larger than its target takes.
	TooLarge Reason = "too-large"
	// Behind: an earlier record with the same key is in the dead letter, and their
	// order is kept.
	Behind Reason = "behind"
)

// Headers of a letter. They come first, each once; all others are the record's.
const (
	prefix = "etl.deadletter."

	headerFormat    = prefix + "format"
	headerPart      = prefix + "part"   // of a letter in parts alone
	headerObject    = prefix + "object" // of one whose record is elsewhere alone
	headerTopic     = prefix + "topic"
	headerPartition = prefix + "partition"
	headerOffset    = prefix + "offset"
	headerTimestamp = prefix + "timestamp"
	headerFunction  = prefix + "function"
	headerVersion   = prefix + "version"
	headerReason    = prefix + "reason"
	headerError     = prefix + "error"
	headerStack     = prefix + "stack"
	headerAttempt   = prefix + "attempt"
	headerRedrives  = prefix + "redrives"
)

// format is the version of the headers: another one is refused, never guessed.
const format = "1"

// Texts are cut: a letter must not be too large for a topic because of its error.
const (
	mostError = 8 << 10
	mostStack = 16 << 10
)

// encode gives the record of the dead-letter topic.
func (l Letter) encode() batch.Record {
	r := l.Record
	r.Timestamp = l.At.UnixMilli()
	r.Headers = make([]batch.Header, 0, 14+len(l.Record.Headers))
	add := func(key, value string) { r.Headers = append(r.Headers, batch.Header{Key: key, Value: []byte(value)}) }
	add(headerFormat, format)
	if l.Part != (Part{}) {
		add(headerPart, l.Part.String())
	}
	if l.Object != "" {
		add(headerObject, l.Object)
	}
	add(headerTopic, l.Topic)
	add(headerPartition, strconv.FormatInt(int64(l.Partition), 10))
	add(headerOffset, strconv.FormatInt(l.Record.Offset, 10))
	add(headerTimestamp, strconv.FormatInt(l.Record.Timestamp, 10))
	add(headerFunction, l.Function)
	add(headerVersion, l.Version)
	add(headerReason, string(l.Reason))
	add(headerError, cut(l.Error, mostError))
	add(headerStack, cut(l.Stack, mostStack))
	add(headerAttempt, strconv.Itoa(l.Attempt))
	add(headerRedrives, strconv.Itoa(l.Redrives))
	r.Headers = append(r.Headers, l.Record.Headers...)
	return r
}

// cut shortens a text in its middle: both ends of an error chain say something.
func cut(text string, most int) string {
	const gap = " ... "
	if len(text) <= most {
		return text
	}
	half := (most - len(gap)) / 2
	return strings.ToValidUTF8(text[:half]+gap+text[len(text)-half:], "")
}

// ErrNotALetter says that a record of a dead-letter topic is none.
var ErrNotALetter = errors.New("the record is no dead letter")

// Decode reads one record of what [Letter.Records] gave: a letter, or a part of
// one, which [Join] puts together. A record that is no letter, or one of another
// format, is [ErrNotALetter]. The letter shares memory with the record.
func Decode(r batch.Record) (Letter, error) {
	h := headers{rest: r.Headers}
	if got := h.text(headerFormat); h.err == nil && got != format {
		return Letter{}, fmt.Errorf("%w of format %s, but of format %.20q: a newer release reads it", ErrNotALetter, format, got)
	}
	l := Letter{Record: r, At: time.UnixMilli(r.Timestamp)}
	if h.err == nil && len(h.rest) > 0 && h.rest[0].Key == headerPart {
		l.Part, h.err = parsePart(h.text(headerPart))
	}
	if h.err == nil && len(h.rest) > 0 && h.rest[0].Key == headerObject {
		if l.Object = h.text(headerObject); l.Object == "" || l.Part != (Part{}) {
			h.err = fmt.Errorf("header %s is empty, or that of a part", headerObject)
		}
	}
	l.Topic = h.text(headerTopic)
	l.Partition = int32(h.number(headerPartition, 32))
	l.Record.Offset = h.number(headerOffset, 64)
	l.Record.Timestamp = h.number(headerTimestamp, 64)
	l.Function = h.text(headerFunction)
	l.Version = h.text(headerVersion)
	l.Reason = Reason(h.text(headerReason))
	l.Error = h.text(headerError)
	l.Stack = h.text(headerStack)
	l.Attempt = int(h.number(headerAttempt, 32))
	l.Redrives = int(h.number(headerRedrives, 32))
	if h.err != nil {
		return Letter{}, fmt.Errorf("%w: %w", ErrNotALetter, h.err)
	}
	l.Record.Headers = nil
	if len(h.rest) > 0 {
		l.Record.Headers = h.rest
	}
	return l, nil
}

// headers reads the headers of a letter in their order; the first fault stays.
type headers struct {
	rest []batch.Header
	err  error
}

func (h *headers) text(key string) string {
	switch {
	case h.err != nil:
		return ""
	case len(h.rest) == 0 || h.rest[0].Key != key:
		h.err = fmt.Errorf("header %s is not where it should be", key)
		return ""
	}
	value := string(h.rest[0].Value)
	h.rest = h.rest[1:]
	return value
}

func (h *headers) number(key string, bits int) int64 {
	text := h.text(key)
	if h.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		h.err = fmt.Errorf("header %s is %.40q, want a number", key, text)
	}
	return n
}
