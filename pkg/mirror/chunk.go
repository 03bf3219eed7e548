package mirror

import "github.com/scf-etl/scf-etl/pkg/kafka/batch"

// chunk is what one fetch gives to write, or a part of it.
type chunk struct {
	next    int64 // the checkpoint: every record before it is in this chunk or an earlier one
	epoch   int32 // leader epoch of the source's last batch
	batches map[destination][]batch.Batch
	from    map[destination][][]span // where the records of each of them are in the source
	sum
	built []*[]byte // memory of the batches that were built anew
}

// sum counts what is written.
type sum struct {
	records int64
	bytes   int64
	passed  int
	rebuilt int
	handled int64 // records of the source that were processed
	letters int64 // of them, those that went to the dead letter
	dropped int64 // of them, those that nothing was written for
}

func (s *sum) plus(other sum) {
	s.records += other.records
	s.bytes += other.bytes
	s.passed += other.passed
	s.rebuilt += other.rebuilt
	s.handled += other.handled
	s.letters += other.letters
	s.dropped += other.dropped
}

// destination is a partition of the target.
type destination struct {
	topic     string
	partition int32
}

// span is a number of records of the source that lie back to back.
type span struct{ first, count int64 }

func (c *chunk) add(to destination, from []span, b batch.Batch) {
	c.batches[to] = append(c.batches[to], b)
	c.from[to] = append(c.from[to], from)
	c.records += int64(b.Count())
	c.bytes += int64(len(b))
}
