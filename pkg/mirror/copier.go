package mirror

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Copier runs one job. It is safe for concurrent use; calls for the same
// partition wait for each other. Keep it between invocations: a warm one need
// not fence and read its checkpoints again.
type Copier struct {
	config Config
	topics *topics

	mu         sync.Mutex
	partitions map[topicPartition]*slot
}

type topicPartition struct {
	topic     string
	partition int32
}

// slot lets one call at a time have a partition.
type slot struct {
	sync.Mutex
	partition partition
}

// New makes a copier. It touches no cluster.
func New(config Config) (*Copier, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Copier{config: config, topics: &topics{config: config}, partitions: map[topicPartition]*slot{}}, nil
}

// Copy brings each partition up to the end of its range: nil means that every
// record of every range is in the target, committed. Ranges of one partition
// are copied in order, those of different partitions side by side.
//
// A partition that cannot go on does not hold back the others. All errors are
// joined; each names topic, partition and offset. The result says what was
// committed in any case. Copy again to go on: what is done is not done twice.
func (c *Copier) Copy(ctx context.Context, ranges []Range) (Result, error) {
	if c.config.Source == nil {
		return Result{}, errors.New("copy: the job has no source cluster")
	}
	return c.each(ctx, ranges, func(ctx context.Context, i int, p *partition) (PartitionResult, error) {
		return p.copy(ctx, ranges[i])
	})
}

// Given are records of one partition that somebody else has read, as those of
// an event. Their offsets are the source's and go up.
type Given struct {
	Topic     string
	Partition int32
	Records   []batch.Record // at least one
}

func (g Given) span() Range {
	return Range{Topic: g.Topic, Partition: g.Partition, First: g.Records[0].Offset, Last: g.Records[len(g.Records)-1].Offset}
}

// Write is Copy for records that are given: those below the checkpoint are
// skipped, the others written with it in one transaction. What the source has
// between them cannot be known here.
func (c *Copier) Write(ctx context.Context, given []Given) (Result, error) {
	ranges := make([]Range, len(given))
	for i, g := range given {
		ranges[i] = g.span()
	}
	return c.each(ctx, ranges, func(ctx context.Context, i int, p *partition) (PartitionResult, error) {
		return p.write(ctx, given[i])
	})
}

// each runs work for every range, grouped by partition.
func (c *Copier) each(ctx context.Context, ranges []Range, work func(context.Context, int, *partition) (PartitionResult, error)) (Result, error) {
	results := make([]PartitionResult, len(ranges))
	faults := make([]error, len(ranges))
	var group errgroup.Group
	group.SetLimit(c.config.Parallel)
	for _, indexes := range byPartition(ranges) {
		group.Go(func() error {
			slot := c.slot(ranges[indexes[0]])
			slot.Lock()
			defer slot.Unlock()
			for _, i := range indexes {
				if results[i], faults[i] = work(ctx, i, &slot.partition); faults[i] != nil {
					break // what comes after would leave a gap
				}
			}
			return nil
		})
	}
	group.Wait()
	return Result{Partitions: results}, errors.Join(faults...)
}

// byPartition gives the indexes of the ranges of each partition, by offset.
func byPartition(ranges []Range) [][]int {
	groups := map[topicPartition]int{}
	var out [][]int
	for i, r := range ranges {
		tp := topicPartition{r.Topic, r.Partition}
		at, ok := groups[tp]
		if !ok {
			at = len(out)
			groups[tp] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], i)
	}
	for _, indexes := range out {
		slices.SortStableFunc(indexes, func(a, b int) int { return cmp.Compare(ranges[a].First, ranges[b].First) })
	}
	return out
}

func (c *Copier) slot(r Range) *slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	tp := topicPartition{r.Topic, r.Partition}
	if c.partitions[tp] == nil {
		c.partitions[tp] = &slot{partition: partition{config: c.config, topics: c.topics, topic: r.Topic, number: r.Partition}}
	}
	return c.partitions[tp]
}
