package deadletter_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// redriven gives a record with the headers of a redrive.
func redriven(r batch.Record, id, count, function string) batch.Record {
	r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)],
		batch.Header{Key: "etl.redrive.id", Value: []byte(id)},
		batch.Header{Key: "etl.redrive.count", Value: []byte(count)},
		batch.Header{Key: "etl.redrive.function", Value: []byte(function)})
	return r
}

func TestTakeRedrive(t *testing.T) {
	t.Parallel()

	t.Run("gives back every special record, and what it carries", func(t *testing.T) {
		t.Parallel()
		for i, want := range sample.Special() {
			got, redrive := deadletter.TakeRedrive(redriven(want, "run/0:1", "2", "clean"))
			if !reflect.DeepEqual(want, got) {
				t.Errorf("record %d (-want +got):\n%.2000s", i, cmp.Diff(want, got))
			}
			if want := (deadletter.Redrive{Count: 2, ID: "run/0:1", Function: "clean"}); redrive != want {
				t.Errorf("record %d carries %+v, want %+v", i, redrive, want)
			}
		}
	})

	t.Run("changes nothing in the record that it is given", func(t *testing.T) {
		t.Parallel()
		given := redriven(batch.Record{Headers: []batch.Header{{Key: "own"}}}, "a", "1", "clean")
		want := given.Clone()
		deadletter.TakeRedrive(given)
		if !cmp.Equal(want, given) {
			t.Errorf("got %v", given)
		}
	})

	t.Run("counts what is no number as 0", func(t *testing.T) {
		t.Parallel()
		for _, count := range []string{"", "x", "-1", "99999999999999999999"} {
			if r, redrive := deadletter.TakeRedrive(redriven(batch.Record{}, "a", count, "clean")); redrive != (deadletter.Redrive{ID: "a", Function: "clean"}) || r.Headers != nil {
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

func FuzzTakeRedrive(f *testing.F) {
	f.Add("etl.redrive.count", []byte("3"), "own", "a", "1", "clean")
	f.Add("etl.redrive.", []byte(nil), "etl.redriven", "", "-", "")
	f.Fuzz(func(t *testing.T, key string, value []byte, own, id, count, function string) {
		given := redriven(batch.Record{Headers: []batch.Header{{Key: own, Value: value}, {Key: key, Value: value}}}, id, count, function)
		r, redrive := deadletter.TakeRedrive(given)
		for _, h := range r.Headers {
			if strings.HasPrefix(h.Key, "etl.redrive.") {
				t.Errorf("%q is left", h.Key)
			}
		}
		if redrive.Count < 0 || len(r.Headers) > 2 {
			t.Errorf("got %+v, %v", redrive, r.Headers)
		}
		if again, none := deadletter.TakeRedrive(r); none != (deadletter.Redrive{}) || !reflect.DeepEqual(again, r) {
			t.Errorf("the second time it is %v, %+v", again, none)
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
