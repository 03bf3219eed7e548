package mirror

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Side is a part of a partition to be compared: the committed records from
// First on, before End.
type Side struct {
	Client    *kafka.Client
	Topic     string
	Partition int32
	First     int64
	End       int64 // exclusive
}

// Comparison is the outcome of [Compare].
type Comparison struct {
	Equal  bool
	Source Digested
	Target Digested
	// Difference is the first one; nil where the sides are equal.
	Difference *Difference
}

// Digested is what was read of one side, up to the first difference.
type Digested struct {
	Records int64
	Digest  string // see [batch.Digest]; of all records where the sides are equal
}

// Difference is the first place where two partitions are not the same. A
// record is nil where its side has ended.
type Difference struct {
	Index  int64 // how many records before it are equal
	Field  string
	Source *batch.Record
	Target *batch.Record
}

// Compare reads two partitions side by side and compares key, value, headers
// and timestamp of each record, in order. Offsets may differ: transaction
// markers take some up in the target. Aborted records and markers are not
// records. progress, where not nil, is called with the records read so far.
func Compare(ctx context.Context, source, target Side, progress func(records int64)) (Comparison, error) {
	a, b := newScan(source), newScan(target)
	var comparison Comparison
	for index := int64(0); ; index++ {
		left, err := a.next(ctx)
		if err != nil {
			return comparison, err
		}
		right, err := b.next(ctx)
		if err != nil {
			return comparison, err
		}
		comparison.Source, comparison.Target = a.digested(), b.digested()
		if left == nil && right == nil {
			comparison.Equal = true
			return comparison, nil
		}
		if field := differentField(left, right); field != "" {
			comparison.Difference = &Difference{Index: index, Field: field, Source: left, Target: right}
			return comparison, nil
		}
		if progress != nil && index%10000 == 0 {
			progress(index)
		}
	}
}

// differentField names the first field that differs; empty where none does.
func differentField(a, b *batch.Record) string {
	switch {
	case b == nil:
		return "missing in target"
	case a == nil:
		return "only in target"
	case !sameBytes(a.Key, b.Key):
		return "key"
	case !sameBytes(a.Value, b.Value):
		return "value"
	case a.Timestamp != b.Timestamp:
		return "timestamp"
	case !slices.EqualFunc(a.Headers, b.Headers, func(a, b batch.Header) bool { return a.Key == b.Key && sameBytes(a.Value, b.Value) }):
		return "headers"
	}
	return ""
}

// sameBytes keeps nil and empty apart.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }

// scan reads the committed records of one side.
type scan struct {
	side    Side
	records []batch.Record
	at      int64
	digest  batch.Digest
}

func newScan(side Side) *scan { return &scan{side: side, at: side.First} }

// scanBytes is how much one fetch of a scan asks for.
const scanBytes = 4 << 20

// next gives the next record, nil at the end.
func (s *scan) next(ctx context.Context) (*batch.Record, error) {
	for len(s.records) == 0 && s.at < s.side.End {
		if err := s.fetch(ctx); err != nil {
			return nil, err
		}
	}
	if len(s.records) == 0 || s.records[0].Offset >= s.side.End {
		return nil, nil
	}
	r := &s.records[0]
	s.records = s.records[1:]
	s.digest.Add(*r)
	return r, nil
}

func (s *scan) fetch(ctx context.Context) error {
	fetched, err := s.side.Client.FetchRecords(ctx, kafka.FetchRequest{
		Topic: s.side.Topic, Partition: s.side.Partition, Offset: s.at,
		MinBytes: 1, MaxBytes: scanBytes, MaxWait: fetchWait, ReadCommitted: true,
	})
	if err != nil && !kafka.Retriable(err) || ctx.Err() != nil {
		return errorOr(err, ctx)
	}
	if err == nil && fetched.Next == s.at && fetched.LastStable >= 0 && fetched.LastStable <= s.at && fetched.LastStable < fetched.HighWatermark {
		return fmt.Errorf("read %s/%d: %w: offset %d", s.side.Topic, s.side.Partition, ErrNotStable, s.at)
	}
	if err != nil {
		select {
		case <-ctx.Done():
		case <-time.After(fetchWait):
		}
		return nil
	}
	s.records, s.at = fetched.Records, fetched.Next
	return nil
}

func errorOr(err error, ctx context.Context) error {
	if err != nil {
		return err
	}
	return context.Cause(ctx)
}

func (s *scan) digested() Digested {
	return Digested{Records: s.digest.Count(), Digest: s.digest.String()}
}
