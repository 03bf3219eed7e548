package kafka

import (
	"cmp"
	"errors"
	"iter"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Stored is one unit of a partition as its broker stores it: a record batch,
// or from before 0.11 a message, which may hold compressed ones.
type Stored struct {
	Batch   batch.Batch   // nil for a message of format 0 or 1
	Message batch.Message // nil for a record batch
	// Skip says that a reader must not see its records: a control batch, or a
	// batch of an aborted transaction.
	Skip bool
}

// LastOffset is the last offset that the unit takes up, whether a record is
// there or not.
func (s Stored) LastOffset() int64 {
	if s.Batch != nil {
		return s.Batch.LastOffset()
	}
	return s.Message.LastOffset()
}

// Records decodes the records: see [batch.Batch.Records].
func (s Stored) Records(d *batch.Decoder) iter.Seq2[batch.Record, error] {
	if s.Batch != nil {
		return s.Batch.Records(d)
	}
	return s.Message.Records(d)
}

// Visible walks through the answer's batches in order, their checksums
// verified (those of old messages when they are decoded). With readCommitted
// those of aborted transactions are marked to be skipped; control batches
// always are. A batch that is cut short ends the walk without an error.
//
// The rule is the consumer's: a producer id is aborted from the FirstOffset of
// its entry on, up to and with its next control batch.
func (f FetchResponse) Visible(readCommitted bool) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		aborted := newAborts(f.Aborted)
		for rest := f.Batches; ; {
			stored, next, err := nextStored(rest)
			if err != nil {
				yield(Stored{}, err)
				return
			}
			if stored.Batch == nil && stored.Message == nil {
				return
			}
			if b := stored.Batch; b != nil {
				stored.Skip = aborted.skip(b) && readCommitted || b.Control()
			}
			if !yield(stored, nil) {
				return
			}
			rest = next
		}
	}
}

// nextStored splits the next unit off; an empty one where only a part is left.
func nextStored(p []byte) (Stored, []byte, error) {
	b, rest, err := batch.Next(p)
	if errors.Is(err, batch.ErrOldFormat) {
		m, rest, err := batch.NextMessage(p)
		return Stored{Message: m}, rest, err
	}
	if err == nil && b != nil {
		err = b.Verify()
	}
	return Stored{Batch: b}, rest, err
}

// aborts follows the aborted transactions through a fetch.
type aborts struct {
	pending []AbortedTransaction // in order of FirstOffset
	open    map[int64]bool       // producer ids whose transaction is being walked through
}

func newAborts(list []AbortedTransaction) *aborts {
	pending := slices.Clone(list)
	slices.SortFunc(pending, func(a, b AbortedTransaction) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &aborts{pending: pending, open: map[int64]bool{}}
}

// skip must see every batch, in order. An entry is taken before the batch is
// looked at: the fetch may begin at the control batch that ends it.
func (a *aborts) skip(b batch.Batch) bool {
	for len(a.pending) > 0 && a.pending[0].FirstOffset <= b.LastOffset() {
		a.open[a.pending[0].ProducerID] = true
		a.pending = a.pending[1:]
	}
	if b.Control() {
		delete(a.open, b.ProducerID())
		return true
	}
	return b.Transactional() && a.open[b.ProducerID()]
}
