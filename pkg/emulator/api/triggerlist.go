package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

type triggerDetail struct {
	TriggerName, Type, TriggerDesc, CustomArgument, Description string
	Enable                                                      int // 1 open, 0 closed
	Qualifier                                                   string
	AvailableStatus, BindStatus                                 string
	ResourceId, TriggerAttribute                                string
	AddTime, ModTime                                            string
}

// available and notDriven say whether the local platform fires a trigger.
const (
	available = "Available"
	notDriven = "NotDriven"
)

func triggerInfo(st *state, t trigger) triggerDetail {
	d := triggerDetail{
		TriggerName: t.Settings.Name(), Type: t.Settings.Kind(), TriggerDesc: descOf(t.Settings),
		Description: t.Description,
		Qualifier:   qualifierOf(t.Settings), AvailableStatus: available, BindStatus: "on", TriggerAttribute: "single",
		ResourceId: "trigger-" + digest([]byte(st.platformID() + t.Settings.Kind() + t.Settings.Name()))[:8],
		AddTime:    stamp(t.AddTime), ModTime: stamp(t.ModTime),
	}
	if t.Settings.Enabled() {
		d.Enable = 1
	}
	if t.Settings.Timer != nil {
		d.CustomArgument = t.Settings.Timer.Argument
	}
	if !emulator.Driven(t.Settings) {
		d.AvailableStatus = notDriven
	}
	return d
}

func (s *Server) triggerDetails(st *state) []triggerDetail {
	list := []triggerDetail{}
	for _, t := range st.Triggers {
		list = append(list, triggerInfo(st, t))
	}
	return list
}

type listTriggersRequest struct {
	FunctionName, Namespace string
	Offset                  int
	Limit                   *int
	OrderBy, Order          string
	Filters                 []filter
}

// listTriggers is 583/44268.
func (s *Server) listTriggers(_ context.Context, r listTriggersRequest) (any, error) {
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	var found []trigger
	for _, t := range st.Triggers {
		ok := true
		for _, f := range r.Filters {
			value, known := map[string]string{"Qualifier": qualifierOf(t.Settings),
				"TriggerName": t.Settings.Name(), "Description": t.Description}[f.Name]
			if !known {
				return nil, refuse("InvalidParameterValue.Filters", "The filter %q is not known.", f.Name)
			}
			ok = ok && slices.Contains(f.Values, value)
		}
		if ok {
			found = append(found, t)
		}
	}
	var less func(a, b trigger) int
	switch r.OrderBy {
	case "add_time":
		less = func(a, b trigger) int { return a.AddTime.Compare(b.AddTime) }
	case "mod_time", "":
		less = func(a, b trigger) int { return a.ModTime.Compare(b.ModTime) }
	default:
		return nil, refuse("InvalidParameterValue.OrderBy", "OrderBy is %q, want add_time or mod_time.", r.OrderBy)
	}
	page, err := pageOf(found, less, cmp.Or(r.Order, "DESC"), r.Offset, r.Limit)
	if err != nil {
		return nil, err
	}
	list := []triggerDetail{}
	for _, t := range page {
		list = append(list, triggerInfo(st, t))
	}
	return struct {
		TotalCount int
		Triggers   []triggerDetail
	}{len(found), list}, nil
}
