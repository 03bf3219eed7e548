package deadletter

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// Position is a place in a dead-letter topic. That of a letter in parts is the
// place of its first part.
type Position struct {
	Partition int32
	Offset    int64
}

// String is PARTITION:OFFSET.
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Partition, p.Offset) }

// Compare puts positions in the order of partitions, then offsets.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Partition, q.Partition), cmp.Compare(p.Offset, q.Offset))
}

var positionForm = regexp.MustCompile(`^(\d{1,9}):(\d{1,18})$`)

// ParsePosition reads what String gives.
func ParsePosition(text string) (Position, error) {
	m := positionForm.FindStringSubmatch(text)
	if m == nil {
		return Position{}, fmt.Errorf("%.40q is no position: want PARTITION:OFFSET, as 0:12", text)
	}
	partition, _ := strconv.ParseInt(m[1], 10, 32) // the form has checked the numbers
	offset, _ := strconv.ParseInt(m[2], 10, 64)
	return Position{Partition: int32(partition), Offset: offset}, nil
}

// MarshalText is String, for JSON.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePosition, for JSON.
func (p *Position) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePosition(string(text))
	return err
}
