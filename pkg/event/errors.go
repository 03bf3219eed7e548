package event

import (
	"fmt"
	"strings"
)

// DecodeError says where and why a payload is not the event it should be. The platform sends a CKafka
// event again after a failed invocation, so nothing is lost when a function returns it.
//
// It quotes no field values, only single unexpected characters: it is safe to log.
type DecodeError struct {
	// Kind is the kind of event that was expected, one of [Kinds].
	Kind string
	// Offset is the index of the byte in the payload where the fault is: the offending byte or the start
	// of the offending value or record. It is the payload's length where the payload ends too early,
	// and 0 where a fault belongs to the event as a whole.
	Offset int64
	// Record is the index in Records of the record with the fault, counted from 0, or -1 outside Records.
	Record int
	// Field is the field of the record or event with the fault, as spelled in the payload; empty where no
	// single field is at fault.
	Field string
	// Reason is what is wrong, in a few words.
	Reason string
}

// Error gives kind, record, field, reason and byte offset in one line.
func (e *DecodeError) Error() string {
	var s strings.Builder
	s.WriteString("decode " + e.Kind + " event: ")
	if e.Record >= 0 {
		fmt.Fprintf(&s, "record %d: ", e.Record)
	}
	if e.Field != "" {
		s.WriteString(e.Field + ": ")
	}
	fmt.Fprintf(&s, "%s (byte %d)", e.Reason, e.Offset)
	return s.String()
}
