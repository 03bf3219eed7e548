package jobtest

import (
	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Case is one row of a table. Wants that are empty want nothing.
type Case struct {
	// Name is a requirement, in a sentence: it is the name of the subtest.
	Name string

	// In are the records in the order in which they are handled. One without a topic is of
	// the topic "source", and one without an offset has its index in In as such.
	In []job.Record

	// Want is what is written: in this order where outputs are for the same topic. "" is
	// the target topic of the source. Offsets are of no meaning, and an output that was
	// emitted without a timestamp has that of its record.
	Want []job.Output

	// WantDeadLetters are the records that cannot be handled, in the order of In.
	WantDeadLetters []DeadLetter

	// WantTransient is a part of the transient error that the last handled record gives:
	// nothing behind it in In is handled. "" is for no such error.
	WantTransient string
}

// DeadLetter is a record that cannot be handled.
type DeadLetter struct {
	Record int               // its index in Case.In
	Reason deadletter.Reason // Rejected for an error, Panicked for a panic
	Error  string            // a part of what is said
}

// Records are records of these values, without keys.
func Records(values ...string) []job.Record {
	records := make([]job.Record, len(values))
	for i, value := range values {
		records[i].Value = []byte(value)
	}
	return records
}

// Outputs are records of these values for one topic, without keys. "" is the target
// topic of the source.
func Outputs(topic string, values ...string) []job.Output {
	outputs := make([]job.Output, len(values))
	for i, value := range values {
		outputs[i] = job.Output{Topic: topic, Record: batch.Record{Value: []byte(value)}}
	}
	return outputs
}
