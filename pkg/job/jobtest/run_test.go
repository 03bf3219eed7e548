package jobtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/job/jobtest"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// perform does what the value of a record says, with a buffer that it uses again and
// again.
func perform(_ context.Context, r job.Record, emit func(job.Output)) error {
	var buffer []byte
	for _, word := range bytes.Fields(r.Value) {
		buffer = append(buffer[:0], word...)
		emit(job.Output{Topic: r.Topic + "-out", Record: batch.Record{Key: r.Key, Value: buffer}})
		switch string(word) {
		case "reject":
			return errors.New("no such customer")
		case "panic":
			panic("index out of range")
		case "away":
			return deadletter.Transient(errors.New("the price list is away"))
		}
	}
	return nil
}

func TestRun(t *testing.T) {
	t.Parallel()
	jobtest.Run(t, perform, []jobtest.Case{
		{
			Name: "no record makes nothing",
		},
		{
			Name: "each output has memory of its own, though the code uses one buffer",
			In:   jobtest.Records("one two", "three"),
			Want: jobtest.Outputs("source-out", "one", "two", "three"),
		},
		{
			Name: "what was emitted for a record that failed is dropped, and the next one is handled",
			In:   jobtest.Records("one", "two reject", "panic", "three"),
			Want: jobtest.Outputs("source-out", "one", "three"),
			WantDeadLetters: []jobtest.DeadLetter{
				{Record: 1, Reason: deadletter.Rejected, Error: "customer"},
				{Record: 2, Reason: deadletter.Panicked, Error: "out of range"},
			},
		},
		{
			Name: "a transient error ends the case where it is wanted",
			In:   jobtest.Records("one", "two away", "three"),
			Want: jobtest.Outputs("source-out", "one"), WantTransient: "price list",
		},
		{
			Name: "an output without a time has that of its record",
			In:   []job.Record{{Record: batch.Record{Timestamp: 5, Value: []byte("a")}}},
			Want: []job.Output{{Topic: "source-out", Record: batch.Record{Timestamp: 5, Value: []byte("a")}}},
		},
		{
			Name: "outputs of several topics are compared topic by topic",
			In: []job.Record{
				{Topic: "a", Record: batch.Record{Key: []byte("k"), Value: []byte("1")}},
				{Topic: "b", Record: batch.Record{Value: []byte("2")}},
			},
			Want: []job.Output{
				{Topic: "b-out", Record: batch.Record{Value: []byte("2")}},
				{Topic: "a-out", Record: batch.Record{Key: []byte("k"), Value: []byte("1")}},
			},
		},
	})
}

// counter emits how many records of its partition came before.
type counter struct{ seen int }

func (c *counter) Process(_ context.Context, r job.Record, emit func(job.Output)) error {
	emit(job.Output{Record: batch.Record{Value: fmt.Appendf(nil, "%s/%d: %d before %d", r.Topic, r.Partition, c.seen, r.Offset)}})
	c.seen++
	return nil
}

func TestRunProcessors(t *testing.T) {
	t.Parallel()
	in := []job.Record{{}, {Partition: 1}, {Record: batch.Record{Offset: 7}}}
	want := jobtest.Outputs("", "source/0: 0 before 0", "source/1: 0 before 1", "source/0: 1 before 7")
	jobtest.RunProcessors(t, func(string, int32) mirror.Processor { return &counter{} }, []jobtest.Case{
		{Name: "each partition has a processor of its own", In: in, Want: want},
		{Name: "and each case new ones", In: in, Want: want},
	})
}
