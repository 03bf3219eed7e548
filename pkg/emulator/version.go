package emulator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// latest is the version that a deployment replaces, and that an invocation
// without a qualifier gets.
const latest = "$LATEST"

// deployed is a function by its name: $LATEST, the versions that were published
// of it, and the aliases. Platform.mu guards it.
type deployed struct {
	id       string
	latest   *function
	versions map[string]*function
	last     int // the number published last
	aliases  map[string]Alias
	changes  int // how often $LATEST was deployed
}

// version returns the one of that number, or $LATEST; nil for none.
func (d *deployed) version(number string) *function {
	if number == latest {
		return d.latest
	}
	return d.versions[number]
}

// all are the versions that are there, $LATEST first.
func (d *deployed) all() []*function {
	all := []*function{d.latest}
	for _, v := range slices.SortedFunc(maps.Keys(d.versions), byNumber) {
		all = append(all, d.versions[v])
	}
	return all
}

func byNumber(a, b string) int {
	n, _ := strconv.Atoi(a)
	m, _ := strconv.Atoi(b)
	return n - m
}

// FunctionID is what the platform's methods call a function: its full name,
// with NAMESPACE/ before it where that is not the default one. A name alone is
// taken too where only one namespace has it.
func FunctionID(namespace, name string) string {
	if namespace == "" || namespace == scf.DefaultNamespace {
		return name
	}
	return namespace + "/" + name
}

// deployed finds a function.
func (p *Platform) deployed(id string) (*deployed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(id)
}

// find is deployed with p.mu held.
func (p *Platform) find(id string) (*deployed, error) {
	if d := p.functions[id]; d != nil {
		return d, nil
	}
	var found *deployed
	for key, d := range p.functions {
		if strings.HasSuffix(key, "/"+id) && !strings.Contains(id, "/") {
			if found != nil {
				return nil, fmt.Errorf("%w: %s, in more than one namespace: write NAMESPACE/%s", ErrUnknownFunction,
					id, id)
			}
			found = d
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownFunction, id)
	}
	return found, nil
}

// resolve chooses the version that one invocation by a qualifier goes to.
func (p *Platform) resolve(id, qualifier string, key map[string]string) (*function, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, err := p.find(id)
	if err != nil {
		return nil, err
	}
	number := qualifier
	if qualifier == "" {
		number = latest
	}
	if a, ok := d.aliases[qualifier]; ok {
		number = a.route(key, p.config.Random)
	}
	if f := d.version(number); f != nil {
		return f, nil
	}
	return nil, unknownQualifier(qualifier)
}

func unknownQualifier(qualifier string) error {
	return fmt.Errorf("%w: %q; %s follows the newest code", ErrUnknownQualifier, qualifier, scf.DefaultQualifier)
}

// qualified refuses a qualifier that is neither a version nor an alias. Any
// function has $LATEST and $DEFAULT, also one that is not deployed yet.
func (p *Platform) qualified(id, qualifier string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if qualifier == "" || qualifier == latest || qualifier == scf.DefaultQualifier {
		return nil
	}
	if d := p.functions[id]; d != nil {
		if _, ok := d.aliases[qualifier]; ok || d.versions[qualifier] != nil {
			return nil
		}
	}
	return unknownQualifier(qualifier)
}

// bound refuses to take away a qualifier that a trigger invokes.
func (p *Platform) bound(d *deployed, qualifier string) error {
	for _, t := range p.list() {
		if t.key().function == d.id && qualifierOf(t.settings()) == qualifier {
			return fmt.Errorf("%w: trigger %s invokes it", ErrInUse, t.key().name)
		}
	}
	return nil
}

func qualifierOf(t scf.Trigger) string {
	switch {
	case t.Kafka != nil:
		return t.Kafka.Qualifier
	case t.Timer != nil:
		return t.Timer.Qualifier
	case t.COS != nil:
		return t.COS.Qualifier
	case t.URL != nil:
		return t.URL.Qualifier
	}
	return ""
}

// Publish makes a version of $LATEST as it is now: its code and settings never
// change any more. It returns the version's number, which is one more than that
// of the version published last, whether that is still there or not.
func (p *Platform) Publish(_ context.Context, function, description string) (number string, err error) {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	d, err := p.deployed(function)
	if err != nil {
		return "", fmt.Errorf("publish a version of %s: %w", function, err)
	}
	p.mu.Lock()
	from, number := d.latest, strconv.Itoa(d.last+1)
	p.mu.Unlock()
	settings := from.Function
	settings.Description = description
	if err := p.publish(d, settings, number, from.code); err != nil {
		return "", fmt.Errorf("publish version %s of %s: %w", number, function, err)
	}
	return number, nil
}

// InstallVersion puts a published version back, as it was: it is for whoever
// keeps the platform's state from one run to the next. The function must be
// deployed, its number be new.
func (p *Platform) InstallVersion(_ context.Context, f scf.Function, number, codeDir string) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	d, err := p.deployed(FunctionID(f.Namespace, f.Name))
	n, notANumber := strconv.Atoi(number)
	switch {
	case err != nil:
	case notANumber != nil || n < 1 || strconv.Itoa(n) != number:
		err = fmt.Errorf("%w: %q is no number of a version", ErrUnknownQualifier, number)
	case p.versionOf(d, number) != nil:
		err = fmt.Errorf("%w: version %s is there already", ErrInUse, number)
	default:
		if err = checkFunction(f); err == nil {
			err = p.publish(d, f, number, codeDir)
		}
	}
	if err != nil {
		return fmt.Errorf("install version %s of %s: %w", number, f.Name, err)
	}
	return nil
}

func (p *Platform) versionOf(d *deployed, number string) *function {
	p.mu.Lock()
	defer p.mu.Unlock()
	return d.version(number)
}

// publish adds a version.
func (p *Platform) publish(d *deployed, settings scf.Function, number, codeDir string) error {
	settings.Events = nil // a version has no triggers of its own
	f, err := p.build(settings, number, codeDir)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.Join(ErrClosed, removeTree(filepath.Dir(f.code)))
	}
	d.versions[number] = f
	n, _ := strconv.Atoi(number)
	d.last = max(d.last, n)
	return nil
}

// DeleteVersion takes a published version away. What it is running is finished.
// One that an alias or a trigger names is kept (ErrInUse).
func (p *Platform) DeleteVersion(_ context.Context, function, number string) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	d, err := p.deployed(function)
	switch {
	case err != nil:
	case number == latest || p.versionOf(d, number) == nil:
		err = unknownQualifier(number)
	default:
		err = errors.Join(p.bound(d, number), p.aliased(d, number))
	}
	if err != nil {
		return fmt.Errorf("delete version %s of %s: %w", number, function, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retire(d.versions[number])
	delete(d.versions, number)
	return nil
}

// aliased refuses to take away a version that an alias names.
func (p *Platform) aliased(d *deployed, number string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.aliases)) {
		if slices.Contains(d.aliases[name].versions(), number) {
			return fmt.Errorf("%w: alias %s points to it", ErrInUse, name)
		}
	}
	return nil
}

// idOf gives the ID of a function that may be named without its namespace; what
// is unknown stays as it is.
func (p *Platform) idOf(function string) string {
	if d, err := p.deployed(function); err == nil {
		return d.id
	}
	return function
}
