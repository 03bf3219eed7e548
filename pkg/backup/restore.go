package backup

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// RestoreResult is what a restore has done.
type RestoreResult struct {
	Plan     *Plan             `json:"plan"`
	Complete bool              `json:"complete"`
	Records  int64             `json:"records"` // written by this run
	Bytes    int64             `json:"bytes"`
	Groups   []RestoredGroup   `json:"groups,omitempty"` // once all records are there
	Copied   mirror.Result     `json:"-"`
	Targets  map[string]string `json:"-"` // topic names in the target
}

// RestoredGroup is one position of a group in the target.
type RestoredGroup struct {
	Group     string `json:"group"` // in the target
	Topic     string `json:"topic"` // in the target
	Partition int32  `json:"partition"`
	Backup    int64  `json:"backup"` // position in the backup
	Offset    int64  `json:"offset"` // position in the target; -1: not set
	Reason    string `json:"reason,omitempty"`
}

// Restore brings what a backup has at a point into a cluster: every record once, in order,
// in the partition that it was in, unchanged, and then the positions of groups. Run again
// after whatever accident it goes on where it was, and changes nothing where it was done.
//
// It is refused before anything is touched where the plan has conflicts. Where ctx ends in
// its middle the error is its cause, and what was committed stays.
func Restore(ctx context.Context, config RestoreConfig) (RestoreResult, error) {
	config, err := config.withDefaults()
	if err == nil && config.Target == nil {
		err = errors.New("a restore needs a cluster")
	}
	if err != nil {
		return RestoreResult{}, err
	}
	r, err := prepare(ctx, config)
	if err != nil {
		return RestoreResult{}, err
	}
	done := RestoreResult{Plan: r.plan, Targets: map[string]string{}}
	if err := r.plan.Conflicts(); err != nil {
		return done, err
	}
	for _, t := range r.plan.Topics {
		done.Targets[t.Name] = t.Target
		if err := r.create(ctx, t); err != nil {
			return done, err
		}
	}
	r.watch()
	reading, stop := context.WithCancel(ctx)
	r.source.ahead = &readAhead{ctx: reading}
	defer r.source.ahead.tasks.Wait()
	defer stop()
	copier, err := mirror.New(mirror.Config{
		Job: r.Job, From: r.source, Target: r.Target, Topics: r.Topics,
		KeepPartitions: true, Exact: true, OffsetMap: true,
		Exclusive:  !r.IntoTopicsThatHoldRecords,
		ChunkBytes: restoreChunk,
		Parallel:   r.Parallel, Log: r.Log,
	})
	if err != nil {
		return done, err
	}
	done.Copied, err = copier.Copy(ctx, r.ranges())
	for _, p := range done.Copied.Partitions {
		done.Records += p.Records
		done.Bytes += p.Bytes
	}
	if err != nil {
		return done, err
	}
	done.Groups, err = r.positions(ctx)
	done.Complete = err == nil
	return done, err
}

// restoreChunk is smaller than what a copy between clusters has: the segments are in memory,
// too.
const restoreChunk = 2 << 20

// create makes a target topic that is not there.
func (r *restore) create(ctx context.Context, t PlannedTopic) error {
	if t.Exists || len(t.topic.Partitions) == 0 {
		return nil
	}
	described, err := r.source.Topic(ctx, t.Name)
	if err != nil {
		return err
	}
	spec, err := mirror.TargetSpec(ctx, r.source, described, t.Target)
	if err != nil {
		return err
	}
	spec.Partitions = int(t.topic.Partitions[len(t.topic.Partitions)-1].Number) + 1
	if r.Unlimited {
		spec.Settings["retention.ms"], spec.Settings["retention.bytes"] = "-1", "-1"
	}
	if err := r.Target.CreateTopic(ctx, spec); err != nil && !errors.Is(err, kafka.ErrTopicExists) {
		return fmt.Errorf("target: %w", err)
	}
	return nil
}

