package batch

import (
	"errors"
	"fmt"
)

var (
	// ErrOldFormat is returned by [Next] where a message of format 0 or 1 stands instead of a
	// record batch. [NextMessage] reads it.
	ErrOldFormat = errors.New("message format 0 or 1, not a record batch")

	// ErrNewFormat is returned by [NextMessage] where a record batch stands instead of a
	// message of format 0 or 1. [Next] reads it.
	ErrNewFormat = errors.New("record batch, not a message of format 0 or 1")

	// ErrCorrupt is wrapped by every error about bytes that no Kafka broker would have stored:
	// a wrong checksum, a length that points outside its frame, a count that lies.
	ErrCorrupt = errors.New("corrupt record data")

	// ErrLimit is wrapped by the error for records that would take more memory when decoded
	// than [Decoder.Limit] allows. The bytes may be good; a higher limit would read them.
	ErrLimit = errors.New("decoded records exceed the limit of the decoder")

	// ErrNotStampable is wrapped by the error of [Batch.Stamp] for a batch whose bytes may not
	// be produced again as they are. Decode it and build a new one.
	ErrNotStampable = errors.New("batch cannot be produced again as it is")

	// ErrEmpty is returned by [Builder.Batch] when no record was added: brokers refuse a batch
	// without records.
	ErrEmpty = errors.New("a batch needs at least one record")
)

// TooLargeError says that a record, alone in a batch and compressed as asked, is larger than the
// batch may be. Retrying does not help: raise max.message.bytes of the topic (and
// [Options.MaxBytes] with it), or keep the record elsewhere.
type TooLargeError struct {
	Size  int // bytes of the smallest batch that holds the record
	Limit int // bytes allowed
}

// Error names both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("record makes a batch of %d bytes, the limit is %d", e.Size, e.Limit)
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}
