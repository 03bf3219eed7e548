package chaos_test

import (
	"sort"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// journal is what a lane was found to hold in a cluster: the offsets and the
// numbers of its records.
type journal struct {
	offsets []int64
	numbers []int32
}

// of notes the records of a lane on their way to somebody else.
func (j *journal) of(lane int, records chaos.Records) chaos.Records {
	return func(yield func(batch.Record, error) bool) {
		for r, err := range records {
			if number, ok := chaos.Number(int32(lane), r.Key); err == nil && ok {
				j.offsets = append(j.offsets, r.Offset)
				j.numbers = append(j.numbers, int32(number))
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// before is how many records stand before an offset.
func (j *journal) before(offset int64) int {
	return sort.Search(len(j.offsets), func(i int) bool { return j.offsets[i] >= offset })
}
