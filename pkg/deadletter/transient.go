package deadletter

import (
	"context"
	"errors"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// transient marks an error.
type transient struct{ err error }

func (t *transient) Error() string { return t.err.Error() }

func (t *transient) Unwrap() error { return t.err }

// Transient says of an error that the same record may well be handled a moment
// later: it is tried again, and so is everything behind it in its partition. nil
// stays nil.
func Transient(err error) error {
	if err == nil {
		return nil
	}
	return &transient{err}
}

// Marked says that [Transient] has marked an error.
func Marked(err error) bool {
	var marked *transient
	return errors.As(err, &marked)
}

// IsTransient says which errors are worth a try with the same record: what
// [Transient] has marked, the end of a context, time-outs and other failures of a
// network, and what a broker says of itself that passes. Every other error is
// permanent, and the place of its record is the dead letter.
//
// Why permanent where nothing is known: a record that is tried again for ever
// holds up all behind it, while a dead letter can be sent on its way again.
func IsTransient(err error) bool {
	return Marked(err) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || kafka.Retriable(err)
}
