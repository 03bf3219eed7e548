package migrate

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// PlannedGroup is a consumer group that would be carried over.
type PlannedGroup struct {
	Source    string `json:"source"`
	Target    string `json:"target"`
	Positions int    `json:"positions"` // partitions of the plan in which it has committed; -1: not known
}

// lookAtGroups looks at the groups that the plan selects and that have committed
// in its topics, in order of their name.
func (s *survey) lookAtGroups(ctx context.Context) ([]PlannedGroup, findings, error) {
	var all findings
	there, err := s.Source.Groups(ctx)
	if err != nil {
		return nil, all, fmt.Errorf("source: %w", err)
	}
	looked, found := make([]PlannedGroup, len(there)), make([]findings, len(there))
	looking, ctx := errgroup.WithContext(ctx)
	looking.SetLimit(looks)
	for i, group := range there {
		if !s.groups.Match(group.ID) {
			continue
		}
		looking.Go(func() (err error) {
			looked[i], err = s.lookAtGroup(ctx, group.ID, &found[i])
			return err
		})
	}
	err = looking.Wait()
	var planned []PlannedGroup
	owners := map[string]string{} // source group by target group
	for i, p := range looked {
		if p.Positions == 0 {
			continue
		}
		if other := owners[p.Target]; other != "" {
			found[i].conflict(Conflict{Kind: GroupTaken, Group: p.Source,
				Problem: fmt.Sprintf("it would be %s on the target, and so would %s", p.Target, other), Choices: groupChoices})
		}
		owners[p.Target] = p.Source
		planned = append(planned, p)
		all.conflicts, all.warnings = append(all.conflicts, found[i].conflicts...), append(all.warnings, found[i].warnings...)
	}
	return planned, all, err
}

// lookAtGroup looks at a group of the source and at its target.
func (s *survey) lookAtGroup(ctx context.Context, group string, found *findings) (PlannedGroup, error) {
	planned := PlannedGroup{Source: group, Target: s.groupNames.target(group)}
	committed, err := s.Source.CommittedAll(ctx, group)
	if errors.Is(err, kafka.ErrUnsupported) {
		planned.Positions = -1
		found.conflict(Conflict{Kind: GroupUnreadable, Group: group,
			Problem: "the source does not tell the group's positions (Kafka 0.10.2 does): it cannot be carried over",
			Choices: "exclude it (--exclude-groups), and have it begin at the target where you say (etl offsets)"})
		return planned, nil
	}
	if err != nil {
		return planned, fmt.Errorf("source: %w", err)
	}
	for topic, partitions := range committed {
		if s.topics.Match(topic) {
			planned.Positions += len(partitions)
		}
	}
	if planned.Positions == 0 || !s.targetGroups[planned.Target] {
		return planned, nil
	}
	there, err := s.Target.CommittedAll(ctx, planned.Target)
	if err != nil {
		return planned, fmt.Errorf("target: %w", err)
	}
	if s.carried(there) {
		return planned, nil
	}
	described, err := s.Target.DescribeGroup(ctx, planned.Target)
	if err != nil {
		return planned, fmt.Errorf("target: %w", err)
	}
	problem := fmt.Sprintf("group %s exists on the target", planned.Target)
	switch {
	case described.Active():
		problem += fmt.Sprintf(", with %d members (%s): no position could be written while they are there", len(described.Members), described.State)
	case len(there) > 0:
		problem += fmt.Sprintf(", with commits in %d topics: it may be that of another service, which is stopped now", len(there))
	default:
		return planned, nil
	}
	found.conflict(Conflict{Kind: GroupExists, Group: group, Problem: problem,
		Choices: groupChoices + ", or delete the group on the target"})
	return planned, nil
}

// carried says that all that a group of the target has committed may come from
// this migration itself.
func (s *survey) carried(committed map[string]map[int32]kafka.Committed) bool {
	if s.own == nil || len(committed) == 0 {
		return false
	}
	for topic := range committed {
		if s.own.Claims.Topics[topic] == "" {
			return false
		}
	}
	return true
}
