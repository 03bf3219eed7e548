package emulator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Deploy makes a function callable by its full name, with the code in a folder:
// the file that the handler names, executable, and what lies beside it. The
// folder is copied. A function of that name and namespace is replaced: what it is
// running is finished on its former code. That is $LATEST; published versions and
// aliases stay.
//
// The triggers become those of f.Events: new ones are created, changed ones
// updated, and those that are no longer there deleted. CKafka triggers and timers
// are driven; others are listed by Triggers with that as their error.
//
// A setting that the cloud would refuse is an error, and so is a trigger that
// would have to be deleted and created anew (ErrImmutable): then nothing is
// changed. Where a trigger cannot be made after that, because its cluster does
// not answer or its topic does not exist, the function itself is deployed.
func (p *Platform) Deploy(ctx context.Context, f scf.Function, codeDir string) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	wanted, err := p.plan(f)
	if err != nil {
		return fmt.Errorf("deploy %s: %w", f.Name, err)
	}
	if err := p.install(f, codeDir); err != nil {
		return fmt.Errorf("deploy %s: %w", f.Name, err)
	}
	if err := p.reconcile(ctx, f, wanted); err != nil {
		return fmt.Errorf("deploy %s: its code is there, but: %w", f.Name, err)
	}
	return nil
}

// plan checks a function and returns its triggers that are driven, by name.
func (p *Platform) plan(f scf.Function) (map[triggerKey]scf.Trigger, error) {
	errs := []error{checkFunction(f)}
	id := FunctionID(f.Namespace, f.Name)
	wanted := map[triggerKey]scf.Trigger{}
	count := map[string]int{}
	for _, e := range f.Events {
		if count[e.Kind()]++; count[e.Kind()] == scf.MaxTriggersOfKind+1 {
			errs = append(errs, fmt.Errorf("more than %d triggers of the kind %s, which is as many as a function may have", scf.MaxTriggersOfKind, e.Kind()))
		}
		errs = append(errs, p.qualified(id, qualifierOf(e)))
		if !Driven(e) {
			continue
		}
		key := keyOf(id, e)
		if _, twice := wanted[key]; twice {
			errs = append(errs, fmt.Errorf("trigger %s: %w", e.Name(), ErrTriggerExists))
		}
		wanted[key] = e
		errs = append(errs, checkTrigger(e))
		if t := p.trigger(key); t != nil {
			errs = append(errs, changeable(t.settings(), e))
		}
	}
	return wanted, errors.Join(errs...)
}

// reconcile makes the triggers of a function those that are wanted.
func (p *Platform) reconcile(ctx context.Context, f scf.Function, wanted map[triggerKey]scf.Trigger) error {
	var errs []error
	id := FunctionID(f.Namespace, f.Name)
	for _, t := range p.list() {
		if _, keep := wanted[t.key()]; t.key().function == id && !keep {
			errs = append(errs, p.deleteTrigger(ctx, t.key()))
		}
	}
	for _, e := range f.Events {
		switch {
		case !Driven(e):
		case p.trigger(keyOf(id, e)) == nil:
			errs = append(errs, p.createTrigger(ctx, id, e))
		default:
			errs = append(errs, p.updateTrigger(ctx, id, e))
		}
	}
	return errors.Join(errs...)
}

// Remove deletes a function with its versions, aliases and triggers. What is running is finished; an
// asynchronous event that waits to be sent again is given up.
func (p *Platform) Remove(ctx context.Context, name string) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	d, err := p.deployed(name)
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	var errs []error
	for _, t := range p.list() {
		if t.key().function == d.id {
			errs = append(errs, p.deleteTrigger(ctx, t.key()))
		}
	}
	p.mu.Lock()
	for _, f := range d.all() {
		p.retire(f)
	}
	delete(p.functions, d.id)
	p.mu.Unlock()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

// checkFunction refuses what the cloud refuses at deployment.
func checkFunction(f scf.Function) error {
	var errs []error
	if !scf.ValidName(f.Name) {
		errs = append(errs, fmt.Errorf("name %q has %d characters, allowed are %s", f.Name, len(f.Name), scf.FunctionNames))
	}
	if !plain(f.Name) || !plain(f.Handler) {
		errs = append(errs, fmt.Errorf("name %q, handler %q: allowed is a name without a path, that of a file in the code for the handler", f.Name, f.Handler))
	}
	if !scf.ValidMemory(f.MemorySize) {
		errs = append(errs, fmt.Errorf("memorySize is %d MB, the next allowed size is %d", f.MemorySize, scf.NearestMemory(f.MemorySize)))
	}
	errs = append(errs, between("timeout", f.Timeout, scf.MinTimeout, scf.MaxTimeout, "s"))
	if n := utf8.RuneCountInString(f.Description); n > scf.MaxDescription {
		errs = append(errs, fmt.Errorf("description has %d characters, allowed are %d", n, scf.MaxDescription))
	}
	return errors.Join(append(errs, checkEnvironment(f.Environment))...)
}

// checkEnvironment refuses variables that the cloud refuses. Values may be
// secret, so no error shows one.
func checkEnvironment(environment map[string]string) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(environment)) {
		if !scf.ValidVariable(key) {
			errs = append(errs, fmt.Errorf("variable %q: allowed as a name are %s", key, scf.VariableNames))
		}
		if prefix := scf.ReservedPrefix(key); prefix != "" {
			errs = append(errs, fmt.Errorf("variable %q: names that begin with %s belong to the platform", key, prefix))
		}
	}
	if size := scf.EnvironmentSize(environment); size > scf.MaxEnvironment {
		errs = append(errs, fmt.Errorf("environment has %d bytes of keys and values, allowed are %d", size, scf.MaxEnvironment))
	}
	return errors.Join(errs...)
}

// plain reports whether a name can be that of a file in a folder.
func plain(name string) bool {
	return name != "." && filepath.IsLocal(name) && filepath.Base(name) == name
}

func between(name string, value, least, most int, unit string) error {
	if value < least || value > most {
		return fmt.Errorf("%s is %d, allowed are %d to %d %s", name, value, least, most, unit)
	}
	return nil
}
