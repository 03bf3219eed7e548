package api

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// qualifierOf is what a trigger invokes.
func qualifierOf(t scf.Trigger) string {
	switch {
	case t.Kafka != nil:
		return cmp.Or(t.Kafka.Qualifier, latest)
	case t.Timer != nil:
		return cmp.Or(t.Timer.Qualifier, latest)
	case t.COS != nil:
		return cmp.Or(t.COS.Qualifier, latest)
	case t.URL != nil:
		return cmp.Or(t.URL.Qualifier, latest)
	}
	return ""
}

type createTriggerRequest struct {
	FunctionName, Namespace        string
	TriggerName, Type, TriggerDesc string
	Qualifier, CustomArgument      string
	Enable, Description            *string
}

// createTrigger is 583/18589. A trigger without Enable is open [?].
func (s *Server) createTrigger(ctx context.Context, r createTriggerRequest) (any, error) {
	if err := named(r.TriggerName, r.Type); err != nil {
		return nil, err
	}
	enabled, err := open(r.Enable, true)
	if err != nil {
		return nil, err
	}
	text := triggerText{r.Type, r.TriggerName, r.TriggerDesc, r.CustomArgument, enabled, cmp.Or(r.Qualifier, latest)}
	t, err := text.parse(s.platform.Instances())
	if err != nil {
		return nil, err
	}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.CreateTrigger", Active)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := errors.Join(roomFor(st, t), s.overlap(t)); err != nil {
		return nil, err
	}
	now := s.config.Now()
	st.Triggers = append(st.Triggers,
		trigger{Settings: t, Description: orText(r.Description, ""), AddTime: now, ModTime: now})
	if err := s.makeTrigger(ctx, st, t); err != nil {
		return nil, triggerError("FailedOperation.CreateTrigger", err)
	}
	if err := s.keep(e, st); err != nil {
		return nil, errors.Join(err, s.unmakeTrigger(ctx, e.state.Load(), t))
	}
	return struct{ TriggerInfo triggerDetail }{triggerInfo(st, *st.trigger(t.Kind(), t.Name()))}, nil
}

// roomFor refuses a trigger of a name that is taken, and one too many.
func roomFor(st *state, t scf.Trigger) error {
	if st.trigger(t.Kind(), t.Name()) != nil {
		return refuse("ResourceInUse.TriggerName",
			"The function %s has a trigger %s of the type %s already.", st.name(), t.Name(), t.Kind())
	}
	if _, err := st.qualified(qualifierOf(t)); err != nil {
		return err
	}
	count := 0
	for _, other := range st.Triggers {
		if other.Settings.Kind() == t.Kind() {
			count++
		}
	}
	if count >= scf.MaxTriggersOfKind {
		return refuse("LimitExceeded.Trigger",
			"The function has %d triggers of the type %s, which is as many as may be.", count, t.Kind())
	}
	return nil
}

// overlap refuses a COS trigger whose events another one gets, of whatever
// function.
func (s *Server) overlap(t scf.Trigger) error {
	if t.COS == nil {
		return nil
	}
	for _, e := range s.all() {
		st := e.state.Load()
		for _, other := range st.Triggers {
			if c := other.Settings.COS; c != nil && t.COS.Overlaps(*c) {
				return refuse("InvalidParameterValue.CosNotifyRuleConflict",
					"A trigger of the function %s gets such events of the bucket %s already.", st.name(), c.Bucket)
			}
		}
	}
	return nil
}

// makeTrigger makes a new trigger of a state on the platform.
func (s *Server) makeTrigger(ctx context.Context, st *state, t scf.Trigger) error {
	if !emulator.Driven(t) {
		return s.platform.SetUndriven(st.platformID(), st.undriven())
	}
	return s.platform.CreateTrigger(ctx, st.platformID(), t)
}

// unmakeTrigger takes a trigger that a state has not from the platform.
func (s *Server) unmakeTrigger(ctx context.Context, st *state, t scf.Trigger) error {
	if !emulator.Driven(t) {
		return s.platform.SetUndriven(st.platformID(), st.undriven())
	}
	err := s.platform.DeleteTrigger(ctx, st.platformID(), t.Kind(), t.Name())
	if errors.Is(err, emulator.ErrUnknownTrigger) {
		return nil // why: its cluster has not answered since the start
	}
	return err
}

