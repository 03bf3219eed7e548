package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// maxLogSpan is how far StartTime and EndTime may be apart, and maxLogRows what
// Offset and Limit may be together.
const (
	maxLogSpan = 24 * time.Hour
	maxLogRows = 10_000
)

type getFunctionLogsRequest struct {
	FunctionName, Namespace, Qualifier, FunctionRequestId string
	StartTime, EndTime                                    string
	Offset                                                int
	Limit                                                 *int
	Order, OrderBy                                        string
	Filter                                                *struct{ RetCode string }
	SearchContext                                         *struct {
		Offset, Keyword, Type *string
		Limit                 *int
	}
}

type functionLog struct {
	FunctionName, RequestId, StartTime, RetMsg, Log, Level, Source string
	RetCode, InvokeFinished, RetryNum                              int
	Duration                                                       float64
	BillDuration, MemUsage                                         int64
}

// getFunctionLogs tells of the invocations that the platform still has
// (emulator.Config.Keep). A qualifier is the version that ran, or the alias that
// was invoked. The version stands in the first line of Log.
func (s *Server) getFunctionLogs(_ context.Context, r getFunctionLogsRequest) (any, error) {
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	wanted, err := r.wanted(st)
	if err != nil {
		return nil, err
	}
	less, err := r.less()
	if err != nil {
		return nil, err
	}
	if r.Limit != nil && r.Offset+*r.Limit > maxLogRows {
		return nil, refuse("InvalidParameterValue.Limit",
			"Offset and Limit are %d together, allowed are %d.", r.Offset+*r.Limit, maxLogRows)
	}
	type row struct {
		emulator.Invocation
		retry int
	}
	var found []row
	tries := map[string]int{}
	for _, i := range s.platform.Invocations() {
		if wanted(i) {
			found = append(found, row{i, tries[i.RequestID]})
		}
		tries[i.RequestID]++
	}
	page, err := pageOf(found, func(a, b row) int { return less(a.Invocation, b.Invocation) },
		cmp.Or(strings.ToUpper(r.Order), "DESC"), r.Offset, r.Limit)
	if err != nil {
		return nil, err
	}
	list := []functionLog{}
	for _, i := range page {
		l := functionLog{
			FunctionName: i.Function, RequestId: i.RequestID, StartTime: stamp(i.Start), Log: logOf(i.Invocation),
			RetCode: codeOf(i.Error), InvokeFinished: 1, RetryNum: i.retry,
			Duration: millis(i.Duration), BillDuration: i.BilledMS, MemUsage: i.MaxRSS, RetMsg: text(i.Payload),
		}
		if i.Error != nil {
			l.RetMsg = errorText(i.Invocation)
		}
		list = append(list, l)
	}
	return struct {
		TotalCount int
		Data       []functionLog
	}{len(found), list}, nil
}

// wanted reports which invocations are asked for.
func (r getFunctionLogsRequest) wanted(st *state) (func(emulator.Invocation) bool, error) {
	code := func(int) bool { return true }
	if r.Filter != nil {
		var known bool
		code, known = map[string]func(int) bool{
			"":                      code,
			"is0":                   func(c int) bool { return c == 0 },
			"not0":                  func(c int) bool { return c != 0 },
			"TimeLimitExceeded":     func(c int) bool { return c == codeTimeout },
			"ResourceLimitExceeded": func(c int) bool { return c == codeMemory || c == codeLimit },
			"UserCodeException":     func(c int) bool { return c == codeFunction },
		}[r.Filter.RetCode]
		if !known {
			return nil, refuse("InvalidParameterValue.RetCode",
				"Filter.RetCode is %q, want is0, not0, TimeLimitExceeded, ResourceLimitExceeded or UserCodeException.", r.Filter.RetCode)
		}
	}
	if r.Qualifier != "" {
		if _, err := st.qualified(r.Qualifier); err != nil {
			return nil, err
		}
	}
	from, to, err := r.span()
	if err != nil {
		return nil, err
	}
	return func(i emulator.Invocation) bool {
		// why whole seconds: those are what the request can name.
		at := i.Start.Truncate(time.Second)
		return emulator.FunctionID(i.Namespace, i.Function) == st.platformID() && code(codeOf(i.Error)) &&
			(r.Qualifier == "" || i.Version == r.Qualifier || i.Qualifier == r.Qualifier) &&
			(r.FunctionRequestId == "" || i.RequestID == r.FunctionRequestId) &&
			(from.IsZero() || !at.Before(from) && !at.After(to))
	}, nil
}

// span is the time that is asked for; zero for any.
func (r getFunctionLogsRequest) span() (from, to time.Time, err error) {
	if r.StartTime == "" && r.EndTime == "" {
		return from, to, nil
	}
	from, err1 := time.ParseInLocation(time.DateTime, r.StartTime, clockZone())
	to, err2 := time.ParseInLocation(time.DateTime, r.EndTime, clockZone())
	switch {
	case r.StartTime == "" || r.EndTime == "":
		err = refuse("InvalidParameterValue.StartTimeOrEndTime", "Give StartTime and EndTime, or neither.")
	case err1 != nil || err2 != nil:
		err = refuse("InvalidParameterValue.DateTime",
			"StartTime is %q and EndTime %q, want times like 2017-05-16 20:00:00, in UTC+8.", r.StartTime, r.EndTime)
	case to.Before(from) || to.Sub(from) > maxLogSpan:
		err = refuse("InvalidParameterValue.StartTimeOrEndTime", "EndTime must be after StartTime, by a day at most.")
	}
	return from, to, err
}

func (r getFunctionLogsRequest) less() (func(a, b emulator.Invocation) int, error) {
	start := func(a, b emulator.Invocation) int { return a.Start.Compare(b.Start) }
	if !slices.Contains([]string{"", "asc", "desc"}, strings.ToLower(r.Order)) {
		return nil, refuse("InvalidParameterValue.Order", "Order is %q, want asc or desc.", r.Order)
	}
	switch r.OrderBy {
	case "", "start_time", "function_name":
		return start, nil
	case "duration":
		return func(a,
			b emulator.Invocation) int {
			return cmp.Or(cmp.Compare(a.Duration, b.Duration), start(a, b))
		}, nil
	case "mem_usage":
		return func(a, b emulator.Invocation) int { return cmp.Or(cmp.Compare(a.MaxRSS, b.MaxRSS), start(a, b)) }, nil
	}
	return nil, refuse("InvalidParameterValue.OrderBy",
		"OrderBy is %q, want function_name, duration, mem_usage or start_time.", r.OrderBy)
}
