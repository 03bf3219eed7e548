package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// observers is how many topics and groups are asked for at a time.
const observers = 8

// inForce are the settings that a restore has to know even where they are defaults of
// the brokers.
var inForce = []string{
	"cleanup.policy",
	"max.message.bytes",
	"message.timestamp.type",
	"retention.bytes",
	"retention.ms",
}

// observe makes the state that this run brings the backup to: groups first, so that no
// position is behind the end of what is backed up. Topics and groups that cannot be described
// stay as they were, and are in the error; r.state is nil where there is no state at all.
func (r *run) observe(ctx context.Context) error {
	observed := r.Now().UnixMilli()
	groups, unread := r.groups(ctx)
	listed, err := r.Source.Topics(ctx)
	if err != nil {
		return errors.Join(unread, err)
	}
	listed = slices.DeleteFunc(listed, func(t kafka.Topic) bool { return t.Internal || !r.knows(t.Name) })
	topics := make([]*Topic, len(listed))
	var group errgroup.Group
	group.SetLimit(observers)
	var mu sync.Mutex
	var faults []error
	for i, t := range listed {
		if !r.selects(t.Name) { // this time; it stays as it is
			if was := r.last.topic(t.Name); was.ID == t.ID.String() {
				topics[i] = was.carried()
			}
			continue
		}
		group.Go(func() error {
			seen, recreated, err := r.topic(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				faults = append(faults, fmt.Errorf("back up %s: %w", t.Name, err))
				if was := r.last.topic(t.Name); was != nil && seen == nil {
					seen = was.carried()
				}
			}
			if recreated {
				r.result.Recreated = append(r.result.Recreated, t.Name)
			}
			topics[i] = seen
			return nil
		})
	}
	_ = group.Wait() // the errors are in faults
	now := r.Now().UnixMilli()
	if r.last.Manifest != nil {
		now = max(now, r.last.Time) // a clock that was set back
	}
	r.state = &Manifest{Time: now, Observed: min(observed, now), Groups: groups, Topics: []Topic{}}
	if r.last.Manifest != nil {
		r.state.Oldest, r.state.Base = r.last.Oldest, r.last.Base
	}
	for _, t := range topics {
		if t != nil {
			r.state.Topics = append(r.state.Topics, *t)
		}
	}
	slices.SortFunc(r.state.Topics, func(a, b Topic) int { return compareText(a.Name, b.Name) })
	slices.Sort(r.result.Recreated)
	r.begin(ctx)
	return errors.Join(unread, errors.Join(faults...))
}

// selects says that a topic is backed up.
func (r *run) selects(topic string) bool {
	return validTopic(topic) && !strings.HasPrefix(topic, "__") && (r.Topics == nil || r.Topics(topic))
}

// knows says that a topic is backed up now, or was by the last run.
func (r *run) knows(topic string) bool { return r.selects(topic) || r.last.topic(topic) != nil }

// sequence is the number of this run's first manifest.
func (r *run) sequence() int64 {
	if r.last.Manifest == nil {
		return 1
	}
	return r.last.Manifest.Sequence + 1
}

// begin notes gaps at the beginning of the logs, and how much there is to do.
func (r *run) begin(ctx context.Context) {
	for i := range r.state.Topics {
		t := &r.state.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if p.LogStart > p.Next && r.selects(t.Name) {
				r.lose(ctx, t.Name, p, p.LogStart)
			}
			r.progress.OffsetsTotal += max(p.End-p.Next, 0)
		}
	}
	r.progress.Offsets = 0
}

// topic describes a topic as it is now, and where the backup of its partitions goes on.
// Partitions that do not answer stay as they were, and are in the error; seen is nil where
// the topic cannot be described at all.
func (r *run) topic(ctx context.Context, t kafka.Topic) (seen *Topic, recreated bool, err error) {
	numbers := make([]int32, len(t.Partitions))
	for i, p := range t.Partitions {
		numbers[i] = p.ID
	}
	found, away := r.bounds(ctx, t, numbers)
	if len(found) == 0 && away != nil {
		return nil, false, away
	}
	seen = &Topic{Name: t.Name, ID: t.ID.String()}
	if err := r.settings(ctx, seen); err != nil {
		return nil, false, errors.Join(away, err)
	}
	was := r.last.topic(t.Name)
	seen.Lineage, recreated = lineage(was, t, found, r.sequence())
	for _, p := range t.Partitions {
		before := was.partition(p.ID)
		if recreated {
			before = nil
		}
		b, ok := found[p.ID]
		if !ok {
			if before != nil {
				seen.Partitions = append(seen.Partitions, before.carried())
			}
			continue
		}
		state := Partition{Number: p.ID, Next: b.start, LogStart: b.start, End: b.stable, High: b.high, Epoch: -1}
		if before != nil {
			state.Next, state.Epoch = before.Next, before.Epoch
			state.End = max(state.End, state.Next)
		}
		seen.Partitions = append(seen.Partitions, state)
	}
	return seen, recreated, away
}

