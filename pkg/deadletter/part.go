package deadletter

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Part is the place of a record among those of one letter.
//
// As a rule the values of the parts are pieces of the record's value. Where its
// key or its headers are what is too large, they are pieces of the whole record,
// packed as a record batch, and the parts have the beginning of the key.
type Part struct {
	Number int // from 1 on
	Of     int // how many there are, 2 or more
	Packed bool
}

const packed = " packed"

// String is the part as the header has it: 2/5, or 2/5 packed.
func (p Part) String() string {
	text := fmt.Sprintf("%d/%d", p.Number, p.Of)
	if p.Packed {
		text += packed
	}
	return text
}

func parsePart(text string) (Part, error) {
	numbers, isPacked := strings.CutSuffix(text, packed)
	number, of, _ := strings.Cut(numbers, "/")
	p := Part{Packed: isPacked}
	var err1, err2 error
	p.Number, err1 = strconv.Atoi(number)
	p.Of, err2 = strconv.Atoi(of)
	if err1 != nil || err2 != nil || p.Number < 1 || p.Of < 2 || p.Number > p.Of || p.String() != text {
		return Part{}, fmt.Errorf("header %s is %.40q, want a number of parts, as 2/5", headerPart, text)
	}
	return p, nil
}

const (
	leastText  = 64 // of an error or a stack that is cut once more
	leastPiece = 64
	mostKey    = 64 // of a packed record, to choose a partition by

	// widestPart is the longest header, and slack what lengths may take up more
	// than in an empty record.
	widestPart = 1_000_000_000
	slack      = 32
)

// Records gives the records of the dead-letter topic for a letter, to be written
// to one partition in their order: one, or several parts of which none is larger
// than most bytes, as an uncompressed batch of its own. 0 is no limit.
//
// Nothing of the record is cut. Error and stack are, to an eighth of most, where
// the letter has to be smaller; below a limit of some kilobytes, with which no
// letter can be made, the records are larger than it.
func (l Letter) Records(most int) []batch.Record {
	whole := l.encode()
	if most <= 0 || l.Part != (Part{}) || size(whole) <= most {
		return []batch.Record{whole}
	}
	l.Error, l.Stack = cut(l.Error, max(most/8, leastText)), cut(l.Stack, max(most/8, leastText))
	whole = l.encode()
	if size(whole) <= most {
		return []batch.Record{whole}
	}
	body, room := l.Record.Value, most-l.beside()
	l.Part.Packed = room < most/4
	if l.Part.Packed {
		b, err := batch.Build(batch.Options{}, []batch.Record{l.Record})
		if err != nil { // it is larger than any batch: the broker will say so
			return []batch.Record{whole}
		}
		body = b
		l.Record.Key = l.Record.Key[:min(len(l.Record.Key), mostKey)]
		l.Record.Headers = nil
		room = max(most-l.beside(), leastPiece)
	}
	l.Part.Of = (len(body) + room - 1) / room
	if l.Part.Of < 2 {
		return []batch.Record{whole}
	}
	records := make([]batch.Record, l.Part.Of)
	for i := range records {
		l.Part.Number = i + 1
		l.Record.Value = body[i*room : min((i+1)*room, len(body))]
		records[i] = l.encode()
		l.Record.Headers = nil // they are in the first one
	}
	return records
}

// beside is the size of a part without its piece.
func (l Letter) beside() int {
	l.Record.Value = nil
	l.Part.Number, l.Part.Of = widestPart, widestPart
	return size(l.encode()) + slack
}

// size is that of a record as an uncompressed batch of its own.
func size(r batch.Record) int {
	var b batch.Builder
	b.Add(r)
	return b.Size()
}

// ErrNotWhole says that parts are not those of one letter, each once and in order.
var ErrNotWhole = errors.New("the letter is not whole")

