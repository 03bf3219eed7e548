package emulator

import (
	"context"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// partitionReader reads one partition of a cluster.
type partitionReader struct {
	client        *kafka.Client
	topic         string
	partition     int32
	readCommitted bool

	buf     kafka.Buffer
	decoder batch.Decoder
	records []batch.Record
}

// fetchBytes is how much is read at once; a record that is larger comes whole.
const fetchBytes = 4 << 20

// read is a readFunc.
func (p *partitionReader) read(ctx context.Context, offset int64, patience time.Duration) (fetched, error) {
	answer, err := p.client.Fetch(ctx, kafka.FetchRequest{
		Topic: p.topic, Partition: p.partition, Offset: offset,
		MinBytes: 1, MaxBytes: fetchBytes, MaxWait: patience, ReadCommitted: p.readCommitted,
	}, &p.buf)
	if err != nil {
		return fetched{}, err
	}
	p.records = p.records[:0]
	got := fetched{next: offset, highWatermark: answer.HighWatermark}
	for stored, err := range answer.Visible(p.readCommitted) {
		if err == nil && !stored.Skip {
			err = p.decode(stored, offset)
		}
		if err != nil && len(p.records) > 0 {
			break // why: what is in front of the broken batch can be delivered
		}
		if err != nil {
			return fetched{}, fmt.Errorf("decode %s/%d at %d: %w", p.topic, p.partition, got.next, err)
		}
		got.next = max(got.next, stored.LastOffset()+1)
	}
	got.records = p.records
	return got, nil
}

// decode adds the records of one batch, all or none.
func (p *partitionReader) decode(stored kafka.Stored, from int64) error {
	before := len(p.records)
	for r, err := range stored.Records(&p.decoder) {
		if err != nil {
			p.records = p.records[:before]
			return err
		}
		if r.Offset >= from {
			p.records = append(p.records, r)
		}
	}
	p.decoder.Detach() // why: the records outlive the decoding of the next batch
	return nil
}
