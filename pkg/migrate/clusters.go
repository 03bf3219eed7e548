package migrate

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Clusters are the two sides of a migration.
type Clusters struct{ Source, Target *kafka.Client }

// ids gives the ids of both clusters.
func (c Clusters) ids(ctx context.Context) (source, target string, err error) {
	from, err := c.Source.Cluster(ctx)
	if err != nil {
		return "", "", fmt.Errorf("source: %w", err)
	}
	to, err := c.Target.Cluster(ctx)
	if err != nil {
		return "", "", fmt.Errorf("target: %w", err)
	}
	return from.ID, to.ID, nil
}

// check refuses clusters that are not those of the plan.
func (c Clusters) check(ctx context.Context, plan Plan) error {
	source, target, err := c.ids(ctx)
	if err != nil {
		return err
	}
	if source != plan.Source || target != plan.Target {
		return fmt.Errorf("%w: migration %s goes from %s to %s, these are %s (source) and %s (target)",
			ErrClusters, plan.Name, plan.Source, plan.Target, source, target)
	}
	return nil
}

// route is one direction of a migration, as a job of package mirror.
type route struct {
	job      string
	from, to *kafka.Client
	topics   mirror.Selection
	groups   func(group string) bool
	names    mirror.TopicMap
	rename   func(group string) string
	earlier  func(context.Context, mirror.GroupPosition) (int64, error)
	acls     bool
	// keepSettings leaves those of the topics that are copied to as they are.
	keepSettings bool
	begun        func(topic string, partition int32) bool // there is a checkpoint from before the first copy; nil: never
}

// forward is the way from the source to the target.
func (c Clusters) forward(plan Plan) (route, error) {
	s, err := plan.selections()
	return route{
		job: plan.Name, from: c.Source, to: c.Target, topics: s.topics, groups: s.groups.Match, names: s.names,
		rename: s.groupNames.target, acls: plan.ACLs, keepSettings: plan.KeepSettings,
	}, err
}

// back is the way from the target to the source, for the topics that were cut
// over. Positions from before the cut-over are those of the forward copy.
func (c Clusters) back(state State) (route, error) {
	plan := state.Plan
	var names []string
	pairs := ""
	for _, cut := range state.Cut {
		if name := regexp.QuoteMeta(cut.TargetTopic); !slices.Contains(names, name) {
			names = append(names, name)
			pairs += "," + cut.TargetTopic + ":" + cut.Topic
		}
	}
	topics, err := mirror.NewSelection(names, nil)
	if err != nil {
		return route{}, err
	}
	toSource, err := mirror.ParseTopicMap(pairs)
	if err != nil {
		return route{}, err
	}
	planned, err := plan.selections()
	if err != nil {
		return route{}, err
	}
	cuts := map[string]map[int32]CutPartition{} // by target topic
	for _, cut := range state.Cut {
		if cuts[cut.TargetTopic] == nil {
			cuts[cut.TargetTopic] = map[int32]CutPartition{}
		}
		cuts[cut.TargetTopic][cut.Partition] = cut
	}
	maps := mirror.NewOffsetMaps(c.Target, plan.Name)
	return route{
		job: plan.BackJob(), from: c.Target, to: c.Source, topics: topics, names: toSource,
		groups: func(group string) bool {
			name, ok := planned.groupNames.source(group)
			return ok && planned.groups.Match(name)
		},
		begun: func(topic string, partition int32) bool {
			_, ok := cuts[topic][partition]
			return ok
		},
		rename: func(group string) string {
			name, _ := planned.groupNames.source(group) // of those that are carried over
			return name
		},
		// a shorter retention at the source would delete what a rollback needs
		keepSettings: true,
		earlier: func(ctx context.Context, p mirror.GroupPosition) (int64, error) {
			forward, err := maps.Partition(ctx, p.TargetTopic, p.Topic, p.Partition)
			if err != nil {
				return 0, err
			}
			inverse := forward.Map.Inverse()
			if position, ok := inverse.Position(p.Source); ok {
				return position, nil
			}
			if cut, ok := cuts[p.Topic][p.Partition]; ok && p.Source <= cut.Target {
				return cut.Source, nil // nothing of the partition came from the source
			}
			return 0, fmt.Errorf("%w: nothing of the partition came from the source", mirror.ErrNotMapped)
		},
	}, nil
}

func (r route) groupSync(shard mirror.Shard) *mirror.GroupSync {
	return &mirror.GroupSync{
		Job: r.job, Source: r.from, Target: r.to, Topics: r.names, Select: r.topics, Groups: r.groups,
		Shard: shard, Rename: r.rename, Earlier: r.earlier,
	}
}

func (r route) lags(ctx context.Context) ([]mirror.Lag, error) {
	return mirror.Lags(ctx, r.job, r.from, r.to, r.names, r.topics)
}