// triggerError makes an answer of what the platform says.
func triggerError(code string, err error) error {
	switch {
	case errors.Is(err, kafka.ErrUnknownTopic):
		return refuse("FailedOperation.TopicNotExist", "%v.", err)
	case errors.Is(err, emulator.ErrImmutable):
		return refuse("InvalidParameterValue.TriggerDesc", "%v.", err)
	}
	return refuse(code, "%v.", err)
}

func named(name, kind string) error {
	switch {
	case name == "":
		return missing("TriggerName")
	case kind == "":
		return missing("Type")
	}
	return nil
}

// open reads Enable.
func open(v *string, otherwise bool) (bool, error) {
	if v == nil {
		return otherwise, nil
	}
	switch *v {
	case "OPEN":
		return true, nil
	case "CLOSE":
		return false, nil
	}
	return false, refuse("InvalidParameterValue.Enable", "Enable is %q, want OPEN or CLOSE.", *v)
}

// find is the trigger that a request names, with its qualifier.
func (s *state) find(kind, name, qualifier string) (*trigger, error) {
	t := s.trigger(kind, name)
	if t == nil {
		return nil, refuse("ResourceNotFound.Trigger",
			"The function %s has no trigger %s of the type %s.", s.name(), name, kind)
	}
	if has := qualifierOf(t.Settings); has != cmp.Or(qualifier, latest) {
		return nil, refuse("ResourceNotFound.Trigger",
			"The trigger %s has the qualifier %s, the request names %s.", name, has, cmp.Or(qualifier, latest))
	}
	return t, nil
}

type updateTriggerRequest struct {
	FunctionName, Namespace      string
	TriggerName, Type, Qualifier string
	TriggerDesc, CustomArgument  *string
	Enable, Description          *string
}

// updateTrigger is 583/96828: of a CKafka trigger it changes maxMsgNum, timeOut,
// retry and Enable, of a timer the cron, the argument and Enable.
func (s *Server) updateTrigger(ctx context.Context, r updateTriggerRequest) (any, error) {
	if err := named(r.TriggerName, r.Type); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"timer", "ckafka", "http"}, r.Type) {
		return nil, refuse("InvalidParameterValue.Type",
			"Type is %q, want timer, ckafka or http: another trigger is deleted and created again.", r.Type)
	}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.UpdateTrigger", Active)
	if err != nil {
		return nil, err
	}
	defer done()
	t, err := st.find(r.Type, r.TriggerName, r.Qualifier)
	if err != nil {
		return nil, err
	}
	enabled, err := open(r.Enable, t.Settings.Enabled())
	if err != nil {
		return nil, err
	}
	is := triggerInfo(st, *t)
	text := triggerText{is.Type, is.TriggerName, orText(r.TriggerDesc, is.TriggerDesc),
		orText(r.CustomArgument, is.CustomArgument), enabled, is.Qualifier}
	next, err := text.parse(s.platform.Instances())
	if err != nil {
		return nil, err
	}
	return nil, s.setTrigger(ctx, e, st, t, next, r.Description)
}

// setTrigger gives a trigger other settings; t is that of st.
func (s *Server) setTrigger(ctx context.Context, e *entry, st *state, t *trigger, next scf.Trigger,
	description *string) error {
	// why compared: the service would ignore another offset or group, and whoever
	// asks for one has to know.
	if err := changeable(t.Settings, next); err != nil {
		return err
	}
	before := t.Settings
	t.Settings, t.ModTime, t.Description = next, s.config.Now(), orText(description, t.Description)
	change := func(to scf.Trigger, of *state) error {
		if !emulator.Driven(to) {
			return s.platform.SetUndriven(of.platformID(), of.undriven())
		}
		err := s.platform.UpdateTrigger(ctx, of.platformID(), to)
		if errors.Is(err, emulator.ErrUnknownTrigger) {
			return nil // why: its cluster has not answered since the start
		}
		return err
	}
	if err := change(next, st); err != nil {
		return triggerError("FailedOperation.UpdateTrigger", err)
	}
	if err := s.keep(e, st); err != nil {
		return errors.Join(err, change(before, e.state.Load()))
	}
	return nil
}

