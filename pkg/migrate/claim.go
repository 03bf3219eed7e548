package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Claims are the names on the target that a migration takes. Two migrations
// that copy or have been cut over share none.
//
// They are stored with the migration, because nobody else can know them: what
// its patterns select is a matter of its source, which only its own operator
// reaches, and of the patterns alone two that include all topics would clash in
// every name.
type Claims struct {
	Topics map[string]string `json:"topics,omitempty"` // source topic by target topic
	Groups map[string]string `json:"groups,omitempty"` // source group by target group
}

// clashes are the names that a rival has claimed as well.
func (c Claims) clashes(rival State) []Conflict {
	who := fmt.Sprintf("migration %s, which is %s,", rival.Plan.Name, rival.Step)
	var found []Conflict
	for _, target := range slices.Sorted(maps.Keys(c.Topics)) {
		if other, ok := rival.Claims.Topics[target]; ok {
			found = append(found, Conflict{Kind: NameTaken, Topic: c.Topics[target],
				Problem: fmt.Sprintf("%s copies %s of its source to %s, too", who, other, target),
				Choices: "name another target (--topics), or exclude it (--exclude)"})
		}
	}
	for _, target := range slices.Sorted(maps.Keys(c.Groups)) {
		if other, ok := rival.Claims.Groups[target]; ok {
			found = append(found, Conflict{Kind: GroupTaken, Group: c.Groups[target],
				Problem: fmt.Sprintf("%s carries group %s of its source over as %s, too: once its members are on the target, "+
					"no position of this one could be written", who, other, target),
				Choices: groupChoices})
		}
	}
	return found
}

// ErrClaimed says that a target topic is another one's already.
var ErrClaimed = errors.New("the target topic is taken")

// ClaimTopic takes the target topic of a source topic for a migration, before
// anything of it is created or copied: topics that are created at a source after
// the start are in nobody's claims yet. [ErrClaimed] where another topic of the
// migration, or another migration that has been started, has it.
func (s *Store) ClaimTopic(ctx context.Context, name, topic, target string) error {
	state, err := s.Load(ctx, name)
	if err != nil || state.Claims.Topics[target] == topic {
		return err
	}
	_, err = s.changeBeside(ctx, name, func(state *State, others []State) error {
		if by, ok := state.Claims.Topics[target]; ok && by != topic {
			return fmt.Errorf("%w: %s and %s would both be copied to %s: leave one of them out, or migrate it under another name", ErrClaimed, topic, by, target)
		}
		claim := Claims{Topics: map[string]string{target: topic}}
		for _, other := range others {
			if other.Step == Planned || other.Step.Over() {
				continue
			}
			if clashes := claim.clashes(other); len(clashes) > 0 {
				return fmt.Errorf("%w: %s: %s", ErrClaimed, topic, clashes[0].Problem)
			}
		}
		if state.Claims.Topics == nil {
			state.Claims.Topics = map[string]string{}
		}
		state.Claims.Topics[target] = topic
		return nil
	})
	return err
}

// rivals are the other migrations into the target that are not over, with what
// they have claimed: the stored claims, and the topics of which there are
// checkpoints, because they were created at their source later. Nothing copies
// for one that is planned, and nothing has to be undone to drop it: so of two
// such plans the one that is started first has the names.
func rivals(states []State, name string, groups []string) (others []State, err error) {
	for _, state := range states {
		if state.Plan.Name == name || state.Step.Over() {
			continue
		}
		compiled, err := state.Plan.selections()
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", state.Plan.Name, err)
		}
		topics := maps.Clone(state.Claims.Topics)
		if topics == nil {
			topics = map[string]string{}
		}
		for topic := range checkpointed(state.Plan.Name, groups) {
			topics[compiled.names.Target(topic)] = topic
		}
		state.Claims.Topics = topics
		others = append(others, state)
	}
	return others, nil
}

// checkpointed gives the source topics of which a job has checkpoints among the
// groups of a target.
func checkpointed(job string, groups []string) map[string]bool {
	topics := map[string]bool{}
	for _, group := range groups {
		rest, ok := strings.CutPrefix(group, "etl."+job+".")
		if !ok {
			continue
		}
		dot := strings.LastIndexByte(rest, '.')
		if dot < 0 {
			continue
		}
		number, err := strconv.ParseInt(rest[dot+1:], 10, 32)
		if err == nil && mirror.CheckpointGroup(job, rest[:dot], int32(number)) == group {
			topics[rest[:dot]] = true
		}
	}
	return topics
}

// groupIDs lists the groups of the target.
func (o *Operator) groupIDs(ctx context.Context) ([]string, error) {
	groups, err := o.Target.Groups(ctx)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return ids, nil
}
