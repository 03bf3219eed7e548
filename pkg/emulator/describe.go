package emulator

import (
	"fmt"
	"maps"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// FunctionInfo is a deployed function as a whole.
type FunctionInfo struct {
	// ID is what the platform's methods call it, see [FunctionID].
	ID string
	// Versions are $LATEST and then those published, by number. Triggers are in
	// the Events of none of them.
	Versions []Version
	// Aliases are those there are, $DEFAULT among them, by name.
	Aliases []Alias
	// Triggers are those of the function, of kinds that are not driven too.
	Triggers []scf.Trigger
	// Deployments is how often $LATEST was deployed.
	Deployments int
}

// Version is one version of a function.
type Version struct {
	Number   string // $LATEST, 1, 2, ...
	Settings scf.Function
	Code     string // the folder of its code, not to be changed
}

// Describe tells all of a function. The error is ErrUnknownFunction.
func (p *Platform) Describe(function string) (FunctionInfo, error) {
	triggers := p.list()
	p.mu.Lock()
	defer p.mu.Unlock()
	d, err := p.find(function)
	if err != nil {
		return FunctionInfo{}, fmt.Errorf("describe %s: %w", function, err)
	}
	info := FunctionInfo{ID: d.id, Deployments: d.changes}
	for _, f := range d.all() {
		settings := f.Function
		settings.Events = nil
		settings.Environment = maps.Clone(settings.Environment)
		info.Versions = append(info.Versions, Version{Number: f.version, Settings: settings, Code: f.code})
	}
	for _, name := range slices.Sorted(maps.Keys(d.aliases)) {
		a := d.aliases[name]
		a.Weights, a.Matches = slices.Clone(a.Weights), slices.Clone(a.Matches)
		info.Aliases = append(info.Aliases, a)
	}
	for _, t := range triggers {
		if t.key().function == d.id {
			info.Triggers = append(info.Triggers, t.settings())
		}
	}
	for _, e := range d.latest.Events {
		if !Driven(e) {
			info.Triggers = append(info.Triggers, e)
		}
	}
	return info, nil
}

// Instances are the CKafka instances that have a cluster here, by id.
func (p *Platform) Instances() []string { return slices.Sorted(maps.Keys(p.config.Clusters)) }

// SetUndriven makes triggers of kinds that are not driven here those of a
// function, in place of those it has: they are listed, and do nothing.
func (p *Platform) SetUndriven(function string, triggers []scf.Trigger) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	d, err := p.find(function)
	if err != nil {
		return fmt.Errorf("note the triggers of %s: %w", function, err)
	}
	events := slices.DeleteFunc(slices.Clone(d.latest.Events), func(t scf.Trigger) bool { return !Driven(t) })
	for _, t := range triggers {
		if !Driven(t) {
			events = append(events, t)
		}
	}
	d.latest.Events = events
	return nil
}
