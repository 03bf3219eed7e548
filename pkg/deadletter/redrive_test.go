package deadletter_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// redriven gives a record with the headers of a redrive.
func redriven(r batch.Record, id, count, last string) batch.Record {
	r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)],
		batch.Header{Key: "etl.redrive.id", Value: []byte(id)},
		batch.Header{Key: "etl.redrive.count", Value: []byte(count)},
		batch.Header{Key: "etl.redrive.last", Value: []byte(last)})
	return r
}

func TestTakeRedrive(t *testing.T) {
	t.Parallel()

	t.Run("gives back every special record, and what it carries", func(t *testing.T) {
		t.Parallel()
		for i, want := range sample.Special() {
			got, redrive := deadletter.TakeRedrive(redriven(want, "run/0:1", "2", "true"))
			if !reflect.DeepEqual(want, got) {
				t.Errorf("record %d (-want +got):\n%.2000s", i, cmp.Diff(want, got))
			}
			if want := (deadletter.Redrive{Count: 2, ID: "run/0:1", Last: true}); redrive != want {
				t.Errorf("record %d carries %+v, want %+v", i, redrive, want)
			}
		}
	})

	t.Run("changes nothing in the record that it is given", func(t *testing.T) {
		t.Parallel()
		given := redriven(batch.Record{Headers: []batch.Header{{Key: "own"}}}, "a", "1", "false")
		want := given.Clone()
		deadletter.TakeRedrive(given)
		if !cmp.Equal(want, given) {
			t.Errorf("got %v", given)
		}
	})

	t.Run("counts what is no number as 0", func(t *testing.T) {
		t.Parallel()
		for _, count := range []string{"", "x", "-1", "99999999999999999999"} {
			if r, redrive := deadletter.TakeRedrive(redriven(batch.Record{}, "a", count, "no")); redrive != (deadletter.Redrive{ID: "a"}) || r.Headers != nil {
				t.Errorf("%q: got %+v, %v", count, redrive, r.Headers)
			}
		}
	})
}

// Not parallel: allocations are counted for the whole process.
func TestTakeRedriveAllocatesNothing(t *testing.T) {
	t.Run("leaves other records as they are, without an allocation", func(t *testing.T) {
		records := sample.Special()
		if n := testing.AllocsPerRun(10, func() {
			for _, r := range records {
				if got, redrive := deadletter.TakeRedrive(r); redrive != (deadletter.Redrive{}) || len(got.Headers) != len(r.Headers) {
					t.Errorf("got %+v, %+v", got, redrive)
				}
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkTakeRedrive(b *testing.B) {
	r := batch.Record{Headers: []batch.Header{{Key: "trace"}, {Key: "content-type"}, {Key: "etl"}}}
	b.ReportAllocs()
	for b.Loop() {
		deadletter.TakeRedrive(r)
	}
}