// ranges are what is left to restore.
func (r *restore) ranges() (ranges []mirror.Range) {
	for _, t := range r.plan.Topics {
		for _, p := range t.Partitions {
			if p.First < p.End && p.Restored < p.End {
				ranges = append(
					ranges,
					mirror.Range{Topic: t.Name, Partition: p.Number, First: p.First, Last: p.End - 1},
				)
			}
		}
	}
	return ranges
}

// watch tells of progress.
func (r *restore) watch() {
	if r.Progress == nil {
		return
	}
	var total int64
	for _, rng := range r.ranges() {
		total += rng.Last - rng.First + 1
	}
	for _, t := range r.plan.Topics {
		for _, p := range t.Partitions {
			total -= max(min(p.Restored, p.End)-p.First, 0)
		}
	}
	var offsets, read atomic.Int64
	r.source.served = func(n, bytes int64) {
		r.Progress(Progress{Offsets: offsets.Add(n), OffsetsTotal: total, Bytes: read.Add(bytes)})
	}
}

// positions sets the positions of groups.
func (r *restore) positions(ctx context.Context) (all []RestoredGroup, err error) {
	maps := mirror.NewOffsetMaps(r.Target, r.Job)
	var faults []error
	for _, g := range r.plan.Groups {
		name := g.ID
		if r.RenameGroup != nil {
			name = r.RenameGroup(g.ID)
		}
		restored, err := r.group(ctx, maps, name, g)
		if err != nil {
			faults = append(faults, fmt.Errorf("group %s: %w", name, err))
		}
		all = append(all, restored...)
	}
	return all, errors.Join(faults...)
}

// group sets the positions of one group. One that is active in the target, or has a
// position there already, is left alone.
func (r *restore) group(ctx context.Context, maps *mirror.OffsetMaps, name string, g Group) ([]RestoredGroup, error) {
	there, err := r.Target.CommittedAll(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	restored := make([]RestoredGroup, len(g.Positions))
	moves := map[string]map[int32]kafka.Committed{}
	for i, p := range g.Positions {
		to := r.Topics.Target(p.Topic)
		restored[i] = RestoredGroup{Group: name, Topic: to, Partition: p.Partition, Backup: p.Offset, Offset: -1}
		if now, ok := there[to][p.Partition]; ok && now.Offset >= 0 {
			restored[i].Offset = now.Offset
			restored[i].Reason = "it has a position in the target, which stays"
			continue
		}
		want, err := r.translate(ctx, maps, p, to)
		if err != nil {
			return restored, err
		}
		if moves[to] == nil {
			moves[to] = map[int32]kafka.Committed{}
		}
		moves[to][p.Partition] = kafka.Committed{Offset: want, Metadata: p.Metadata}
		restored[i].Offset = want
	}
	var faults []error
	for topic, offsets := range moves {
		if err := r.Target.Commit(ctx, name, topic, offsets); err != nil {
			faults = append(faults, fmt.Errorf("target: %w", err))
			for i := range restored {
				if restored[i].Topic == topic {
					restored[i].Offset, restored[i].Reason = -1, err.Error()
				}
			}
		}
	}
	return restored, errors.Join(faults...)
}

// translate gives the place in the target of a position in the backup: who has read every
// record before it goes on with the first one that it has not read.
func (r *restore) translate(ctx context.Context, maps *mirror.OffsetMaps, p Position, to string) (int64, error) {
	part, err := r.source.partition(p.Topic, p.Partition)
	if err != nil {
		return 0, err
	}
	at := max(min(p.Offset, part.end), part.first())
	translation, err := maps.Partition(ctx, p.Topic, to, p.Partition)
	if err != nil {
		return 0, err
	}
	if translation.Map.Empty() { // no record of the partition was restored
		ends, err := r.Target.StableOffsets(ctx, to, p.Partition)
		return ends[p.Partition], err
	}
	return translation.Position(at)
}
