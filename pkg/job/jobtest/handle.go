package jobtest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// sourceTopic is the topic of a record that names none.
const sourceTopic = "source"

// outcome is what came of a case.
type outcome struct {
	outputs   []job.Output
	letters   []DeadLetter
	stacks    map[int]string // of panics, by the index of the record
	transient error          // nil: all records were handled
}

// handle brings the records of a case to its processors, as the engine does.
func handle(ctx context.Context, processor func(topic string, partition int32) mirror.Processor, c Case) outcome {
	type partition struct {
		topic  string
		number int32
	}
	processors := map[partition]mirror.Processor{}
	got := outcome{stacks: map[int]string{}}
	for i, r := range c.In {
		r.Record = r.Clone()
		if r.Topic == "" {
			r.Topic = sourceTopic
		}
		if r.Offset == 0 {
			r.Offset = int64(i)
		}
		at := partition{r.Topic, r.Partition}
		if processors[at] == nil {
			processors[at] = processor(r.Topic, r.Partition)
		}
		outputs, err := one(ctx, processors[at], r)
		scribble(r.Record)
		var panicked *panicError
		switch {
		case err == nil:
			got.outputs = append(got.outputs, outputs...)
		case errors.As(err, &panicked):
			got.letters = append(got.letters, DeadLetter{Record: i, Reason: deadletter.Panicked, Error: err.Error()})
			got.stacks[i] = panicked.stack
		case deadletter.IsTransient(err):
			got.transient = fmt.Errorf("record %d: %w", i, err)
			return got
		default:
			got.letters = append(got.letters, DeadLetter{Record: i, Reason: deadletter.Rejected, Error: err.Error()})
		}
	}
	return got
}

// panicError is a panic of a processor.
type panicError struct {
	value any
	stack string
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// one gives what is emitted for a record.
func one(ctx context.Context, p mirror.Processor, r job.Record) (outputs []job.Output, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: string(debug.Stack())}
		}
	}()
	err = p.Process(ctx, r, func(o job.Output) {
		if o.Timestamp == 0 {
			o.Timestamp = r.Timestamp
		}
		o.Record = o.Clone() // why: its memory is the processor's again when emit returns
		outputs = append(outputs, o)
	})
	return outputs, err
}

// scribble overwrites the memory of a record that was handled, as the next fetch does.
func scribble(r batch.Record) {
	blank(r.Key)
	blank(r.Value)
	for _, h := range r.Headers {
		blank(h.Value)
	}
}

func blank(memory []byte) {
	for i := range memory {
		memory[i] = '#'
	}
}
