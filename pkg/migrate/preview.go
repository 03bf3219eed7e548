package migrate

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Preview is what a plan would do.
type Preview struct {
	Plan   Plan           `json:"plan"`
	Topics []PlannedTopic `json:"topics"`
	Groups []PlannedGroup `json:"groups"`
	// Conflicts keep the plan from being started, Warnings do not.
	Conflicts []Conflict `json:"conflicts"`
	Warnings  []Conflict `json:"warnings"`
}

// claims are the names that the plan takes.
func (p Preview) claims() Claims {
	c := Claims{Topics: map[string]string{}, Groups: map[string]string{}}
	for _, t := range p.Topics {
		c.Topics[t.Target] = t.Source
	}
	for _, g := range p.Groups {
		c.Groups[g.Target] = g.Source
	}
	return c
}

// findings are what looking at a topic or a group has found.
type findings struct{ conflicts, warnings []Conflict }

func (f *findings) conflict(c Conflict) { f.conflicts = append(f.conflicts, c) }
func (f *findings) warn(c Conflict)     { f.warnings = append(f.warnings, c) }

// survey is one look at both clusters.
type survey struct {
	*Operator
	selections
	plan         Plan
	own          *State // the migration of the plan where it copies already: what it has made is no conflict
	copied       map[string]bool
	rivals       []State
	targetGroups map[string]bool
}

// looks is how many topics or groups are looked at at a time.
const looks = 8

// Preview looks at both clusters and touches nothing. For a migration that
// copies already, what it has made itself is no conflict.
//
// Topics and groups that are created at the source later are not in it. They are
// copied as well, once they are claimed ([Store.ClaimTopic]).
func (o *Operator) Preview(ctx context.Context, plan Plan) (Preview, error) {
	preview := Preview{Plan: plan}
	if err := plan.Check(); err != nil {
		return preview, err
	}
	s, unreadable, err := o.survey(ctx, plan)
	if err != nil {
		return preview, err
	}
	var found findings
	if unreadable != nil {
		found.conflict(Conflict{Kind: Unreadable, Problem: unreadable.Error(), Choices: "the release of etl that has stored it"})
	}
	s.wayBack(&found)
	var ofTopics, ofGroups findings
	if preview.Topics, ofTopics, err = s.lookAtTopics(ctx); err != nil {
		return preview, err
	}
	if preview.Groups, ofGroups, err = s.lookAtGroups(ctx); err != nil {
		return preview, err
	}
	preview.Conflicts = append(append(found.conflicts, ofTopics.conflicts...), ofGroups.conflicts...)
	preview.Warnings = append(append(found.warnings, ofTopics.warnings...), ofGroups.warnings...)
	for _, rival := range s.rivals {
		if clashes := preview.claims().clashes(rival); rival.Step == Planned {
			preview.Warnings = append(preview.Warnings, clashes...)
		} else {
			preview.Conflicts = append(preview.Conflicts, clashes...)
		}
	}
	return preview, nil
}

// survey looks at what all topics and groups have to be compared with.
func (o *Operator) survey(ctx context.Context, plan Plan) (s *survey, unreadable, err error) {
	s = &survey{Operator: o, plan: plan, targetGroups: map[string]bool{}}
	if s.selections, err = plan.selections(); err != nil {
		return nil, nil, err
	}
	values, err := o.store().read(ctx)
	if err != nil {
		return nil, nil, err
	}
	states, unreadable := decodeAll(values)
	ids, err := o.groupIDs(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		s.targetGroups[id] = true
	}
	for _, state := range states {
		if state.Plan.Name == plan.Name && state.Step != Planned && !state.Step.Over() {
			s.own, s.copied = &state, checkpointed(plan.Name, ids)
		}
	}
	s.rivals, err = rivals(states, plan.Name, ids)
	return s, unreadable, err
}

// wayBack looks whether there can be, and is to be, a rollback after the cut-over.
func (s *survey) wayBack(found *findings) {
	const old = "the source has no transactions (Kafka 0.11 has them), so nothing can be copied back to it: " +
		"there is no rollback after the cut-over"
	switch {
	case s.plan.NoWayBack:
		found.warn(Conflict{Kind: CannotReturn, Problem: "nothing is copied back to the source: there is no rollback after the cut-over",
			Choices: "it is accepted (--no-way-back)"})
	case !s.Source.SupportsTransactions():
		found.conflict(Conflict{Kind: CannotReturn, Problem: old, Choices: "accept that (--no-way-back), or upgrade the source first"})
	}
}

// lookAtTopics looks at the topics that the plan selects, in order of their name.
func (s *survey) lookAtTopics(ctx context.Context) ([]PlannedTopic, findings, error) {
	var all findings
	there, err := s.Source.Topics(ctx)
	if err != nil {
		return nil, all, fmt.Errorf("source: %w", err)
	}
	var selected []kafka.Topic
	for _, topic := range there {
		if s.topics.Match(topic.Name) {
			selected = append(selected, topic)
		}
	}
	if len(selected) == 0 {
		all.conflict(Conflict{Kind: NothingSelected, Problem: "no topic of the source matches", Choices: "other patterns (--include, --exclude)"})
	}
	planned, found := make([]PlannedTopic, len(selected)), make([]findings, len(selected))
	looking, ctx := errgroup.WithContext(ctx)
	looking.SetLimit(looks)
	for i, topic := range selected {
		looking.Go(func() (err error) {
			planned[i], err = s.lookAtTopic(ctx, topic, &found[i])
			return err
		})
	}
	err = looking.Wait()
	owners := map[string]string{} // source topic by target topic
	for i, p := range planned {
		if other := owners[p.Target]; other != "" {
			found[i].conflict(Conflict{Kind: NameTaken, Topic: p.Source,
				Problem: fmt.Sprintf("it would be copied to %s, and so would %s", p.Target, other),
				Choices: "name another target (--topics), or exclude one (--exclude)"})
		}
		owners[p.Target] = p.Source
		all.conflicts, all.warnings = append(all.conflicts, found[i].conflicts...), append(all.warnings, found[i].warnings...)
	}
	return planned, all, err
}

// Plan stores a plan for the two clusters, whose ids it puts in. Conflicts do
// not keep it from being stored: they keep it from being started. One that was
// dropped before it was started can be planned again.
func (o *Operator) Plan(ctx context.Context, plan Plan) (Preview, error) {
	var err error
	if plan.Source, plan.Target, err = o.ids(ctx); err != nil {
		return Preview{}, err
	}
	preview, err := o.Preview(ctx, plan)
	if err != nil {
		return preview, err
	}
	_, err = o.store().create(ctx, plan, preview.claims())
	return preview, err
}

// refusedFor says that an error is the user's rights or the brokers' age.
func refusedFor(err error) bool {
	return errors.Is(err, kafka.ErrAuthorization) || errors.Is(err, kafka.ErrUnsupported)
}
