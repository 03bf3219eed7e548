package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// triggerKey names a trigger.
type triggerKey struct{ function, name string }

// CreateTrigger gives a function another CKafka trigger. Its cluster must
// answer and its topic exist.
func (p *Platform) CreateTrigger(ctx context.Context, function string, t scf.KafkaTrigger) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	return p.createTrigger(ctx, function, t)
}

// UpdateTrigger changes maxMsgNum, timeOut, retry or enable of a trigger. The
// batch that it is delivering is finished and committed first; the end of the
// context gives it up. Anything else that differs is ErrImmutable.
func (p *Platform) UpdateTrigger(ctx context.Context, function string, t scf.KafkaTrigger) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	return p.updateTrigger(ctx, function, t)
}

// DeleteTrigger ends a trigger and forgets it. The batch that it is delivering
// is finished first. The group's offsets stay in the cluster, so that the
// trigger goes on there if it is created again.
func (p *Platform) DeleteTrigger(ctx context.Context, function, name string) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	return p.deleteTrigger(ctx, function, name)
}

func (p *Platform) createTrigger(ctx context.Context, function string, s scf.KafkaTrigger) error {
	client, err := p.admit(ctx, function, s)
	if err != nil {
		return fmt.Errorf("create trigger %s of %s: %w", s.Name(), function, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.Join(ErrClosed, client.Close())
	}
	t := &kafkaTrigger{platform: p, function: function, name: s.Name(), client: client, set: s}
	p.triggers[triggerKey{function, t.name}] = t
	if p.runs != nil && s.Enabled {
		t.start(p.runs)
	}
	return nil
}

// admit checks a new trigger and opens its cluster.
func (p *Platform) admit(ctx context.Context, function string, s scf.KafkaTrigger) (*kafka.Client, error) {
	if err := checkTrigger(s); err != nil {
		return nil, err
	}
	if _, err := p.function(function); err != nil {
		return nil, err
	}
	count := 0
	for _, t := range p.list() {
		if t.function != function {
			continue
		}
		if count++; t.name == s.Name() {
			return nil, ErrTriggerExists
		}
	}
	if count >= scf.MaxTriggersOfKind {
		return nil, fmt.Errorf("the function has %d triggers of this kind, which is as many as may be", count)
	}
	return p.connect(ctx, s)
}

// connect opens the cluster of a trigger and looks the topic up.
func (p *Platform) connect(ctx context.Context, s scf.KafkaTrigger) (*kafka.Client, error) {
	cluster, ok := p.config.Clusters[s.InstanceID]
	if !ok {
		return nil, fmt.Errorf("the CKafka instance %s is no cluster here: name its brokers in custom.local.ckafka", s.InstanceID)
	}
	client, err := kafka.Open(ctx, cluster)
	if err != nil {
		return nil, err
	}
	if _, err := client.Topic(ctx, s.Topic); err != nil {
		if errors.Is(err, kafka.ErrUnknownTopic) {
			err = fmt.Errorf("%w: the topic of a trigger must exist before the trigger", err)
		}
		return nil, errors.Join(err, client.Close())
	}
	return client, nil
}

func (p *Platform) updateTrigger(ctx context.Context, function string, s scf.KafkaTrigger) error {
	t := p.trigger(triggerKey{function, s.Name()})
	err := checkTrigger(s)
	if t == nil {
		err = ErrUnknownTrigger
	} else if err == nil {
		err = changeable(t.set, s)
	}
	if err != nil {
		return fmt.Errorf("update trigger %s of %s: %w", s.Name(), function, err)
	}
	if t.set == s {
		return nil
	}
	t.halt(ctx)
	t.mu.Lock()
	t.set = s
	t.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs != nil && s.Enabled {
		t.start(p.runs)
	}
	return nil
}

// changeable refuses what UpdateTrigger refuses in the cloud.
func changeable(from, to scf.KafkaTrigger) error {
	if from.UpdatableTo(to) {
		return nil
	}
	var errs []error
	for _, c := range []struct{ setting, from, to string }{
		{"consumerGroupName", from.ConsumerGroup, to.ConsumerGroup},
		{"offset", from.Offset.String(), to.Offset.String()},
		{"qualifier", from.Qualifier, to.Qualifier},
	} {
		if c.from != c.to {
			errs = append(errs, fmt.Errorf("trigger %s: %s %q, now %q, %w", from.Name(), c.setting, c.to, c.from, ErrImmutable))
		}
	}
	return errors.Join(errs...)
}

func (p *Platform) deleteTrigger(ctx context.Context, function, name string) error {
	key := triggerKey{function, name}
	t := p.trigger(key)
	if t == nil {
		return fmt.Errorf("delete trigger %s of %s: %w", name, function, ErrUnknownTrigger)
	}
	t.halt(ctx)
	p.mu.Lock()
	delete(p.triggers, key)
	p.mu.Unlock()
	return t.client.Close()
}

func (p *Platform) trigger(key triggerKey) *kafkaTrigger {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.triggers[key]
}

// list returns the triggers, by function and name.
func (p *Platform) list() []*kafkaTrigger {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*kafkaTrigger, 0, len(p.triggers))
	for _, t := range p.triggers {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *kafkaTrigger) int {
		return cmp.Or(cmp.Compare(a.function, b.function), cmp.Compare(a.name, b.name))
	})
	return all
}

// Triggers returns what all triggers are doing, by function and name. Those of
// a kind that is not driven here carry that as their error.
func (p *Platform) Triggers() []TriggerStatus {
	var all []TriggerStatus
	for _, t := range p.list() {
		all = append(all, t.status())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.functions {
		for _, e := range f.Events {
			if e.Kafka == nil {
				all = append(all, TriggerStatus{Function: f.Name, Kind: e.Kind(), Name: e.Name(), Enabled: e.Enabled(),
					Error: "triggers of this kind are not driven by the local platform"})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b TriggerStatus) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Name, b.Name))
	})
	return all
}
