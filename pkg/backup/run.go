package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
)

// Result is what a run has done.
type Result struct {
	Cluster  string `json:"cluster"`
	Sequence int64  `json:"sequence"` // of the newest manifest
	// Time is when the run began to look at the cluster: everything that was committed then
	// is in the backup, if Complete, but for what was behind an open transaction.
	Time     time.Time `json:"time"`
	Complete bool      `json:"complete"`
	Changed  bool      `json:"changed"` // false: there was nothing new, and no manifest was written

	Topics      int   `json:"topics"`
	Partitions  int   `json:"partitions"`
	Segments    int   `json:"segments"` // new ones
	Records     int64 `json:"records"`
	Bytes       int64 `json:"bytes"`        // of their logs
	ObjectBytes int64 `json:"object_bytes"` // of their objects

	// Lost are ranges that the cluster had deleted before they were backed up, and
	// Recreated the topics that begin a new lineage.
	Lost      []Lost   `json:"lost,omitempty"`
	Recreated []string `json:"recreated,omitempty"`
}

// Lost is a gap, and where it is.
type Lost struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Gap
}

// run is one run under way.
type run struct {
	Config
	chain   *Chain
	zstd    *zstd.Encoder
	until   time.Time // when partitions stop; zero: never
	logs    spare     // memory of segments
	packed  spare     // memory of those that are compressed
	buffers sync.Pool // of *kafka.Buffer
	// decoders is of *batch.Decoder.
	decoders sync.Pool

	mu        sync.Mutex
	last      linked    // the newest manifest
	state     *Manifest // what the next one will be
	fresh     int64     // bytes of segments that are in state and in no manifest
	committed time.Time // when a manifest was last written
	taken     error     // another run has written a manifest
	progress  Progress
	result    Result
}

// Run backs up what the cluster has and the backup has not, up to the end that each
// partition has at its beginning. It may be repeated at any time: a run without anything
// new writes nothing but the note that it has looked.
//
// What a run has done is in the backup when it returns, also with an error and where ctx has
// ended (it takes up to Margin more to write that), unless the error is [ErrTaken]. Partitions that cannot be read do not hold up the others; the error joins
// what was wrong with them. Near the end of ctx the run stops in time to write its manifest,
// and is not Complete; the next one goes on there.
func Run(ctx context.Context, config Config) (Result, error) {
	config, err := config.withDefaults()
	if err != nil {
		return Result{}, err
	}
	cluster, err := config.Source.Cluster(ctx)
	if err != nil {
		return Result{}, err
	}
	r := &run{Config: config, committed: time.Now()}
	if r.chain, err = OpenChain(config.Store, config.Prefix, cluster.ID); err != nil {
		return Result{}, err
	}
	if err := unversioned(ctx, config.Store, config.Log); err != nil {
		return Result{}, err
	}
	if r.zstd, err = compressor(config.Parallel); err != nil {
		return Result{}, err
	}
	defer r.zstd.Close()
	if deadline, ok := ctx.Deadline(); ok {
		r.until = deadline.Add(-config.Margin)
	}
	if r.last, err = r.chain.newest(ctx); err != nil && !errors.Is(err, ErrNoBackup) {
		return Result{}, err
	}
	if behind := r.behind(); behind > clockSlack {
		r.Log(ctx).Warn(
			"the clock is behind the last backup: moments are found by the times of records alone until it is past that",
			"by", behind,
		)
	}
	faults := r.observe(ctx)
	if r.state == nil || faults != nil && ctx.Err() != nil {
		return Result{}, faults
	}
	faults = errors.Join(faults, r.partitions(ctx))
	r.state.Complete = faults == nil && r.reached()
	err = r.finish(ctx)
	return r.result, errors.Join(faults, err)
}

// clockSlack is how far clocks of two machines may be apart without a word.
const clockSlack = time.Minute

// behind is by how much the clock is behind the last manifest: it, or the one of that run, is
// wrong.
func (r *run) behind() time.Duration {
	if r.last.Manifest == nil {
		return 0
	}
	return r.last.At().Sub(r.Now())
}

// reached says that every partition has been backed up to its end.
func (r *run) reached() bool {
	for _, t := range r.state.Topics {
		for _, p := range t.Partitions {
			if p.Next < p.End {
				return false
			}
		}
	}
	return true
}

// partitions backs up all that have something new, several at a time.
func (r *run) partitions(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(r.Parallel)
	var mu sync.Mutex
	var faults []error
	for i := range r.state.Topics {
		topic := &r.state.Topics[i]
		for j := range topic.Partitions {
			if p := &topic.Partitions[j]; p.Next < p.End && p.High >= 0 && r.selects(topic.Name) {
				group.Go(func() error {
					w := &worker{run: r, topic: topic, partition: p}
					if err := w.work(ctx); err != nil {
						mu.Lock()
						defer mu.Unlock()
						faults = append(faults, fmt.Errorf("back up %s/%d: %w", topic.Name, p.Number, err))
					}
					return nil
				})
			}
		}
	}
	_ = group.Wait() // the errors are in faults
	return errors.Join(faults...)
}

