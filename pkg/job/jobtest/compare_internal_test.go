package jobtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// keeper emits the value of the record before: it keeps memory that is not its own.
type keeper struct{ last []byte }

func (k *keeper) Process(_ context.Context, r job.Record, emit func(job.Output)) error {
	emit(job.Output{Record: batch.Record{Value: k.last}})
	k.last = r.Value
	return nil
}

func TestFaults(t *testing.T) {
	t.Parallel()
	fails := func(err error) mirror.ProcessFunc {
		return func(context.Context, job.Record, func(job.Output)) error { return err }
	}
	passes := mirror.ProcessFunc(func(_ context.Context, r job.Record, emit func(job.Output)) error {
		emit(job.Output{Record: r.Record})
		return nil
	})
	panics := mirror.ProcessFunc(func(context.Context, job.Record, func(job.Output)) error { panic(errors.New("nil map")) })
	away := deadletter.Transient(errors.New("away"))
	for requirement, test := range map[string]struct {
		processor mirror.Processor
		c         Case
		says      []string // of each fault, in order
	}{
		"an output that is missing": {fails(nil), Case{In: Records("a"), Want: Outputs("", "a")}, []string{`"a"`}},
		"an output too many":        {passes, Case{In: Records("a")}, []string{`"a"`}},
		"another value":             {passes, Case{In: Records("a"), Want: Outputs("", "b")}, []string{`"b"`}},
		"another topic":             {passes, Case{In: Records("a"), Want: Outputs("t", "a")}, []string{`"t"`}},
		"an empty value for a tombstone": {
			passes, Case{In: Records(""), Want: []job.Output{{}}}, []string{"Value"},
		},
		"the order within a topic": {passes, Case{In: Records("a", "b"), Want: Outputs("", "b", "a")}, []string{`"b"`}},
		"a dead letter that is not wanted": {
			fails(errors.New("no total")), Case{In: Records("a")}, []string{"no total"},
		},
		"a dead letter that is missing": {
			fails(nil), Case{In: Records("a"), WantDeadLetters: []DeadLetter{{Error: "total"}}}, []string{"total"},
		},
		"another reason": {
			fails(errors.New("no total")), Case{In: Records("a"), WantDeadLetters: []DeadLetter{{Reason: deadletter.Panicked}}}, []string{"panic"},
		},
		"another text": {
			fails(errors.New("no total")), Case{In: Records("a"), WantDeadLetters: []DeadLetter{{Reason: deadletter.Rejected, Error: "no city"}}}, []string{"no city"},
		},
		"a panic that is not wanted, with its place": {
			panics, Case{In: Records("a")}, []string{"compare_internal_test.go"},
		},
		"a transient error that is not wanted":     {fails(away), Case{In: Records("a")}, []string{"would stop the partition: record 0: away"}},
		"a transient error that is missing":        {fails(nil), Case{In: Records("a"), WantTransient: "away"}, []string{"no transient error"}},
		"another transient error":                  {fails(away), Case{In: Records("a"), WantTransient: "busy"}, []string{`want "busy"`}},
		"memory of a record that is kept too long": {&keeper{}, Case{In: Records("a", "b"), Want: []job.Output{{}, {Record: batch.Record{Value: []byte("a")}}}}, []string{`"#"`}},
	} {
		t.Run(requirement+" is a fault", func(t *testing.T) {
			t.Parallel()
			got := handle(t.Context(), func(string, int32) mirror.Processor { return test.processor }, test.c).faults(test.c)
			if len(got) != len(test.says) {
				t.Fatalf("%d faults, want %d:\n%s", len(got), len(test.says), strings.Join(got, "\n"))
			}
			for i, want := range test.says {
				if !strings.Contains(got[i], want) {
					t.Errorf("%q is not in\n%s", want, got[i])
				}
			}
		})
	}
}
