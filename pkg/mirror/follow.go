package mirror

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Follower keeps a job's topics copied. New topics and partitions are found,
// and those of which there is something to copy take turns, so that one with
// very much does not hold back the others. Each has its checkpoint, see
// [Copier]: any number of followers, one after the other or side by side with
// shards of their own, go on where the others have stopped.
type Follower struct {
	config FollowConfig
	copier *Copier

	mu         sync.Mutex
	partitions map[topicPartition]*followed
	faults     map[string]error // of topics, by name
	admitted   map[string]bool  // topics
	unpolled   map[string]error // of topics whose ends are not known, likewise

	settings map[string]*followedSettings // by source topic; each is its topic's discovery's alone
}

// followed is a partition that is kept copied; Follower.mu guards it.
type followed struct {
	topic    string
	number   int32
	end      int64 // where committed records of the source end, as last seen; -1: not known yet
	next     int64 // the checkpoint; -1: not known yet
	waiting  bool  // for its turn, or has it
	fault    error // of the last turn
	fenced   int   // turns in a row that ended so
	restedAt time.Time
	lookedAt time.Time       // of the last turn: one without anything to copy keeps the checkpoint from expiring
	copied   PartitionResult // by this follower
}

// NewFollower checks the configuration and touches no cluster.
func NewFollower(config FollowConfig) (*Follower, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	copier, err := New(config.Config)
	if err != nil {
		return nil, err
	}
	config.Config = copier.job.Config // with its defaults
	copier.job.throttle, copier.job.following = newThrottle(config.Rate), true
	return &Follower{config: config, copier: copier,
		partitions: map[topicPartition]*followed{}, faults: map[string]error{}, admitted: map[string]bool{}, unpolled: map[string]error{}, settings: map[string]*followedSettings{}}, nil
}

// Run copies until ctx ends, and then returns at a committed point: nothing is
// under way any more. Call it again to go on, in this process or another one.
//
// What stops one partition or topic does not stop the others: see [Follower.Status].
func (f *Follower) Run(ctx context.Context) Result {
	before := f.totals()
	var running sync.WaitGroup
	ready := make(chan *followed)
	running.Go(func() { f.every(ctx, f.config.Discover, f.discover) })
	running.Go(func() { f.every(ctx, f.config.Poll, func(ctx context.Context) { f.poll(ctx, ready) }) })
	f.takeTurns(ctx, ready)
	running.Wait()
	return f.since(before)
}

// every does work at once and then at intervals.
func (f *Follower) every(ctx context.Context, interval time.Duration, work func(context.Context)) {
	for ctx.Err() == nil {
		work(ctx)
		if pause(ctx, interval) != nil {
			return
		}
	}
}

// takeTurns gives each partition that is ready its turn, first come, first
// served, until ctx has ended and all turns are over.
func (f *Follower) takeTurns(ctx context.Context, ready <-chan *followed) {
	var queue []*followed
	running := 0
	done := make(chan *followed)
	for {
		for ctx.Err() == nil && running < f.config.Parallel && len(queue) > 0 {
			p := queue[0]
			queue = queue[1:]
			running++
			go func() {
				f.turn(ctx, p)
				done <- p
			}()
		}
		if ctx.Err() != nil && running == 0 {
			f.release(queue)
			return
		}
		select {
		case p := <-ready:
			queue = append(queue, p)
		case p := <-done:
			running--
			if f.again(p) {
				queue = append(queue, p)
			}
		case <-whenIdle(ctx, running):
		}
	}
}

// whenIdle is the end of ctx where no turn has to be waited for.
func whenIdle(ctx context.Context, running int) <-chan struct{} {
	if running > 0 {
		return nil
	}
	return ctx.Done()
}

// release makes partitions that did not get their turn free for the next Run.
func (f *Follower) release(queue []*followed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range queue {
		p.waiting = false
	}
}