// Join puts the parts of a letter together; one whole letter is what it is. It is
// [ErrNotWhole] where a part is missing, there twice, out of order or of another
// letter, and where what they make is damaged. The letter may share memory with
// the parts.
func Join(parts []Letter) (Letter, error) {
	if len(parts) == 0 {
		return Letter{}, fmt.Errorf("%w: there are no parts", ErrNotWhole)
	}
	l := parts[0]
	if len(parts) == 1 && l.Part == (Part{}) {
		return l, nil
	}
	if err := checkParts(parts); err != nil {
		return Letter{}, fmt.Errorf("%w: about %s/%d offset %d: %w", ErrNotWhole, l.Topic, l.Partition, l.Record.Offset, err)
	}
	isPacked := l.Part.Packed
	l.Part = Part{}
	l.Record.Value = []byte{}
	for _, p := range parts {
		l.Record.Value = append(l.Record.Value, p.Record.Value...)
	}
	for _, p := range parts[1:] {
		l.Record.Headers = append(l.Record.Headers[:len(l.Record.Headers):len(l.Record.Headers)], p.Record.Headers...)
	}
	if !isPacked {
		return l, nil
	}
	r, err := unpack(l.Record)
	if err != nil {
		return Letter{}, fmt.Errorf("%w: about %s/%d offset %d: %w", ErrNotWhole, l.Topic, l.Partition, l.Record.Offset, err)
	}
	l.Record = r
	return l, nil
}

func checkParts(parts []Letter) error {
	first := parts[0].identity()
	at := map[int]int{} // where a part is
	for i, p := range parts {
		switch {
		case p.Part == Part{}:
			return fmt.Errorf("a whole letter, about %s/%d offset %d, is among its parts", p.Topic, p.Partition, p.Record.Offset)
		case p.identity() != first:
			return fmt.Errorf("part %s is of another letter, about %s/%d offset %d of %v", p.Part, p.Topic, p.Partition, p.Record.Offset, p.At)
		}
		if _, ok := at[p.Part.Number]; ok {
			return fmt.Errorf("part %s is there twice", p.Part)
		}
		at[p.Part.Number] = i
	}
	for want := 1; want <= parts[0].Part.Of; want++ {
		i, ok := at[want]
		switch {
		case !ok:
			return fmt.Errorf("part %d of %d is missing", want, parts[0].Part.Of)
		case i != want-1:
			return fmt.Errorf("part %d of %d is out of order", want, parts[0].Part.Of)
		}
	}
	return nil
}

// identity is what the parts of one letter have in common, and no other letter has.
type identity struct {
	topic                                 string
	partition                             int32
	offset, timestamp, at                 int64
	function, version, reason, err, stack string
	attempt, redrives, of                 int
	key                                   string
	nullKey, packed                       bool
}

func (l Letter) identity() identity {
	return identity{
		topic: l.Topic, partition: l.Partition, offset: l.Record.Offset, timestamp: l.Record.Timestamp, at: l.At.UnixMilli(),
		function: l.Function, version: l.Version, reason: string(l.Reason), err: l.Error, stack: l.Stack,
		attempt: l.Attempt, redrives: l.Redrives, of: l.Part.Of,
		key: string(l.Record.Key), nullKey: l.Record.Key == nil, packed: l.Part.Packed,
	}
}

// unpack gives the record whose packed form is the value of another.
func unpack(from batch.Record) (batch.Record, error) {
	b, rest, err := batch.Next(from.Value)
	switch {
	case err != nil:
		return batch.Record{}, err
	case b == nil || len(rest) > 0:
		return batch.Record{}, errors.New("the packed record is cut short, or too long")
	}
	if err := b.Verify(); err != nil {
		return batch.Record{}, err
	}
	if b.Count() != 1 {
		return batch.Record{}, fmt.Errorf("the packed record is %d records", b.Count())
	}
	var decoder batch.Decoder
	for r, err := range b.Records(&decoder) {
		if err != nil {
			return batch.Record{}, err
		}
		if !bytes.HasPrefix(r.Key, from.Key) || (r.Key == nil) != (from.Key == nil) {
			return batch.Record{}, errors.New("the packed record has another key")
		}
		r.Offset, r.Timestamp = from.Offset, from.Timestamp
		return r, nil
	}
	return batch.Record{}, errors.New("the packed record is none")
}
