package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// RestoreConfig is what is restored, and where to. Chain is needed, and Target but for
// files; the zero value of the rest is a good default.
type RestoreConfig struct {
	Chain      *Chain
	Target     *kafka.Client
	Identities []age.Identity // that open what is encrypted

	// Job names the restore in the target: its positions are the committed offsets of
	// the groups etl.JOB.TOPIC.PARTITION ("restore" by default). The same restore, run
	// again, goes on where it was.
	Job string

	Point  Point
	Select func(topic string) bool // nil: all topics
	// Partitions are those that are restored of the topics in it; of others all. One that
	// is not there is an error.
	Partitions map[string][]int32
	// Topics gives topics other names in the target.
	Topics mirror.TopicMap
	// Groups says which groups' positions are set. nil is all, but in topics that have
	// another name in the target only where RenameGroup gives the groups other names, too.
	Groups      func(group string) bool
	RenameGroup func(group string) string

	// IntoTopicsThatHoldRecords restores behind the records of others.
	IntoTopicsThatHoldRecords bool
	// SkipDamaged leaves segments and manifests out that are damaged, and tells of them.
	SkipDamaged bool
	// Unlimited creates topics that keep their records for ever, where else the target
	// deletes restored records that are older than the topic's retention.
	Unlimited bool

	Parallel int // partitions at a time (4 by default)
	Log      func(context.Context) *slog.Logger
	Progress func(Progress)
}

func (c RestoreConfig) withDefaults() (RestoreConfig, error) {
	if c.Chain == nil {
		return c, errors.New("a restore needs a backup")
	}
	if c.Job == "" {
		c.Job = "restore"
	}
	if err := mirror.CheckJob(c.Job); err != nil {
		return c, err
	}
	setDefault(&c.Parallel, defaultParallel)
	if c.Log == nil {
		c.Log = discard
	}
	return c, nil
}

// Plan is what a restore would do.
type Plan struct {
	Cluster  string    `json:"cluster"`  // whose backup it is
	Sequence int64     `json:"sequence"` // the manifest that groups are taken from
	Time     time.Time `json:"time"`     // of this manifest
	Observed time.Time `json:"observed"` // when its run began to look: see [Manifest]

	Topics   []PlannedTopic `json:"topics"`
	Groups   []Group        `json:"groups,omitempty"` // with offsets of the backup
	Segments int            `json:"segments"`
	Bytes    int64          `json:"bytes"` // of their logs: the last one of a partition may be cut
	Damage   []string       `json:"damage,omitempty"`

	newest int64 // the newest manifest that there was
}

// PlannedTopic is one topic of a plan.
type PlannedTopic struct {
	Name   string `json:"name"`
	Target string `json:"target"`
	Exists bool   `json:"exists"` // in the target cluster
	// Conflict says why the topic cannot be restored; "" where it can.
	Conflict   string             `json:"conflict,omitempty"`
	Notes      []string           `json:"notes,omitempty"`
	Partitions []PlannedPartition `json:"partitions"`

	topic    Topic
	conflict error
}

// PlannedPartition is one partition of a plan.
type PlannedPartition struct {
	Number   int32 `json:"partition"`
	First    int64 `json:"first"`    // in the backup
	End      int64 `json:"end"`      // behind the last offset that is restored
	Restored int64 `json:"restored"` // offset that an earlier run has come to; -1: none has
	Segments int   `json:"segments"`
	Bytes    int64 `json:"bytes"`
	Holes    []Gap `json:"holes,omitempty"` // that the backup has not
}

// Conflicts joins what is in the way.
func (p *Plan) Conflicts() error {
	var faults []error
	for _, t := range p.Topics {
		if t.conflict != nil {
			faults = append(faults, t.conflict)
		}
	}
	return errors.Join(faults...)
}

// PlanRestore says what [Restore] would do, and does nothing.
func PlanRestore(ctx context.Context, config RestoreConfig) (*Plan, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	r, err := prepare(ctx, config)
	if err != nil {
		return nil, err
	}
	return r.plan, nil
}

// restore is one restore under way.
type restore struct {
	mu sync.Mutex // of plan.Damage
	RestoreConfig
	plan   *Plan
	source *Source
}

