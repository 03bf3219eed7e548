package emulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Alias is a name for a version of a function, or for two of them: each
// invocation by the alias is routed anew, a batch of a trigger always whole.
type Alias struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Version is the one that invocations go to which nothing else is said of:
	// a number, or $LATEST.
	Version string `json:"version"`
	// Weights send a share of the invocations to another version. The cloud
	// takes at most [scf.MaxAdditionalVersions].
	Weights []VersionWeight `json:"weights,omitempty"`
	// Matches send invocations to another version by their routing key; they go
	// before the weights.
	Matches []VersionMatch `json:"matches,omitempty"`
}

// VersionWeight sends a share of the invocations to a version: 0 none, 1 all.
type VersionWeight struct {
	Version string  `json:"version"`
	Weight  float64 `json:"weight"`
}

// VersionMatch sends an invocation to a version whose routing key has a value.
type VersionMatch struct {
	Version string `json:"version"`
	// Key is invoke.headers.NAME, for the NAME of [InvokeOptions].RoutingKey.
	Key string `json:"key"`
	// Method is exact or range.
	Method string `json:"method"`
	// Expression is the value itself, or, for range, whole numbers: (a,b) without
	// its ends, [a,b] with them.
	Expression string `json:"expression"`
}

// matchKey begins the key of a VersionMatch.
const matchKey = "invoke.headers."

// SetAlias gives a function an alias, or changes the one of that name.
// $DEFAULT is there always and follows $LATEST until it is set. The error is
// ErrUnknownFunction, ErrUnknownQualifier for a version that is not there,
// ErrBadAlias for what the cloud refuses.
func (p *Platform) SetAlias(_ context.Context, function string, a Alias) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	d, err := p.deployed(function)
	if err == nil {
		err = errors.Join(checkAlias(a), p.aliasVersions(d, a))
	}
	if err != nil {
		return fmt.Errorf("set alias %s of %s: %w", a.Name, function, err)
	}
	a.Weights, a.Matches = slices.Clone(a.Weights), slices.Clone(a.Matches)
	p.mu.Lock()
	defer p.mu.Unlock()
	d.aliases[a.Name] = a
	return nil
}

// DeleteAlias forgets an alias; $DEFAULT cannot be deleted, and neither can one
// that a trigger invokes (ErrInUse).
func (p *Platform) DeleteAlias(_ context.Context, function, name string) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	d, err := p.deployed(function)
	switch {
	case err != nil:
	case name == scf.DefaultQualifier:
		err = fmt.Errorf("%w: %s is always there", ErrBadAlias, name)
	case p.alias(d, name) == nil:
		err = ErrUnknownQualifier
	default:
		err = p.bound(d, name)
	}
	if err != nil {
		return fmt.Errorf("delete alias %s of %s: %w", name, function, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(d.aliases, name)
	return nil
}

// alias returns the one of that name; nil for none.
func (p *Platform) alias(d *deployed, name string) *Alias {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := d.aliases[name]; ok {
		return &a
	}
	return nil
}

// aliasVersions refuses an alias to versions that are not there.
func (p *Platform) aliasVersions(d *deployed, a Alias) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, v := range a.versions() {
		if d.version(v) == nil {
			errs = append(errs, fmt.Errorf("version %q: %w", v, ErrUnknownQualifier))
		}
	}
	return errors.Join(errs...)
}

// versions are those that an alias can send an invocation to.
func (a Alias) versions() []string {
	all := []string{a.Version}
	for _, w := range a.Weights {
		all = append(all, w.Version)
	}
	for _, m := range a.Matches {
		all = append(all, m.Version)
	}
	return all
}

// checkAlias refuses what the cloud refuses of an alias.
func checkAlias(a Alias) error {
	var errs []error
	refuse := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s", ErrBadAlias, fmt.Sprintf(format, args...)))
	}
	if a.Name != scf.DefaultQualifier && !scf.ValidAlias(a.Name) {
		refuse("name is %q, allowed are %s", a.Name, scf.AliasNames)
	}
	if n := len(a.Weights); n > scf.MaxAdditionalVersions {
		refuse("%d additional versions by weight, allowed is %d", n, scf.MaxAdditionalVersions)
	}
	if n := len(a.Matches); n > scf.MaxAdditionalVersions {
		refuse("%d additional versions by match, allowed is %d", n, scf.MaxAdditionalVersions)
	}
	for _, w := range a.Weights {
		// why: written so that it is true for no number, which has no order.
		if !(w.Weight >= 0 && w.Weight <= 1) {
			refuse("the weight of version %s is %v, allowed are 0 to 1", w.Version, w.Weight)
		}
	}
	for _, m := range a.Matches {
		if _, err := m.matches(nil); err != nil {
			refuse("%v", err)
		}
	}
	for _, v := range a.versions()[1:] {
		if v == a.Version {
			refuse("version %s is the alias's own and cannot be an additional one", v)
		}
	}
	return errors.Join(errs...)
}

// route chooses the version of one invocation.
func (a Alias) route(key map[string]string, random func() float64) string {
	for _, m := range a.Matches {
		if hit, err := m.matches(key); err == nil && hit {
			return m.Version
		}
	}
	for _, w := range a.Weights {
		if w.Weight > 0 && random() < w.Weight {
			return w.Version
		}
	}
	return a.Version
}

// matches reports whether a routing key is meant. The error says that no key
// ever is.
func (m VersionMatch) matches(key map[string]string) (bool, error) {
	name, ok := strings.CutPrefix(m.Key, matchKey)
	if !ok || name == "" {
		return false, fmt.Errorf("the match's key is %q, want %sNAME", m.Key, matchKey)
	}
	value, given := key[name]
	switch m.Method {
	case "exact":
		return given && value == m.Expression, nil
	case "range":
		least, most, err := parseRange(m.Expression)
		if err != nil {
			return false, err
		}
		n, err := strconv.ParseInt(value, 10, 64)
		return given && err == nil && n >= least && n <= most, nil
	}
	return false, fmt.Errorf("the match's method is %q, want exact or range", m.Method)
}

// parseRange reads (a,b) or [a,b], and gives the numbers that it holds.
func parseRange(text string) (least, most int64, err error) {
	bad := fmt.Errorf("the match's range is %q, want (a,b) or [a,b] with whole numbers", text)
	if len(text) < 2 {
		return 0, 0, bad
	}
	open := text[0] == '(' && text[len(text)-1] == ')'
	if !open && (text[0] != '[' || text[len(text)-1] != ']') {
		return 0, 0, bad
	}
	from, to, _ := strings.Cut(text[1:len(text)-1], ",")
	const bits = 63 // why: one less than an int64 has, so that the ends can be moved
	least, err1 := strconv.ParseInt(strings.TrimSpace(from), 10, bits)
	most, err2 := strconv.ParseInt(strings.TrimSpace(to), 10, bits)
	if err1 != nil || err2 != nil {
		return 0, 0, bad
	}
	if open {
		least, most = least+1, most-1
	}
	return least, most, nil
}
