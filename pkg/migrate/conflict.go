package migrate

import (
	"cmp"
	"fmt"
	"strings"
)

// ConflictKind is what a [Conflict] is about.
type ConflictKind string

// The kinds. Each says why it keeps a plan from being started, or does not.
const (
	// NothingSelected: no topic of the source matches. A conflict: it is a typing
	// error more often than a plan.
	NothingSelected ConflictKind = "nothing-selected"
	// NameTaken: another topic of the plan, or another migration, has the same
	// target topic. A conflict: records of two topics would be between each other,
	// which nobody can take apart again. Where the other migration is only planned
	// it is a warning, because nothing has happened yet: the one that is started
	// first has the name, and the other one cannot be started then.
	NameTaken ConflictKind = "name-taken"
	// NameReserved: the target's name is Kafka's or this project's own. A conflict:
	// such a topic is never copied back.
	NameReserved ConflictKind = "name-reserved"
	// HasRecords: the target topic exists and holds records. A conflict: the copy
	// would stand between them, and stops rather than double what it cannot tell
	// from its own ([mirror.ErrLostCheckpoint]).
	HasRecords ConflictKind = "has-records"
	// PartitionsDiffer: the target topic has another number of partitions. A
	// conflict where it has more: keys would be in other partitions than new
	// producers put them. A warning where it has fewer: it is empty, and gets more.
	PartitionsDiffer ConflictKind = "partitions-differ"
	// SettingsDiffer: the target topic has another setting than the source's. A
	// warning: the topic is empty, so that the new setting harms no record, and
	// [Plan.KeepSettings] keeps it. A conflict where the copy could not be written
	// (LogAppendTime), or where a smaller max.message.bytes would be kept.
	SettingsDiffer ConflictKind = "settings-differ"
	// NotCreatable: the target topic is missing, and the target or the source keeps
	// it from being created like the source's. A conflict: it would not be copied.
	NotCreatable ConflictKind = "not-creatable"
	// GroupTaken: another group of the plan, or another migration, has the same
	// name on the target. As NameTaken.
	GroupTaken ConflictKind = "group-taken"
	// GroupExists: the group exists on the target, with members or with commits. A
	// conflict in both cases: while it has members no position can be written, and
	// one with commits alone cannot be told from a service that is stopped for a
	// moment. It would come out at the cut-over, when names cannot be changed any
	// more.
	GroupExists ConflictKind = "group-exists"
	// GroupUnreadable: the source is so old that it does not tell what the group has
	// committed. A conflict: it would begin anywhere at the target.
	GroupUnreadable ConflictKind = "group-unreadable"
	// CannotReturn: the source has no transactions, so that there is no rollback
	// after the cut-over. A conflict until it is accepted ([Plan.NoWayBack]), and a
	// warning then.
	CannotReturn ConflictKind = "cannot-return"
	// Unreadable: another migration is stored in a way that this release cannot
	// read. A conflict: what it has claimed is not known.
	Unreadable ConflictKind = "unreadable"
)

// Conflict is what keeps a plan from being started, or what an operator should
// know before, with the ways out.
type Conflict struct {
	Kind    ConflictKind `json:"kind"`
	Topic   string       `json:"topic,omitempty"` // of the source
	Group   string       `json:"group,omitempty"` // of the source
	Problem string       `json:"problem"`
	Choices string       `json:"choices"` // with the flags of etl migrate plan
	// Setting that differs, as it is on both sides.
	Setting     string `json:"setting,omitempty"`
	SourceValue string `json:"source_value,omitempty"`
	TargetValue string `json:"target_value,omitempty"`
}

// String says what, why and what to do, in one line.
func (c Conflict) String() string {
	what := cmp.Or(c.Topic, "the plan")
	if c.Group != "" {
		what = "group " + c.Group
	}
	return fmt.Sprintf("%s: %s. Choices: %s", what, c.Problem, c.Choices)
}

// shown is how many conflicts are listed where a start is refused.
const shown = 5

// conflictGate wants no conflicts.
func conflictGate(conflicts []Conflict) Gate {
	gate := Gate{Name: "conflicts", Want: "none", Have: "none", OK: len(conflicts) == 0}
	if gate.OK {
		return gate
	}
	lines := []string{fmt.Sprint(len(conflicts))}
	for _, c := range conflicts[:min(shown, len(conflicts))] {
		lines = append(lines, c.String())
	}
	gate.Have = strings.Join(lines, "\n    ")
	return gate
}

const groupChoices = "another name (--group-names, or --group-prefix for all), or exclude it (--exclude-groups)"
