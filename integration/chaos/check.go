package chaos

import (
	"errors"
	"fmt"
	"iter"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Records are the committed records of a partition in the order of their
// offsets. After an error there are none.
type Records = iter.Seq2[batch.Record, error]

// Held is what a partition was found to hold.
type Held struct {
	Source, Target int // records
	// Unacknowledged are those of the source that nobody was told of: its
	// producer ended before the answer came.
	Unacknowledged int
	// Again are those of the source that its producer wrote more than once.
	Again int
}

// shown is how many violations an error lists.
const shown = 20

// Check reads a partition of both clusters and finds every way in which the
// target is not what the source has acknowledged:
//
//   - the source holds each acknowledged record, and none that was not produced;
//   - the target holds the records of the source, each once, in their order,
//     each with the content that was produced, and no other.
//
// A producer whose broker is started again may write records again: a broker
// then knows no more than the last batch of each producer. What stands in the
// source twice must stand in the target twice, at the same places.
//
// The error lists the first violations and says how many there are; or it says
// why one of the two could not be read to its end.
func Check(content Content, partition int32, ledger *Ledger, source, target Records) (Held, error) {
	left := walk{side: "source", content: content, partition: partition}
	if err := left.read(source, nil); err != nil {
		return Held{}, err
	}
	right := walk{side: "target", content: content, partition: partition}
	if err := right.read(target, &left.seen); err != nil {
		return Held{}, err
	}
	held := Held{Source: left.count, Target: right.count, Again: left.displaced}
	ledger.mu.Lock()
	defer ledger.mu.Unlock()
	left.missing(&ledger.acked, "was acknowledged")
	right.missing(&left.seen, "is in the source")
	if right.order != left.order {
		right.displacedToo()
	}
	for n := range left.seen.end() {
		if left.seen.has(n) && !ledger.acked.has(n) {
			held.Unacknowledged++
		}
	}
	return held, errors.Join(left.verdict(), right.verdict())
}

// walk goes over one side of a partition.
type walk struct {
	side      string
	content   Content
	partition int32

	seen  set
	high  int // the highest number seen so far and one
	count int
	order uint64  // digest of the numbers as they stand
	found []error // the first violations
	more  int     // violations

	// Records that stand where an earlier one should: they are violations of the
	// target where its order is not the source's.
	displaced      int
	firstDisplaced []error
}

// read takes the records; those that are not in only, where there is one, are
// too many.
func (w *walk) read(records Records, only *set) error {
	for r, err := range records {
		if err != nil {
			return fmt.Errorf("read partition %d of the %s after %d records: %w", w.partition, w.side, w.count, err)
		}
		w.count++
		number, ok := Number(w.partition, r.Key)
		switch {
		case !ok:
			w.violation("the record at offset %d, key %.40q, is none of this partition", r.Offset, r.Key)
			continue
		case only != nil && !only.has(number):
			w.violation("record %d at offset %d is not in the source", number, r.Offset)
		case !w.seen.add(number):
			w.displace("record %d is doubled: again at offset %d", number, r.Offset)
		case number < w.high:
			w.displace("record %d is out of order: at offset %d, behind record %d", number, r.Offset, w.high-1)
		}
		w.order = (w.order ^ uint64(number+1)) * 0x100000001b3 // FNV-1a, a number at a time
		if !same(r, w.content.Record(w.partition, number)) {
			w.violation("record %d at offset %d is altered", number, r.Offset)
		}
		w.high = max(w.high, number+1)
	}
	return nil
}

func (w *walk) missing(want *set, why string) {
	for n := range want.end() {
		if want.has(n) && !w.seen.has(n) {
			w.violation("record %d is lost: it %s", n, why)
		}
	}
}

func (w *walk) displace(format string, values ...any) {
	if w.displaced++; w.displaced <= shown {
		w.firstDisplaced = append(w.firstDisplaced, w.named(format, values...))
	}
}

// displacedToo makes violations of what stands elsewhere than in the source.
func (w *walk) displacedToo() {
	w.found = append(w.found, w.firstDisplaced...)
	w.more += w.displaced
	if w.more == 0 {
		w.violation("the order of the records is not the source's")
	}
}

func (w *walk) named(format string, values ...any) error {
	return fmt.Errorf("%s, partition %d: "+format, append([]any{w.side, w.partition}, values...)...)
}

func (w *walk) violation(format string, values ...any) {
	if w.more++; w.more <= shown {
		w.found = append(w.found, w.named(format, values...))
	}
}

func (w *walk) verdict() error {
	if w.more > shown {
		w.found = append(w.found, fmt.Errorf("%s, partition %d: %d violations in all", w.side, w.partition, w.more))
	}
	return errors.Join(w.found...)
}
