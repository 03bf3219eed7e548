package mirror

import (
	"log/slog"
)

// Range is a part of one partition of the source, both ends included.
//
// A copy begins at the checkpoint, not at First, once there is one. It may go
// beyond Last, to the end of the batch that holds it: the next range finds
// those records copied.
type Range struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	First     int64  `json:"first"`
	Last      int64  `json:"last"`
}

// Result is what one call has copied, partition by partition in the order of
// the ranges.
type Result struct {
	Partitions []PartitionResult `json:"partitions"`
}

// PartitionResult is what was done for one range. After an error it says what
// was committed before.
type PartitionResult struct {
	Range
	Target  string `json:"target"`  // topic in the target cluster
	Next    int64  `json:"next"`    // the checkpoint: next source offset to copy; -1: it was not read
	Records int64  `json:"records"` // copied by this call
	Bytes   int64  `json:"bytes"`   // of the batches written
	Passed  int    `json:"passed"`  // batches passed on byte for byte
	Rebuilt int    `json:"rebuilt"` // batches decoded and built anew

	// Of a job with a [Processor]: Records are then those that it has written, dead
	// letters included.
	Handled     int64 `json:"handled,omitempty"`      // records of the source
	DeadLetters int64 `json:"dead_letters,omitempty"` // of them, those that went there
	Dropped     int64 `json:"dropped,omitempty"`      // of them, those that nothing was written for
}

// LogAttrs sums the partitions up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	var sum PartitionResult
	for _, p := range r.Partitions {
		sum.Records += p.Records
		sum.Bytes += p.Bytes
		sum.Passed += p.Passed
		sum.Rebuilt += p.Rebuilt
		sum.Handled += p.Handled
		sum.DeadLetters += p.DeadLetters
		sum.Dropped += p.Dropped
	}
	if sum.Handled > 0 {
		return []slog.Attr{
			slog.Int64("handled_records", sum.Handled),
			slog.Int64("written_records", sum.Records),
			slog.Int64("written_bytes", sum.Bytes),
			slog.Int64("dead_letters", sum.DeadLetters),
			slog.Int64("dropped_records", sum.Dropped),
		}
	}
	return []slog.Attr{
		slog.Int64("copied_records", sum.Records),
		slog.Int64("copied_bytes", sum.Bytes),
		slog.Int("passed_batches", sum.Passed),
		slog.Int("rebuilt_batches", sum.Rebuilt),
	}
}
