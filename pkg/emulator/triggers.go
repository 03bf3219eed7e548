package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// triggerKey names a trigger: names are unique among those of a kind at one
// function.
type triggerKey struct{ function, kind, name string }

func keyOf(function string, t scf.Trigger) triggerKey {
	return triggerKey{function, t.Kind(), t.Name()}
}

// trigger is one that the platform drives, of any kind.
type trigger interface {
	key() triggerKey
	settings() scf.Trigger
	// change takes other settings of the same kind, while it is halted.
	change(to scf.Trigger)
	// start begins to fire, until the end of the run or halt. Platform.mu is held.
	start(run context.Context)
	// halt ends that. What a trigger waits for is given up when patience ends.
	halt(patience context.Context)
	status() TriggerStatus
	// close frees what it holds, while it is halted.
	close() error
}

// Driven reports whether the platform drives triggers of this kind.
func Driven(t scf.Trigger) bool { return t.Kafka != nil || t.Timer != nil }

// errNotDriven is why a trigger does not fire here.
var errNotDriven = errors.New("triggers of this kind are not driven by the local platform")

// CreateTrigger gives a function another trigger, a CKafka trigger or a timer.
// The cluster of a CKafka trigger must answer and its topic exist.
func (p *Platform) CreateTrigger(ctx context.Context, function string, t scf.Trigger) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	return p.createTrigger(ctx, p.idOf(function), t)
}

// UpdateTrigger changes a trigger in place: maxMsgNum, timeOut, retry and enable
// of a CKafka trigger, cron, argument and enable of a timer. Anything else that
// differs is ErrImmutable. The batch that a CKafka trigger is delivering is
// finished and committed first; the end of the context gives it up. Events that
// a timer has sent go on as they are.
func (p *Platform) UpdateTrigger(ctx context.Context, function string, t scf.Trigger) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	return p.updateTrigger(ctx, p.idOf(function), t)
}

// DeleteTrigger ends a trigger and forgets it; its kind is ckafka or timer. The
// batch that a CKafka trigger is delivering is finished first, and the group's
// offsets stay in the cluster, so that the trigger goes on there if it is created
// again. Events that a timer has sent go on.
func (p *Platform) DeleteTrigger(ctx context.Context, function, kind, name string) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	return p.deleteTrigger(ctx, triggerKey{p.idOf(function), kind, name})
}

