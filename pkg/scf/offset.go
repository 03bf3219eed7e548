package scf

import (
	"fmt"
	"strconv"
)

// Offset is where a CKafka trigger begins. Its numbers are those of Kafka's ListOffsets request: a time in milliseconds
// since 1970, or one of the two below 0.
type Offset int64

// The offsets that are no time.
const (
	// Latest begins with the records that arrive once the trigger is there.
	Latest Offset = -1
	// Earliest begins with the oldest record that the topic still has.
	Earliest Offset = -2
)

// OffsetForms says in words what ParseOffset takes.
const OffsetForms = "latest, earliest or a time in milliseconds since 1970"

// ParseOffset reads what TriggerDesc and serverless.yml hold: latest, earliest, or a time in milliseconds.
func ParseOffset(s string) (Offset, error) {
	switch s {
	case "latest":
		return Latest, nil
	case "earliest":
		return Earliest, nil
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms < 0 {
		return 0, fmt.Errorf("offset is %q, want %s", s, OffsetForms)
	}
	return Offset(ms), nil
}

// String gives what ParseOffset reads.
func (o Offset) String() string {
	switch o {
	case Latest:
		return "latest"
	case Earliest:
		return "earliest"
	}
	return strconv.FormatInt(int64(o), 10)
}