// changeable refuses what takes another trigger.
func changeable(from, to scf.Trigger) error {
	fixed := false
	switch {
	case from.Kafka != nil:
		fixed = !from.Kafka.UpdatableTo(*to.Kafka)
	case from.Timer != nil:
		fixed = !from.Timer.UpdatableTo(*to.Timer)
	}
	if fixed {
		return refuse("InvalidParameterValue.TriggerDesc",
			"The trigger %s: only maxMsgNum, timeOut, retry and Enable of a CKafka trigger can be changed, and cron, "+
				"argument and Enable of a timer. Delete the trigger and create it again.", from.Name())
	}
	return nil
}

type deleteTriggerRequest struct {
	FunctionName, Namespace                   string
	TriggerName, Type, Qualifier, TriggerDesc string
}

// deleteTrigger takes a trigger away. It needs the TriggerDesc of a COS trigger, for a
// bucket can have several in the cloud.
func (s *Server) deleteTrigger(ctx context.Context, r deleteTriggerRequest) (any, error) {
	if err := named(r.TriggerName, r.Type); err != nil {
		return nil, err
	}
	if r.Type == "cos" && r.TriggerDesc == "" {
		return nil, missing("TriggerDesc")
	}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.DeleteTrigger", Active, UpdateFailed)
	if err != nil {
		return nil, err
	}
	defer done()
	t, err := st.find(r.Type, r.TriggerName, r.Qualifier)
	if err != nil {
		return nil, err
	}
	gone := t.Settings
	st.Triggers = slices.DeleteFunc(st.Triggers, func(t trigger) bool { return t.is(r.Type, r.TriggerName) })
	// why kept first: a trigger that is deleted here and kept would come back with
	// the next start.
	before := e.state.Load()
	if err := s.keep(e, st); err != nil {
		return nil, err
	}
	if err := s.unmakeTrigger(ctx, st, gone); err != nil {
		return nil, errors.Join(triggerError("FailedOperation.DeleteTrigger", err), s.keep(e, before))
	}
	return nil, nil
}

type updateTriggerStatusRequest struct {
	FunctionName, Namespace                   string
	TriggerName, Type, Qualifier, TriggerDesc string
	Enable                                    *string
}

// updateTriggerStatus is 583/54915.
func (s *Server) updateTriggerStatus(ctx context.Context, r updateTriggerStatusRequest) (any, error) {
	if err := named(r.TriggerName, r.Type); err != nil {
		return nil, err
	}
	if r.Enable == nil {
		return nil, missing("Enable")
	}
	enabled, err := open(r.Enable, true)
	if err != nil {
		return nil, err
	}
	e, st, done, err := s.edit(r.Namespace, r.FunctionName, "FailedOperation.UpdateTriggerStatus", Active)
	if err != nil {
		return nil, err
	}
	defer done()
	t, err := st.find(r.Type, r.TriggerName, r.Qualifier)
	if err != nil {
		return nil, err
	}
	if t.Settings.Enabled() == enabled {
		return nil, refuse("FailedOperation.UpdateTriggerStatus",
			"The trigger %s is in that state already.", r.TriggerName)
	}
	return nil, s.setTrigger(ctx, e, st, t, switched(t.Settings, enabled), nil)
}

// switched is a trigger opened or closed.
func switched(t scf.Trigger, enabled bool) scf.Trigger {
	switch {
	case t.Kafka != nil:
		k := *t.Kafka
		k.Enabled, t.Kafka = enabled, &k
	case t.Timer != nil:
		c := *t.Timer
		c.Enabled, t.Timer = enabled, &c
	case t.COS != nil:
		c := *t.COS
		c.Enabled, t.COS = enabled, &c
	case t.URL != nil:
		u := *t.URL
		u.Enabled, t.URL = enabled, &u
	}
	return t
}
