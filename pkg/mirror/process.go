package mirror

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Record is a record of the source with its position. What it points to is valid
// until Process returns.
type Record struct {
	batch.Record
	Topic     string
	Partition int32
}

// Output is a record to write. Its offset is of no meaning.
//
// It goes to the partition that its key belongs to, as the Java client's default
// partitioner has it. Without a key it goes to the partition of the source's
// number, or, where there are fewer, to that modulo their count.
type Output struct {
	Topic string // "" for the target topic of the source
	batch.Record
}

// Processor makes of the records of one source partition what is written instead
// of them: none, one or several of each. It is called by one goroutine at a time,
// in the order of the offsets.
//
// An effect of a record is what was emitted, and it is written once; Process
// itself may be called again with a record, and those behind it, after an accident.
// So it should have no effects of its own, or such as may be repeated.
//
// nil says that the record is done. After an error nothing that was emitted for
// the record is written. See [deadletter.IsTransient]: a transient error is tried
// again, and stops the partition where that does not help; another one, or a
// panic, sends the record to the dead letter. Without dead letters it stops the
// partition.
//
// What is emitted belongs to the caller again when emit returns.
type Processor interface {
	Process(ctx context.Context, r Record, emit func(Output)) error
}

// ProcessFunc is a Processor that remembers nothing.
type ProcessFunc func(ctx context.Context, r Record, emit func(Output)) error

// Process calls f.
func (f ProcessFunc) Process(ctx context.Context, r Record, emit func(Output)) error {
	return f(ctx, r, emit)
}

// DeadLetters say where records go that a [Processor] could not handle.
type DeadLetters struct {
	// Topic is in the target cluster, and is written in the transaction of what
	// was made of the other records. It is created where it is missing, with the
	// source's partitions and without an end of its retention.
	Topic string

	Function string // that a letter names
	Version  string // of the function
}
