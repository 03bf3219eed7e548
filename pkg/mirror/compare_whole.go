package mirror

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// compareWhole compares two topics as multisets of records. A first pass adds
// up the hashes of the records, by bucket; where buckets differ, a second one
// looks at the records in them, so that memory does not grow with the topics.
func compareWhole(ctx context.Context, left, right []Side, parallel int, meter *meter) ([]PartitionComparison, error) {
	row := PartitionComparison{Partition: -1}
	source, target := newMultiset(), newMultiset()
	err := eachHash(ctx, left, right, parallel, meter.seen, func(fromSource bool) (func(recordHash, place), func()) {
		mine, all := newMultiset(), target
		if fromSource {
			all = source
		}
		return func(h recordHash, _ place) { mine.add(h) }, func() { all.merge(mine) }
	})
	row.Source, row.Target = source.digested(), target.digested()
	if err != nil {
		return []PartitionComparison{row}, err
	}
	differing := source.differing(target)
	if row.Equal = len(differing) == 0; row.Equal {
		return []PartitionComparison{row}, nil
	}
	row.Difference, err = locate(ctx, left, right, parallel, differing)
	return []PartitionComparison{row}, err
}

// eachHash scans all sides, up to parallel at a time, and calls what open has
// given for the side: first with each record's hash and place, then once at
// its end.
func eachHash(ctx context.Context, left, right []Side, parallel int, seen func(offsets, bytes int64),
	open func(fromSource bool) (each func(recordHash, place), end func())) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, side := range slices.Concat(left, right) {
		group.Go(func() error {
			each, end := open(i < len(left))
			s := newScan(ctx, side, seen)
			defer s.close()
			for {
				r, err := s.next(ctx)
				if err != nil {
					return err
				}
				if r == nil {
					end()
					return nil
				}
				each(hashOf(*r), place{partition: side.Partition, offset: r.Offset})
			}
		})
	}
	return group.Wait()
}

// recordHash is the SHA-256 of one record's content (see [batch.Digest]) as
// four numbers, the lowest first.
type recordHash [4]uint64

func hashOf(r batch.Record) recordHash {
	var d batch.Digest
	d.Add(r)
	sum := d.Sum()
	var h recordHash
	for i := range h {
		h[i] = binary.LittleEndian.Uint64(sum[8*i:])
	}
	return h
}

// plus adds modulo 2^256: the order of the records does not matter then.
func (h recordHash) plus(other recordHash) recordHash {
	var carry uint64
	for i := range h {
		h[i], carry = bits.Add64(h[i], other[i], carry)
	}
	return h
}

// bucketCount divides the hashes of a topic so finely that the records of a
// few buckets fit into memory; two sets of buckets take 5 MiB.
const bucketCount = 1 << 16

type bucket struct {
	records int64
	sum     recordHash
}

// multiset sums up records regardless of their order.
type multiset struct {
	mu      sync.Mutex
	buckets []bucket
}

func newMultiset() *multiset { return &multiset{buckets: make([]bucket, bucketCount)} }

func bucketOf(h recordHash) int { return int(h[0] % bucketCount) }

func (m *multiset) add(h recordHash) {
	b := &m.buckets[bucketOf(h)]
	b.records++
	b.sum = b.sum.plus(h)
}

func (m *multiset) merge(other *multiset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, b := range other.buckets {
		m.buckets[i].records += b.records
		m.buckets[i].sum = m.buckets[i].sum.plus(b.sum)
	}
}

func (m *multiset) digested() Digested {
	d := Digested{First: -1, End: -1}
	var sum recordHash
	for _, b := range m.buckets {
		d.Records += b.records
		sum = sum.plus(b.sum)
	}
	d.Digest = hex.EncodeToString(binary.BigEndian.AppendUint64(nil, sum[3]))
	return d
}

// mostBuckets is how many differing buckets are looked at: enough to show one
// record, and bounded where everything differs.
const mostBuckets = 16

func (m *multiset) differing(other *multiset) map[int]bool {
	differing := map[int]bool{}
	for i := range m.buckets {
		if m.buckets[i] != other.buckets[i] && len(differing) < mostBuckets {
			differing[i] = true
		}
	}
	return differing
}

// place is where a record is.
type place struct {
	partition int32
	offset    int64
}

// surplus is how many times more a record is in the source than in the target,
// and where its first one is on each side.
type surplus struct {
	times          int64
	source, target *place
}

// locate reads the differing buckets again and gives the first record that
// one side has more often, of each side.
func locate(ctx context.Context, left, right []Side, parallel int, buckets map[int]bool) (*Difference, error) {
	var mu sync.Mutex
	found := map[recordHash]*surplus{}
	err := eachHash(ctx, left, right, parallel, nil, func(fromSource bool) (func(recordHash, place), func()) {
		return func(h recordHash, p place) {
			if !buckets[bucketOf(h)] {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if found[h] == nil {
				found[h] = &surplus{}
			}
			found[h].count(fromSource, p)
		}, func() {}
	})
	if err != nil {
		return nil, err
	}
	var missing, extra []place
	for _, s := range found {
		switch {
		case s.times > 0:
			missing = append(missing, *s.source)
		case s.times < 0:
			extra = append(extra, *s.target)
		}
	}
	return describe(ctx, left, right, missing, extra)
}

func (s *surplus) count(fromSource bool, p place) {
	times, first := int64(-1), &s.target
	if fromSource {
		times, first = 1, &s.source
	}
	s.times += times
	if *first == nil || comparePlaces(p, **first) < 0 {
		*first = &p
	}
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
}

// describe fetches the first of the records that make the difference.
func describe(ctx context.Context, left, right []Side, missing, extra []place) (*Difference, error) {
	d := &Difference{Index: -1, Field: FieldMissing, SourcePartition: -1, TargetPartition: -1}
	var err error
	if len(missing) > 0 {
		first := slices.MinFunc(missing, comparePlaces)
		d.SourcePartition = first.partition
		if d.Source, err = recordAt(ctx, left, first); err != nil {
			return nil, err
		}
	}
	if len(extra) > 0 {
		first := slices.MinFunc(extra, comparePlaces)
		d.TargetPartition = first.partition
		if d.Target, err = recordAt(ctx, right, first); err != nil {
			return nil, err
		}
	}
	if len(missing) == 0 {
		d.Field = FieldExtra
	}
	return d, nil
}

func recordAt(ctx context.Context, sides []Side, p place) (*batch.Record, error) {
	i := slices.IndexFunc(sides, func(s Side) bool { return s.Partition == p.partition })
	side := sides[i]
	fetched, err := side.Client.FetchRecords(ctx, kafka.FetchRequest{
		Topic: side.Topic, Partition: p.partition, Offset: p.offset, MinBytes: 1, MaxBytes: 1, MaxWait: fetchWait, ReadCommitted: true,
	})
	if err != nil {
		return nil, err
	}
	if len(fetched.Records) == 0 || fetched.Records[0].Offset != p.offset {
		return nil, fmt.Errorf("read %s/%d: the record at offset %d, seen a moment ago, is gone", side.Topic, p.partition, p.offset)
	}
	return &fetched.Records[0], nil
}
