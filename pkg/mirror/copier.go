package mirror

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Copier runs one job. It is safe for concurrent use; calls for the same
// partition wait for each other. Keep it between invocations: a warm one need
// not fence and read its checkpoints again.
type Copier struct {
	job *job

	mu         sync.Mutex
	partitions map[topicPartition]*slot
}

type topicPartition struct {
	topic     string
	partition int32
}

// slot lets one call at a time have a partition. Who has sent into turn has it.
type slot struct {
	turn      chan struct{}
	partition *partition
}

// New makes a copier. It touches no cluster; a target that has no transactions
// is refused at once ([kafka.ErrUnsupported]), before a topic is created there.
func New(config Config) (*Copier, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if !config.Target.SupportsTransactions() {
		return nil, fmt.Errorf("target %s: %w: a copy needs transactions, which Kafka has from 0.11 on",
			strings.Join(config.Target.Brokers(), ","), kafka.ErrUnsupported)
	}
	if config.DeadLetters.KeepOrder && config.Source == nil {
		return nil, errors.New("the order of keys behind dead letters is kept by headers, which events do not have: name the source's brokers (SOURCE_BROKERS), or leave it out (DEADLETTER_KEEP_ORDER)")
	}
	return &Copier{job: &job{Config: config, token: rand.Text()}, partitions: map[topicPartition]*slot{}}, nil
}

// Copy brings each partition up to the end of its range: nil means that every
// record of every range is in the target, committed. Ranges of one partition
// are copied in order, those of different partitions side by side.
//
// A partition that cannot go on does not hold back the others. All errors are
// joined; each names topic, partition and offset. The result says what was
// committed in any case. Copy again to go on: what is done is not done twice.
//
// Records behind an open transaction of the source, and offsets that are still
// to come, are waited for until shortly before ctx's deadline; without a
// deadline, until they are there.
func (c *Copier) Copy(ctx context.Context, ranges []Range) (Result, error) {
	if c.job.From == nil {
		return Result{}, errors.New("copy: the job has no source cluster")
	}
	for _, r := range ranges {
		if r.First < 0 || r.Last < r.First {
			return Result{}, fmt.Errorf("copy %s/%d: offsets %d to %d are no range", r.Topic, r.Partition, r.First, r.Last)
		}
	}
	return c.each(ctx, ranges, func(ctx context.Context, i int, p *partition) (PartitionResult, error) {
		return p.copy(ctx, ranges[i], 0)
	})
}

// turn is Copy for one range, which ends early once about so many bytes were
// committed.
func (c *Copier) turn(ctx context.Context, rng Range, most int64) (PartitionResult, error) {
	result, err := c.each(ctx, []Range{rng}, func(ctx context.Context, _ int, p *partition) (PartitionResult, error) {
		return p.copy(ctx, rng, most)
	})
	return result.Partitions[0], err
}

// Given are records of one partition that somebody else has read, as those of
// an event. Their offsets are the source's and go up.
type Given struct {
	Topic     string
	Partition int32
	Records   []batch.Record // at least one
}

// span is the range of the records; an error where their offsets make none.
func (g Given) span() (Range, error) {
	if len(g.Records) == 0 {
		return Range{}, fmt.Errorf("write %s/%d: no records are given", g.Topic, g.Partition)
	}
	for i, r := range g.Records[1:] {
		if before := g.Records[i].Offset; r.Offset <= before {
			return Range{}, fmt.Errorf("write %s/%d: offset %d comes after %d", g.Topic, g.Partition, r.Offset, before)
		}
	}
	return Range{Topic: g.Topic, Partition: g.Partition, First: g.Records[0].Offset, Last: g.Records[len(g.Records)-1].Offset}, nil
}

// Write is Copy for records that are given: those below the checkpoint are
// skipped, the others written with it in one transaction. What the source has
// between them cannot be known here, nor whether it is the same topic still:
// records of one that was created again count as copied below the checkpoint.
func (c *Copier) Write(ctx context.Context, given []Given) (Result, error) {
	ranges := make([]Range, len(given))
	for i, g := range given {
		var err error
		if ranges[i], err = g.span(); err != nil {
			return Result{}, err
		}
	}
	return c.each(ctx, ranges, func(ctx context.Context, i int, p *partition) (PartitionResult, error) {
		return p.write(ctx, ranges[i], given[i].Records)
	})
}

// each runs work for every range, grouped by partition.
func (c *Copier) each(ctx context.Context, ranges []Range, work func(context.Context, int, *partition) (PartitionResult, error)) (Result, error) {
	results := make([]PartitionResult, len(ranges))
	faults := make([]error, len(ranges))
	for i, r := range ranges {
		results[i] = PartitionResult{Range: r, Target: c.job.Topics.Target(r.Topic), Next: -1}
	}
	var group errgroup.Group
	group.SetLimit(c.job.Parallel)
	for _, indexes := range byPartition(ranges) {
		group.Go(func() error {
			slot := c.slot(ranges[indexes[0]])
			select {
			case slot.turn <- struct{}{}:
			case <-ctx.Done():
				r := ranges[indexes[0]]
				faults[indexes[0]] = fmt.Errorf("copy %s/%d: another call had the partition all the time: %w", r.Topic, r.Partition, context.Cause(ctx))
				return nil
			}
			defer func() { <-slot.turn }()
			for _, i := range indexes {
				// which stays where the code of a job ends the goroutine
				faults[i] = fmt.Errorf("process %s/%d: %w", ranges[i].Topic, ranges[i].Partition, errUnfinished)
				if results[i], faults[i] = work(ctx, i, slot.partition); faults[i] != nil {
					break // what comes after would leave a gap
				}
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in faults
	return Result{Partitions: results}, errors.Join(faults...)
}

// errUnfinished is the error of a range whose goroutine was ended.
var errUnfinished = errors.New("the processor has ended its goroutine (runtime.Goexit)")

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
		c.partitions[tp] = &slot{turn: make(chan struct{}, 1), partition: newPartition(c.job, r.Topic, r.Partition)}
	}
	return c.partitions[tp]
}
