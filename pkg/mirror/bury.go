package mirror

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// DeadLetters say where records go that a [Processor] could not handle.
type DeadLetters struct {
	// Topic is in the target cluster, and is written in the transaction of what
	// was made of the other records. It is created where it is missing, with the
	// target topic's partitions and without an end of its retention.
	Topic string

	// KeepOrder keeps the order of the records of a key: those that come after one
	// that went to the dead letter go there too, until all of them are redriven and handled. For
	// that the records need headers: it is refused where they are given ([Copier.Write]).
	KeepOrder bool

	// Objects, where there are any, take the record of a letter that is too large for
	// its topic, which comes in parts otherwise, and with AllInObjects that of each. A
	// record whose object cannot be put is not done: the partition is as if its
	// dead-letter topic were away.
	Objects      deadletter.Objects
	AllInObjects bool

	Function string // that a letter names
	Version  string // of the function
}

// spec is that of the topic where it has to be created. A letter is what its
// record was, and a little more.
func (d DeadLetters) spec(target targetTopic) kafka.TopicSpec {
	const more = 64 << 10 // for the headers of a letter
	return kafka.TopicSpec{Name: d.Topic, Partitions: int(target.partitions), Settings: map[string]string{
		settingTimeType:       createTime,
		settingMaxBytes:       strconv.Itoa(max(target.maxBytes, defaultMaxBytes) + more),
		settingRetention:      "-1",
		settingRetentionBytes: "-1",
		settingCleanup:        "delete",
	}}
}

// sizeMargin is what a record may need beyond its own bytes: the header of a batch,
// lengths, and what compression adds to data that it cannot compress.
const sizeMargin = 1 << 10

// fits is a [TooLargeError] where an output is larger than its topic takes, alone
// and compressed.
func (p *planner) fits(of batch.Record) error {
	j := p.processing
	for _, o := range j.outputs {
		size := sizeMargin + len(o.record.Key) + len(o.record.Value)
		for _, h := range o.record.Headers {
			size += sizeMargin/64 + len(h.Key) + len(h.Value)
		}
		if o.limit == 0 || size+size/100 <= o.limit {
			continue
		}
		if j.trial == nil {
			j.trial = batch.NewBuilder(batch.Options{})
		}
		j.trial.Reset(batch.Options{Codec: j.codec, MaxBytes: o.limit})
		j.trial.Add(o.record)
		_, err := j.trial.Batch()
		var tooLarge *batch.TooLargeError
		switch {
		case errors.As(err, &tooLarge):
			return &TooLargeError{Topic: p.topic, Partition: p.partition, Offset: of.Offset, Size: tooLarge.Size, Target: o.topic, Limit: o.limit}
		case err != nil:
			return err
		}
	}
	return nil
}

// bury places a letter about a record instead of its outputs.
func (p *planner) bury(ctx context.Context, letter deadletter.Letter, reason error) error {
	j := p.processing
	topic, err := j.topic(ctx, j.letters.Topic)
	if err != nil {
		return fmt.Errorf("dead letter of %s/%d offset %d: %w", p.topic, p.partition, letter.Record.Offset, err)
	}
	letter.Error, letter.At = reason.Error(), time.Now()
	j.outputs, j.memory = j.outputs[:0], j.memory[:0]
	records, err := j.records(ctx, letter, topic.maxBytes)
	if err != nil {
		return fmt.Errorf("dead letter of %s/%d offset %d: %w", p.topic, p.partition, letter.Record.Offset, err)
	}
	for _, r := range records {
		if err := p.place(ctx, Output{topic.name, r}, letter.Record.Offset); err != nil {
			return err
		}
	}
	return nil
}

// records gives the records of the dead-letter topic for a letter. What belongs into
// an object is there when it returns.
func (j *processing) records(ctx context.Context, letter deadletter.Letter, most int) ([]batch.Record, error) {
	records := letter.Records(most)
	if j.letters.Objects == nil || len(records) == 1 && !j.letters.AllInObjects {
		return records, nil
	}
	outside, err := letter.InObject(ctx, j.letters.Objects, most)
	switch {
	case err == nil:
		return outside.Records(most), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %w", errNoTime, err)
	}
	return nil, deadletter.Transient(err) // of the bucket, not of the record
}
