package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Range is offsets of a partition, both ends included.
type Range struct {
	Topic       string
	Partition   int32
	First, Last int64
}

// Result is what a load has done.
type Result struct {
	Records int64 `json:"records"` // rows that were written
	Letters int64 `json:"dead_letters"`
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`   // of objects
	Entries int   `json:"entries"` // of logs that were made
	Redone  int   `json:"redone"`  // entries that were found and done again
	Gaps    int64 `json:"gaps,omitempty"`
}

func (r *Result) add(o Result) {
	r.Records += o.Records
	r.Letters += o.Letters
	r.Objects += o.Objects
	r.Bytes += o.Bytes
	r.Entries += o.Entries
	r.Redone += o.Redone
	r.Gaps += o.Gaps
}

// Loader loads partitions into a dataset. It is safe for concurrent use; a partition is loaded by one call at a time.
type Loader struct {
	Config
	schemas *schemas

	mu         sync.Mutex
	partitions map[place]*partition
}

// New checks the configuration. It sends nothing.
func New(c Config) (*Loader, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Loader{Config: c, schemas: newSchemas(c.Dataset), partitions: map[place]*partition{}}, nil
}

// Load makes sure that the rows of ranges are in the dataset, each once, with all that comes before them in their
// partition since its log began. What could not be loaded is an error; what was is done, and is not done again.
// [ErrTime] where the context ends before. The error joins those of the partitions: [Lasting] tells them apart.
func (l *Loader) Load(ctx context.Context, ranges []Range) (Result, error) {
	var (
		all    Result
		faults []error
		mu     sync.Mutex
		group  errgroup.Group
	)
	group.SetLimit(l.Parallel)
	for _, r := range ranges {
		group.Go(func() error {
			p := l.partition(place{r.Topic, r.Partition})
			p.turn.Lock()
			defer p.turn.Unlock()
			result, err := p.load(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			all.add(result)
			faults = append(faults, err)
			return nil
		})
	}
	_ = group.Wait()
	return all, errors.Join(faults...)
}

// LoadAll is Load for all that topics have now, up to their last stable offsets.
func (l *Loader) LoadAll(ctx context.Context, topics ...string) (Result, error) {
	var ranges []Range
	for _, name := range topics {
		topic, err := l.Source.Topic(ctx, name)
		if err != nil {
			return Result{}, err
		}
		var numbers []int32
		for _, p := range topic.Partitions {
			numbers = append(numbers, p.ID)
		}
		ends, err := l.ends(ctx, name, numbers)
		if err != nil {
			return Result{}, err
		}
		starts, err := l.Source.Offsets(ctx, name, kafka.Earliest, numbers...)
		if err != nil {
			return Result{}, err
		}
		for _, number := range numbers {
			if ends[number] > starts[number] {
				ranges = append(ranges, Range{name, number, starts[number], ends[number] - 1})
			}
		}
	}
	return l.Load(ctx, ranges)
}

// ends are the last stable offsets, where the source knows of them.
func (l *Loader) ends(ctx context.Context, topic string, numbers []int32) (map[int32]int64, error) {
	if stable, ok := l.Source.(interface {
		StableOffsets(ctx context.Context, topic string, partitions ...int32) (map[int32]int64, error)
	}); ok {
		return stable.StableOffsets(ctx, topic, numbers...)
	}
	return l.Source.Offsets(ctx, topic, kafka.Latest, numbers...)
}

func (l *Loader) partition(at place) *partition {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.partitions[at]
	if p == nil {
		p = &partition{Loader: l, place: at, topic: at.topic, journal: newJournal(l.Dataset, at), next: -1}
		l.partitions[at] = p
	}
	return p
}

// trusted is how long an instance believes what it remembers of a log: that there was no entry behind the last that it
// knows. It takes no entry that it finds made as a proof of that, only one that it makes. So what it finds was made
// since then; and trusted, and the invocation that begins with it, are less than [MinAge] together: nothing of what it
// writes can have been merged yet. It is much less than [keepEntries], too: an instance that was frozen for longer
// could make an entry again that was removed. And it is by the clock on the wall, which goes on while an instance is
// frozen.
const trusted = 10 * time.Minute

func (l *Loader) now() time.Time { return l.Now().Round(0) }

// describe wraps an error of a partition once.
func describe(at place, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("load %s: %w", at, err)
}