// bounds are where a partition begins and ends.
type bounds struct{ start, stable, high int64 }

// bounds asks for those of partitions at once; where that fails, of each alone, so that one
// without a leader does not hold up the others.
func (r *run) bounds(ctx context.Context, t kafka.Topic, numbers []int32) (map[int32]bounds, error) {
	found, err := r.ask(ctx, t.Name, numbers)
	if err == nil || len(numbers) == 1 || ctx.Err() != nil {
		return found, err
	}
	found = map[int32]bounds{}
	var group errgroup.Group
	group.SetLimit(observers)
	var mu sync.Mutex
	var faults []error
	for _, p := range t.Partitions {
		if p.Leader < 0 {
			faults = append(faults, fmt.Errorf("partition %d has no leader", p.ID))
		}
	}
	for _, p := range t.Partitions {
		if p.Leader < 0 {
			continue
		}
		group.Go(func() error {
			one, err := r.ask(ctx, t.Name, []int32{p.ID})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				faults = append(faults, err)
				return nil
			}
			found[p.ID] = one[p.ID]
			return nil
		})
	}
	_ = group.Wait() // the errors are in faults
	return found, errors.Join(faults...)
}

func (r *run) ask(ctx context.Context, topic string, numbers []int32) (map[int32]bounds, error) {
	starts, err := r.Source.Offsets(ctx, topic, kafka.Earliest, numbers...)
	if err != nil {
		return nil, err
	}
	ends, err := r.Source.StableOffsets(ctx, topic, numbers...)
	if err != nil {
		return nil, err
	}
	// After the stable ends: equal to them it says that no transaction was open.
	highs, err := r.Source.Offsets(ctx, topic, kafka.Latest, numbers...)
	if err != nil {
		return nil, err
	}
	found := make(map[int32]bounds, len(numbers))
	for _, n := range numbers {
		found[n] = bounds{starts[n], ends[n], highs[n]}
	}
	return found, nil
}

// lineage names the lineage of a topic: that of the last manifest, unless the topic is new,
// was created again, or has lost its end.
func lineage(was *Topic, now kafka.Topic, found map[int32]bounds, sequence int64) (name string, recreated bool) {
	fresh := newLineage(now.ID.String(), sequence)
	if was == nil {
		return fresh, false
	}
	if id := now.ID.String(); was.ID != id && was.ID != "" && id != "" {
		return fresh, true
	}
	for _, p := range now.Partitions {
		before := was.partition(p.ID)
		if before == nil {
			continue
		}
		// Without ids a topic that is new is known by leader epochs, which begin again.
		again := was.ID == "" && p.LeaderEpoch >= 0 && p.LeaderEpoch < before.Epoch
		if b, ok := found[p.ID]; again || ok && b.stable < before.Next {
			return fresh, true
		}
	}
	if len(now.Partitions) < len(was.Partitions) { // which no topic can do but a new one
		return fresh, true
	}
	return was.Lineage, false
}

// newLineage is the topic's id, "0" where the brokers have none, and the manifest that it
// begins with: a topic that comes back after it was out of sight begins anew, too.
func newLineage(id string, sequence int64) string {
	if id == "" {
		id = "0"
	}
	return fmt.Sprintf("%s.%d", id, sequence)
}

// settings reads the topic's settings. Where they may not be read, or the brokers are too
// old to tell, a restore takes those of the target's brokers.
func (r *run) settings(ctx context.Context, t *Topic) error {
	all, own, err := r.Source.TopicSettings(ctx, t.Name)
	if errors.Is(err, kafka.ErrAuthorization) || errors.Is(err, kafka.ErrUnsupported) {
		r.Log(ctx).Warn("the settings of a topic are not backed up", "topic", t.Name, "reason", err)
		return nil
	}
	if err != nil {
		return err
	}
	t.Settings, t.InForce = map[string]string{}, map[string]string{}
	for key, value := range own {
		t.Settings[key] = value
	}
	for _, key := range inForce {
		if value, ok := all[key]; ok {
			t.InForce[key] = value
		}
	}
	return nil
}
