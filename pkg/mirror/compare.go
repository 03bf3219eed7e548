package mirror

import (
	"context"
	"slices"

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
	Equal  bool     `json:"equal"`
	Source Digested `json:"source"`
	Target Digested `json:"target"`
	// Difference is the first one; nil where the sides are equal.
	Difference *Difference `json:"difference,omitempty"`
}

// Digested is what was read of one side: all of it.
type Digested struct {
	First   int64  `json:"first"`   // offset that reading began at
	End     int64  `json:"end"`     // offset that it ended before
	Records int64  `json:"records"` // committed records between them
	Digest  string `json:"digest"`  // of their content, in order: see [batch.Digest]
}

// Compare reads two partitions side by side and compares key, value, headers
// and timestamp of each record, in order. Offsets may differ: transaction
// markers take some up in the target. Aborted records and markers are not
// records. After a difference both sides are read to their end, so that counts
// and digests are of all records.
//
// progress, where not nil, is called now and then with the number of source
// records read so far. A side that has an open transaction before its end is
// [ErrNotStable]. Two buffers of 2 MiB a side are in memory, or two batches
// where those are larger.
func Compare(ctx context.Context, source, target Side, progress func(records int64)) (Comparison, error) {
	comparison, _, err := compareSides(ctx, source, target, nil, progress, nil)
	return comparison, err
}

// progressEvery is how many records lie between two calls of progress.
const progressEvery = 10_000

func compareSides(ctx context.Context, source, target Side, state []byte, progress func(records int64), seen func(offsets, bytes int64)) (Comparison, []byte, error) {
	c := &comparer{progress: progress}
	if len(state) > 0 {
		if err := c.both.UnmarshalBinary(state); err != nil {
			return Comparison{}, nil, err
		}
	}
	c.source, c.target = newScan(ctx, source, seen), newScan(ctx, target, seen)
	defer c.source.close()
	defer c.target.close()
	err := c.compare(ctx)
	comparison := Comparison{Equal: err == nil && c.difference == nil, Difference: c.difference}
	comparison.Source = digested(source, &c.both)
	comparison.Target = digested(target, &c.both)
	if c.difference != nil {
		comparison.Target = digested(target, &c.other)
	}
	if !comparison.Equal {
		return comparison, nil, err
	}
	end, err := c.both.MarshalBinary()
	return comparison, end, err
}

func digested(side Side, d *batch.Digest) Digested {
	return Digested{First: side.First, End: side.End, Records: d.Count(), Digest: d.String()}
}

func compareInOrder(ctx context.Context, source, target Side, state []byte, seen func(offsets, bytes int64)) (Comparison, []byte, error) {
	return compareSides(ctx, source, target, state, nil, seen)
}

// comparer walks through two scans. As long as they are equal one digest does
// for both; after a difference it is that of the source.
type comparer struct {
	source, target *scan
	both, other    batch.Digest
	difference     *Difference
	progress       func(records int64)
}

func (c *comparer) compare(ctx context.Context) error {
	for {
		if err := c.skipDecoding(ctx); err != nil {
			return err
		}
		left, right, err := c.pair(ctx)
		if err != nil || left == nil && right == nil {
			return err
		}
		if field := differentField(left, right); field != "" {
			return c.differ(ctx, field, left, right)
		}
		c.add(*left)
	}
}

// skipDecoding drops the next batch of the target where it has the same bytes as that
// of the source, as a batch that was passed on has, after the source's was decoded for
// the digest: that is half of what a comparison takes.
func (c *comparer) skipDecoding(ctx context.Context) error {
	for {
		left, err := c.source.boundary(ctx)
		if err != nil || left == nil {
			return err
		}
		right, err := c.target.boundary(ctx)
		if err != nil || right == nil || !left.SameRecords(right) {
			return err
		}
		c.target.units = c.target.units[1:]
		if err := c.source.decode(); err != nil {
			return err
		}
		for _, r := range c.source.records {
			c.add(r)
		}
		c.source.records = nil
	}
}

func (c *comparer) pair(ctx context.Context) (left, right *batch.Record, err error) {
	if left, err = c.source.next(ctx); err != nil {
		return nil, nil, err
	}
	right, err = c.target.next(ctx)
	return left, right, err
}

func (c *comparer) add(r batch.Record) {
	c.both.Add(r)
	if n := c.both.Count(); c.progress != nil && n%progressEvery == 0 {
		c.progress(n)
	}
}

// differ notes the difference and reads the rest of both sides.
func (c *comparer) differ(ctx context.Context, field string, left, right *batch.Record) error {
	state, err := c.both.MarshalBinary()
	if err == nil {
		err = c.other.UnmarshalBinary(state)
	}
	if err != nil {
		return err
	}
	left, right = clone(left), clone(right) // the scans go on
	c.difference = &Difference{
		Index: c.both.Count(), Field: field, Source: left, Target: right,
		SourcePartition: c.source.side.Partition, TargetPartition: c.target.side.Partition,
	}
	nextLeft, err := c.source.rest(ctx, left, c.add)
	if err != nil {
		return err
	}
	nextRight, err := c.target.rest(ctx, right, c.other.Add)
	if err != nil {
		return err
	}
	c.difference.explain(nextLeft, nextRight)
	return nil
}

// rest reads a side to its end, from r on, and gives the record after r.
func (s *scan) rest(ctx context.Context, r *batch.Record, add func(batch.Record)) (second *batch.Record, err error) {
	for n := 0; r != nil; n++ {
		add(*r)
		if r, err = s.next(ctx); err != nil {
			return nil, err
		}
		if n == 0 {
			second = clone(r)
		}
	}
	return second, nil
}

func clone(r *batch.Record) *batch.Record {
	if r == nil {
		return nil
	}
	c := r.Clone()
	return &c
}

// Fields of a [Difference].
const (
	FieldMissing   = "missing in target"
	FieldExtra     = "only in target"
	FieldOrder     = "order"
	FieldKey       = "key"
	FieldValue     = "value"
	FieldTimestamp = "timestamp"
	FieldHeaders   = "headers"
)

// differentField names the first field that differs; empty where none does.
func differentField(a, b *batch.Record) string {
	switch {
	case a == nil && b == nil:
		return ""
	case b == nil:
		return FieldMissing
	case a == nil:
		return FieldExtra
	case !sameBytes(a.Key, b.Key):
		return FieldKey
	case !sameBytes(a.Value, b.Value):
		return FieldValue
	case a.Timestamp != b.Timestamp:
		return FieldTimestamp
	case !slices.EqualFunc(a.Headers, b.Headers, sameHeader):
		return FieldHeaders
	}
	return ""
}

func sameHeader(a, b batch.Header) bool { return a.Key == b.Key && sameBytes(a.Value, b.Value) }

// sameBytes keeps nil and empty apart.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }
