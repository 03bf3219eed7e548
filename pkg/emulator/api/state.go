package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Status is what a function, or a version of it, is doing (583/115197).
type Status string

// The states. A function is changed and invoked while it is Active; after a
// failed update it can be updated again, after a failed creation only deleted.
const (
	Creating      Status = "Creating"
	CreateFailed  Status = "CreateFailed"
	Active        Status = "Active"
	Updating      Status = "Updating"
	UpdateFailed  Status = "UpdateFailed"
	Publishing    Status = "Publishing"
	PublishFailed Status = "PublishFailed"
	Deleting      Status = "Deleting"
	DeleteFailed  Status = "DeleteFailed"
)

// StatusReason says why a change has failed.
type StatusReason struct{ ErrorCode, ErrorMessage string }

// Tag is a label of a function.
type Tag struct{ Key, Value string }

// state is a function with all that is kept of it. It is never changed: a
// change makes another one.
type state struct {
	ID      string // lam-...
	Latest  version
	Serving *version     // what runs as $LATEST; nil before the first success
	Then    *publication // what follows the update under way

	Versions    []version // published ones, by number
	LastVersion int
	Aliases     []alias
	Triggers    []trigger
	Tags        []Tag
	AddTime     time.Time

	deployments int // of the platform, for which this is the state
}

// version is $LATEST or a published one.
type version struct {
	Number   string
	Settings scf.Function // without Events
	Stored   stored
	Code     code
	Status   Status
	Reasons  []StatusReason
	AddTime  time.Time
	ModTime  time.Time
}

// publication is a version to be made.
type publication struct{ Description string }

type alias struct {
	emulator.Alias
	AddTime time.Time
	ModTime time.Time
}

type trigger struct {
	Settings    scf.Trigger
	Description string
	AddTime     time.Time
	ModTime     time.Time
}

func (t trigger) is(kind, name string) bool {
	return t.Settings.Kind() == kind && t.Settings.Name() == name
}

func (s *state) name() string      { return s.Latest.Settings.Name }
func (s *state) namespace() string { return s.Latest.Settings.Namespace }

// platformID is what the platform calls the function.
func (s *state) platformID() string { return emulator.FunctionID(s.namespace(), s.name()) }

// version finds $LATEST or a published one; nil for none.
func (s *state) version(number string) *version {
	if number == latest {
		return &s.Latest
	}
	if i := slices.IndexFunc(s.Versions, func(v version) bool { return v.Number == number }); i >= 0 {
		return &s.Versions[i]
	}
	return nil
}

// alias finds one; nil for none.
func (s *state) alias(name string) *alias {
	if i := slices.IndexFunc(s.Aliases, func(a alias) bool { return a.Name == name }); i >= 0 {
		return &s.Aliases[i]
	}
	return nil
}

// trigger finds one; nil for none.
func (s *state) trigger(kind, name string) *trigger {
	if i := slices.IndexFunc(s.Triggers, func(t trigger) bool { return t.is(kind, name) }); i >= 0 {
		return &s.Triggers[i]
	}
	return nil
}

// undriven are the triggers that the platform only lists.
func (s *state) undriven() (list []scf.Trigger) {
	for _, t := range s.Triggers {
		if !emulator.Driven(t.Settings) {
			list = append(list, t.Settings)
		}
	}
	return list
}

// clone is a copy that can be changed.
func (s *state) clone() *state {
	text, err := json.Marshal(s)
	c := &state{deployments: s.deployments}
	if err == nil {
		err = json.Unmarshal(text, c)
	}
	if err != nil { // why: all of it is plain data
		panic(fmt.Sprintf("copy the state of a function: %v", err))
	}
	return c
}

// latest is the version that UpdateFunctionCode changes.
const latest = "$LATEST"
