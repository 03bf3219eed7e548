package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Step is where a migration is.
type Step string

// The steps, in their order; RolledBack can follow any but Finished.
const (
	Planned     Step = "planned"
	Mirroring   Step = "mirroring"
	DualWriting Step = "dual-writing"
	Verified    Step = "verified"
	CuttingOver Step = "cutting-over"
	CutOver     Step = "cut-over"
	Finished    Step = "finished"
	RolledBack  Step = "rolled-back"
)

// Forward says that records are copied from the source to the target.
func (s Step) Forward() bool { return s == Mirroring || s == DualWriting || s == Verified }

// Over says that nothing is copied any more.
func (s Step) Over() bool { return s == Finished || s == RolledBack }

// Plan is what a migration is to do. It does not change once it is stored.
type Plan struct {
	// Name is that of the migration, and of the job that copies ([mirror.CheckJob]).
	Name string `json:"name"`
	// Include and Exclude select the source topics, see [mirror.Selection].
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
	// Topics are target names, in the words of [mirror.ParseTopicMap].
	Topics string `json:"topics,omitempty"`
	// Groups and ExcludeGroups select the consumer groups, in the same way.
	// GroupNames are the names of single ones on the target, SOURCE:TARGET, comma
	// separated; GroupPrefix is put before the names of all others.
	Groups        []string `json:"groups"`
	ExcludeGroups []string `json:"exclude_groups,omitempty"`
	GroupNames    string   `json:"group_names,omitempty"`
	GroupPrefix   string   `json:"group_prefix,omitempty"`
	// KeepSettings leaves the settings of target topics as they are. One that the
	// copy makes gets the source's once.
	KeepSettings bool `json:"keep_settings,omitempty"`
	// ACLs has those of the topics carried over: those of writers at the cut-over.
	ACLs bool `json:"acls,omitempty"`
	// NoWayBack accepts that nothing is copied back after the cut-over: it cannot
	// be, to a source without transactions. Then there is no rollback from there.
	NoWayBack bool `json:"no_way_back,omitempty"`
	// Source and Target are the ids of the clusters: a step with other ones is refused.
	Source string `json:"source_cluster"`
	Target string `json:"target_cluster"`
}

// BackJob is the job that copies back after the cut-over.
func (p Plan) BackJob() string { return p.Name + "-back" }

// selections are a plan's patterns and names, compiled.
type selections struct {
	topics, groups mirror.Selection
	names          mirror.TopicMap
	groupNames     groupNames
}

func (p Plan) selections() (selections, error) {
	var s selections
	var faults [4]error
	s.topics, faults[0] = mirror.NewSelection(p.Include, p.Exclude)
	s.groups, faults[1] = mirror.NewSelection(p.Groups, p.ExcludeGroups)
	s.names, faults[2] = mirror.ParseTopicMap(p.Topics)
	s.groupNames, faults[3] = parseGroupNames(p.GroupNames, p.GroupPrefix)
	return s, errors.Join(faults[:]...)
}

// Check names everything that is wrong with the plan itself.
func (p Plan) Check() error {
	faults := []error{mirror.CheckJob(p.Name), mirror.CheckJob(p.BackJob())}
	if len(p.Include) == 0 {
		faults = append(faults, errors.New("no topics are included"))
	}
	_, err := p.selections()
	return errors.Join(append(faults, err)...)
}

// State is a migration as it is stored.
type State struct {
	// Format is the version of this record: one that is newer is refused, never
	// guessed ([ErrNewer]).
	Format int `json:"format"`
	// Revision goes up with every change.
	Revision int64     `json:"revision"`
	ChangeID string    `json:"change_id"` // of the last change: one whose answer was lost knows itself by it
	Step     Step      `json:"step"`
	Since    time.Time `json:"since"` // of the step
	Plan     Plan      `json:"plan"`
	// Claims are what the plan takes on the target, as of its last preview.
	Claims Claims `json:"claims"`
	// History are the steps taken, the oldest first.
	History []Change `json:"history"`
	// Cut is where both sides ended at the cut-over.
	Cut []CutPartition `json:"cut,omitempty"`
}

// Change is a step that was taken, with what was measured then.
type Change struct {
	Step  Step      `json:"step"`
	At    time.Time `json:"at"`
	Gates []Gate    `json:"gates,omitempty"`
}

// CutPartition is a partition at the cut-over.
type CutPartition struct {
	Topic       string `json:"topic"` // of the source
	TargetTopic string `json:"target_topic"`
	Partition   int32  `json:"partition"`
	Source      int64  `json:"source"` // where the copy ended in the source: later records there are on the wrong side
	Target      int64  `json:"target"` // where it ended in the target: later records there are copied back
}

const format = 1

// enter moves the state to a step.
func (s *State) enter(step Step, now time.Time, gates []Gate) {
	s.Step, s.Since = step, now
	s.History = append(s.History, Change{Step: step, At: now, Gates: gates})
}

// started says that something may have been copied.
func (s *State) started() bool {
	return slices.ContainsFunc(s.History, func(c Change) bool { return c.Step == Mirroring })
}

// require refuses a step that does not follow on the present one.
func (s *State) require(want string, from ...Step) error {
	if slices.Contains(from, s.Step) {
		return nil
	}
	return fmt.Errorf("%w: migration %s is %s since %s, and %s follows on %s", ErrWrongStep, s.Plan.Name, s.Step, s.Since.Format(time.RFC3339), want, orList(from))
}

func orList(steps []Step) string {
	text := ""
	for i, s := range steps {
		switch {
		case i == 0:
		case i == len(steps)-1:
			text += " or "
		default:
			text += ", "
		}
		text += string(s)
	}
	return text
}

func compareCut(a, b CutPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// Why a step is refused, to be told apart with errors.Is.
var (
	// ErrUnknown: there is no migration of that name.
	ErrUnknown = errors.New("no such migration")
	// ErrExists: there is one already.
	ErrExists = errors.New("the migration exists")
	// ErrWrongStep: the step does not follow on the present one.
	ErrWrongStep = errors.New("not now")
	// ErrConflict: somebody else has changed the migration at the same time.
	ErrConflict = errors.New("somebody else is changing the migration")
	// ErrNewer: the migration was stored by a newer release.
	ErrNewer = errors.New("stored by a newer release of etl")
	// ErrNoWayBack: there is no rollback after the cut-over.
	ErrNoWayBack = errors.New("there is no way back")
	// ErrClusters: the clusters are not those of the plan.
	ErrClusters = errors.New("not the clusters of the plan")
)

// GateError refuses a step because of what was measured.
type GateError struct {
	Migration string
	Step      Step // that was asked for
	Gates     []Gate
}

// Error lists the gates that do not hold, with their numbers.
func (e *GateError) Error() string {
	text := fmt.Sprintf("migration %s is not ready for %s; nothing was changed:", e.Migration, e.Step)
	for _, g := range e.Gates {
		if !g.OK {
			text += fmt.Sprintf("\n  %s: want %s, have %s", g.Name, g.Want, g.Have)
		}
	}
	return text
}

// Gate is one measured condition of a step.
type Gate struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Have string `json:"have"`
	OK   bool   `json:"ok"`
}

// passed is an error where one of the gates does not hold.
func passed(name string, step Step, gates []Gate) error {
	for _, g := range gates {
		if !g.OK {
			return &GateError{Migration: name, Step: step, Gates: gates}
		}
	}
	return nil
}