// turn copies a part of what a partition has to copy.
func (f *Follower) turn(ctx context.Context, p *followed) {
	f.mu.Lock()
	last := p.end - 1
	f.mu.Unlock()
	rng := Range{Topic: p.topic, Partition: p.number, First: last, Last: last}
	result, err := f.copier.turn(ctx, rng, int64(f.config.TurnBytes))
	f.mu.Lock()
	defer f.mu.Unlock()
	if result.Next >= 0 {
		p.next = result.Next
	}
	if err == nil {
		p.fenced = 0
	}
	p.lookedAt = time.Now()
	p.copied.Records += result.Records
	p.copied.Bytes += result.Bytes
	p.copied.Passed += result.Passed
	p.copied.Rebuilt += result.Rebuilt
	if kafka.Ended(ctx) != nil {
		return // it has stopped because everything does
	}
	rest := f.config.Retry
	switch {
	case errors.Is(err, kafka.ErrFenced) && p.fenced < mostFenced:
		// another instance copies it: a trigger was tried again, or ran late
		p.fenced++
		rest = min(rest, fencedRest)
		f.config.Log(ctx).Info("partition is copied by another instance", "topic", p.topic, "partition", p.number)
	case err != nil && (p.fault == nil || p.fault.Error() != err.Error()):
		f.config.Log(ctx).Error("partition has stopped", "topic", p.topic, "partition", p.number, "error", err)
	}
	p.fault, p.restedAt = err, time.Now().Add(rest)
}

// again says whether a partition has more to copy right after its turn.
func (f *Follower) again(p *followed) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.waiting = p.fault == nil && p.next < p.end
	return p.waiting
}

// poll looks where the partitions end, and sends those that have something to
// copy. A topic that does not answer does not hold up the others for long.
func (f *Follower) poll(ctx context.Context, ready chan<- *followed) {
	var group errgroup.Group
	group.SetLimit(polls)
	for topic, numbers := range f.byTopic() {
		group.Go(func() error {
			f.pollTopic(ctx, topic, numbers, ready)
			return nil
		})
	}
	_ = group.Wait() // faults are the topics'
}

func (f *Follower) pollTopic(ctx context.Context, topic string, numbers []int32, ready chan<- *followed) {
	asking, cancel := context.WithTimeout(ctx, pollTimeout)
	ends, err := f.config.Source.StableOffsets(asking, topic, numbers...)
	cancel()
	if kafka.Ended(ctx) != nil {
		return
	}
	f.pollFault(topic, err)
	for number, end := range ends {
		p, send := f.ended(topicPartition{topic, number}, end)
		if !send {
			continue
		}
		select {
		case ready <- p:
		case <-ctx.Done():
			f.release([]*followed{p})
			return
		}
	}
}

// ended notes where a partition ends, and says whether it is to wait for a turn.
func (f *Follower) ended(tp topicPartition, end int64) (*followed, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.partitions[tp]
	if p == nil {
		return nil, false
	}
	p.end = end
	rested := p.fault == nil || time.Now().After(p.restedAt)
	// Offsets that went back are for the copier to explain. Nothing to copy,
	// and no checkpoint read yet: there may be one that is true no longer.
	idle := p.next == end && time.Since(p.lookedAt) < keepCheckpoint
	if p.waiting || !rested || idle || p.next < 0 && end == 0 {
		return p, false
	}
	p.waiting = true
	return p, true
}

func (f *Follower) byTopic() map[string][]int32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	topics := map[string][]int32{}
	for tp := range f.partitions {
		topics[tp.topic] = append(topics[tp.topic], tp.partition)
	}
	return topics
}

// Behind is how many offsets of the source, of all partitions together, are
// not copied yet, as last seen. It is false as long as that is not known of all.
func (f *Follower) Behind() (offsets int64, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known = len(f.partitions) > 0 && len(f.faults) == 0 && len(f.unpolled) == 0
	for _, p := range f.partitions {
		known = known && p.end >= 0 && (p.next >= 0 || p.end == 0)
		offsets += max(p.end-max(p.next, 0), 0)
	}
	return offsets, known
}

// totals is what has been copied so far.
func (f *Follower) totals() map[topicPartition]PartitionResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	totals := make(map[topicPartition]PartitionResult, len(f.partitions))
	for tp, p := range f.partitions {
		totals[tp] = p.copied
	}
	return totals
}

// since is what has been copied since then, of partitions of which something was.
func (f *Follower) since(then map[topicPartition]PartitionResult) Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	var result Result
	for tp, p := range f.partitions {
		before := then[tp]
		if p.copied.Records == before.Records {
			continue
		}
		result.Partitions = append(result.Partitions, PartitionResult{
			Range:  Range{Topic: tp.topic, Partition: tp.partition},
			Target: f.config.Topics.Target(tp.topic), Next: p.next,
			Records: p.copied.Records - before.Records, Bytes: p.copied.Bytes - before.Bytes,
			Passed: p.copied.Passed - before.Passed, Rebuilt: p.copied.Rebuilt - before.Rebuilt,
		})
	}
	slices.SortFunc(result.Partitions, func(a, b PartitionResult) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return result
}