func (p *Platform) createTrigger(ctx context.Context, function string, s scf.Trigger) error {
	t, err := p.admit(ctx, function, s)
	if err != nil {
		return fmt.Errorf("create trigger %s of %s: %w", s.Name(), function, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.Join(ErrClosed, t.close())
	}
	p.triggers[t.key()] = t
	if p.runs != nil && s.Enabled() {
		t.start(p.runs)
	}
	return nil
}

// admit checks a new trigger and makes it.
func (p *Platform) admit(ctx context.Context, function string, s scf.Trigger) (trigger, error) {
	if err := checkTrigger(s); err != nil {
		return nil, err
	}
	if _, err := p.deployed(function); err != nil {
		return nil, err
	}
	if err := p.qualified(function, qualifierOf(s)); err != nil {
		return nil, err
	}
	count := 0
	for _, t := range p.list() {
		if k := t.key(); k.function == function && k.kind == s.Kind() {
			count++
		}
	}
	if p.trigger(keyOf(function, s)) != nil {
		return nil, ErrTriggerExists
	}
	if count >= scf.MaxTriggersOfKind {
		return nil, fmt.Errorf("the function has %d triggers of this kind, which is as many as may be", count)
	}
	if s.Timer != nil {
		return newTimerTrigger(p, function, *s.Timer)
	}
	return p.newKafkaTrigger(ctx, function, *s.Kafka)
}

func (p *Platform) updateTrigger(ctx context.Context, function string, s scf.Trigger) error {
	t := p.trigger(keyOf(function, s))
	err := checkTrigger(s)
	switch {
	case err != nil:
	case t == nil:
		err = ErrUnknownTrigger
	default:
		err = changeable(t.settings(), s)
	}
	if err != nil {
		return fmt.Errorf("update trigger %s of %s: %w", s.Name(), function, err)
	}
	if same(t.settings(), s) {
		return nil
	}
	t.halt(ctx)
	t.change(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs != nil && s.Enabled() {
		t.start(p.runs)
	}
	return nil
}

// same reports whether two triggers of one kind have the same settings.
func same(a, b scf.Trigger) bool {
	if a.Timer != nil {
		return *a.Timer == *b.Timer
	}
	return *a.Kafka == *b.Kafka
}

// checkTrigger refuses what the cloud refuses of a trigger, and what is not
// driven here.
func checkTrigger(t scf.Trigger) (err error) {
	switch {
	case t.Kafka != nil:
		err = checkKafka(*t.Kafka)
	case t.Timer != nil:
		err = checkTimer(*t.Timer)
	default:
		err = errNotDriven
	}
	if err != nil {
		return fmt.Errorf("trigger %s: %w", t.Name(), err)
	}
	return nil
}

// changeable refuses what UpdateTrigger refuses in the cloud, and names it.
func changeable(from, to scf.Trigger) error {
	type setting struct{ name, from, to string }
	var fixed []setting
	if from.Timer != nil {
		if from.Timer.UpdatableTo(*to.Timer) {
			return nil
		}
		fixed = []setting{{"qualifier", from.Timer.Qualifier, to.Timer.Qualifier}}
	} else {
		if from.Kafka.UpdatableTo(*to.Kafka) {
			return nil
		}
		fixed = []setting{
			{"instanceId", from.Kafka.InstanceID, to.Kafka.InstanceID},
			{"topic", from.Kafka.Topic, to.Kafka.Topic},
			{"consumerGroupName", from.Kafka.ConsumerGroup, to.Kafka.ConsumerGroup},
			{"offset", from.Kafka.Offset.String(), to.Kafka.Offset.String()},
			{"qualifier", from.Kafka.Qualifier, to.Kafka.Qualifier},
		}
	}
	var errs []error
	for _, s := range fixed {
		if s.from != s.to {
			errs = append(errs, fmt.Errorf("trigger %s: %s %q, now %q, %w", from.Name(), s.name, s.to, s.from, ErrImmutable))
		}
	}
	return errors.Join(errs...)
}

func (p *Platform) deleteTrigger(ctx context.Context, key triggerKey) error {
	t := p.trigger(key)
	if t == nil {
		return fmt.Errorf("delete %s trigger %s of %s: %w", key.kind, key.name, key.function, ErrUnknownTrigger)
	}
	t.halt(ctx)
	p.mu.Lock()
	delete(p.triggers, key)
	p.mu.Unlock()
	return t.close()
}

// trigger returns the one of that name; nil for none.
func (p *Platform) trigger(key triggerKey) trigger {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.triggers[key]
}

// list returns the triggers, by function, name and kind.
func (p *Platform) list() []trigger {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]trigger, 0, len(p.triggers))
	for _, t := range p.triggers {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b trigger) int { return byName(a.key(), b.key()) })
	return all
}

func byName(a, b triggerKey) int {
	return cmp.Or(cmp.Compare(a.function, b.function), cmp.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind))
}

// Triggers returns what all triggers are doing, by function, name and kind.
// Those of a kind that is not driven here carry that as their error.
func (p *Platform) Triggers() []TriggerStatus {
	var all []TriggerStatus
	for _, t := range p.list() {
		all = append(all, t.status())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.functions {
		for _, e := range d.latest.Events {
			if !Driven(e) {
				all = append(all, TriggerStatus{Function: d.id, Kind: e.Kind(), Name: e.Name(), Enabled: e.Enabled(), Error: errNotDriven.Error()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b TriggerStatus) int {
		return byName(triggerKey{a.Function, a.Kind, a.Name}, triggerKey{b.Function, b.Kind, b.Name})
	})
	return all
}