// prepare makes the plan, and the source that it is carried out from.
func prepare(ctx context.Context, config RestoreConfig) (*restore, error) {
	r := &restore{RestoreConfig: config}
	shot, err := config.Chain.snapshot(ctx, config.Point, r.selects, config.Identities)
	if err != nil {
		return nil, err
	}
	if len(shot.topics) == 0 && r.Select != nil {
		return nil, fmt.Errorf("backup %d has no topic of those that are asked for: etl backup show %d lists its topics", shot.at.Sequence, shot.at.Sequence)
	}
	if err := shot.named(r.Partitions); err != nil {
		return nil, err
	}
	r.plan = &Plan{
		Cluster:  config.Chain.cluster,
		Sequence: shot.at.Sequence,
		Time:     shot.at.At(),
		Observed: time.UnixMilli(shot.at.Observed),
		Topics:   []PlannedTopic{},
		newest:   shot.newest.Sequence,
	}
	wanted := func(at place) bool {
		_, ok := shot.cuts[at]
		return ok && r.wants(at)
	}
	segments, err := config.Chain.segments(ctx, shot.newest, shot.last, wanted, r.damaged)
	if err != nil {
		return nil, err
	}
	r.source = &Source{
		chain:      config.Chain,
		identities: config.Identities,
		damaged:    r.damaged,
		topics:     map[string]*sourceTopic{},
		most:       config.Parallel,
	}
	slices.SortFunc(shot.topics, func(a, b Topic) int { return compareText(a.Name, b.Name) })
	for _, t := range shot.topics {
		if err := r.topic(ctx, t, shot, segments, wanted); err != nil {
			return nil, err
		}
	}
	r.groups(shot.at)
	return r, nil
}

func (r *restore) selects(topic string) bool { return r.Select == nil || r.Select(topic) }

// damaged decides whether a restore goes on without what is damaged.
func (r *restore) damaged(err error) error {
	if !r.SkipDamaged {
		return fmt.Errorf("%w; what is not damaged can be restored by choice: etl restore --skip-damaged", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := err.Error(); !slices.Contains(r.plan.Damage, text) {
		r.plan.Damage = append(r.plan.Damage, text)
	}
	return nil
}

// topic plans one topic.
func (r *restore) topic(
	ctx context.Context,
	t Topic,
	shot *snapshot,
	segments map[place][]Segment,
	wanted func(place) bool,
) error {
	planned := PlannedTopic{Name: t.Name, Target: r.Topics.Target(t.Name)}
	source := &sourceTopic{Topic: t, logs: map[int32]*partLog{}}
	for at, c := range shot.cuts {
		if at.topic != t.Name || at.lineage != t.Lineage {
			continue
		}
		source.Partitions = append(source.Partitions, c.state)
		if !wanted(at) {
			continue
		}
		log := &partLog{at: at, end: c.end}
		p := PlannedPartition{Number: at.number, Restored: -1, End: c.end}
		next := int64(-1)
		for _, s := range segments[at] {
			if s.First >= c.end {
				break
			}
			if next >= 0 && s.First > next {
				p.Holes = append(p.Holes, Gap{next, s.First})
			}
			log.segments = append(log.segments, s)
			p.Segments++
			p.Bytes += s.Log.Bytes
			next = s.Next
		}
		p.First = log.first()
		source.logs[at.number] = log
		planned.Partitions = append(planned.Partitions, p)
		r.plan.Segments += p.Segments
		r.plan.Bytes += p.Bytes
	}
	slices.SortFunc(source.Partitions, func(a, b Partition) int { return cmp.Compare(a.Number, b.Number) })
	slices.SortFunc(planned.Partitions, func(a, b PlannedPartition) int { return cmp.Compare(a.Number, b.Number) })
	planned.topic = source.Topic
	r.source.topics[t.Name] = source
	if err := r.target(ctx, &planned); err != nil {
		return err
	}
	if planned.conflict != nil {
		planned.Conflict = planned.conflict.Error()
	}
	r.plan.Topics = append(r.plan.Topics, planned)
	return nil
}