// add records a segment, and writes a manifest where that is due.
func (r *run) add(ctx context.Context, p *Partition, s Segment, epoch int32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken != nil {
		return r.taken
	}
	if s.First != p.Next { // which would be a hole that nobody knows of
		return fmt.Errorf(
			"the segment from offset %d does not begin at offset %d, where the backup ends",
			s.First,
			p.Next,
		)
	}
	r.progress.Offsets += s.Next - p.Next
	r.progress.Bytes += s.Log.Bytes
	p.Segments, p.Next, p.Epoch = append(p.Segments, s), s.Next, epoch
	r.fresh += s.Log.Bytes
	r.result.Segments++
	r.result.Records += s.Records
	r.result.Bytes += s.Log.Bytes
	r.result.ObjectBytes += s.Object.Bytes
	if r.Progress != nil {
		r.Progress(r.progress)
	}
	if r.fresh < r.CommitBytes && time.Since(r.committed) < r.CommitInterval {
		return nil
	}
	return r.commit(ctx)
}

// lose records a gap.
func (r *run) lose(ctx context.Context, topic string, p *Partition, to int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gap := Gap{First: p.Next, Next: to}
	r.progress.Offsets += to - p.Next
	p.Gaps, p.Next = append(p.Gaps, gap), to
	r.result.Lost = append(r.result.Lost, Lost{topic, p.Number, gap})
	r.Log(ctx).
		Warn("records were deleted before they were backed up", "topic", topic, "partition", p.Number, "from", gap.First, "to", gap.Next)
}

// advance brings a partition to an offset before which nothing is left to back up:
// compaction has taken it away.
func (r *run) advance(p *Partition, to int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if to > p.Next {
		p.Next, p.Compacted = to, to
	}
}

// commit writes the state as a manifest, and goes on with what is new from then on.
func (r *run) commit(ctx context.Context) error {
	m := *r.state
	m.Topics = slices.Clone(r.state.Topics)
	for i := range m.Topics {
		m.Topics[i].Partitions = slices.Clone(m.Topics[i].Partitions)
	}
	written, err := r.chain.append(ctx, r.last, &m)
	if errors.Is(err, ErrTaken) {
		r.taken = err
	}
	if written.Manifest == nil {
		return err
	}
	r.last, r.fresh, r.committed = written, 0, time.Now()
	for i := range r.state.Topics {
		for j := range r.state.Topics[i].Partitions {
			p := &r.state.Topics[i].Partitions[j]
			p.Segments, p.Gaps, p.Compacted = nil, nil, 0
		}
	}
	r.result.Changed = true
	return err
}

// finish writes the last manifest, where anything is new: also where ctx has ended.
func (r *run) finish(ctx context.Context) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), r.Margin)
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.taken
	switch {
	case err != nil:
	case r.news():
		err = r.commit(ctx)
	case r.state.Complete:
		err = r.chain.note(ctx, r.last.Link, r.state.Observed)
	}
	r.result.Cluster, r.result.Time, r.result.Complete = r.chain.cluster, time.UnixMilli(r.state.Observed), r.state.Complete
	if r.last.Manifest != nil {
		r.result.Sequence = r.last.Manifest.Sequence
	}
	r.result.Topics = len(r.state.Topics)
	for _, t := range r.state.Topics {
		r.result.Partitions += len(t.Partitions)
	}
	return err
}

// news says that the state differs from the last manifest by more than its clock and
// where logs begin and end.
func (r *run) news() bool {
	last := r.last.Manifest
	if last == nil || last.Complete != r.state.Complete || len(last.Topics) != len(r.state.Topics) {
		return true
	}
	for i := range r.state.Topics {
		if !r.state.Topics[i].same(&last.Topics[i]) {
			return true
		}
	}
	return !slices.EqualFunc(
		last.Groups,
		r.state.Groups,
		func(a, b Group) bool { return a.ID == b.ID && slices.Equal(a.Positions, b.Positions) },
	)
}

func (t *Topic) same(last *Topic) bool {
	return t.Name == last.Name && t.Lineage == last.Lineage && maps.Equal(t.Settings, last.Settings) &&
		maps.Equal(t.InForce, last.InForce) &&
		slices.EqualFunc(t.Partitions, last.Partitions, func(a, b Partition) bool {
			return a.Number == b.Number && a.Next == b.Next && len(a.Segments) == 0 && len(a.Gaps) == 0
		})
}
