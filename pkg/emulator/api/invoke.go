package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// tailBytes is how much of its log an invocation gives back.
const tailBytes = 4 << 10

// maxRoutingKey bounds RoutingKey, in bytes.
const maxRoutingKey = 1 << 10

type invokeRequest struct {
	FunctionName, Namespace, Qualifier string
	InvocationType                     string
	ClientContext                      *string
	LogType                            string
	RoutingKey                         string
}

// invocationResult is Result of the data types.
type invocationResult struct {
	Log, RetMsg, ErrMsg string
	MemUsage            int64   // bytes
	Duration            float64 // ms
	BillDuration        int64   // ms
	FunctionRequestId   string
	InvokeResult        int // 0, or the status code of the failure
}

// invoke runs a function, or sends it an event.
func (s *Server) invoke(ctx context.Context, r invokeRequest) (any, error) {
	switch r.InvocationType {
	case "", "RequestResponse", "Event":
	default:
		return nil, refuse("InvalidParameterValue.InvokeType",
			"InvocationType is %q, want RequestResponse or Event.", r.InvocationType)
	}
	return s.call(ctx, r, cmp.Or(r.Qualifier, latest))
}

type invokeFunctionRequest struct {
	FunctionName, Namespace, Qualifier string
	Event                              *string
	LogType                            string
	RoutingKey                         string
}

// invokeFunction is 583/58400.
func (s *Server) invokeFunction(ctx context.Context, r invokeFunctionRequest) (any, error) {
	return s.call(ctx, invokeRequest{
		FunctionName: r.FunctionName, Namespace: r.Namespace, ClientContext: r.Event, LogType: r.LogType,
		RoutingKey: r.RoutingKey,
	}, cmp.Or(r.Qualifier, "$DEFAULT"))
}

func (s *Server) call(ctx context.Context, r invokeRequest, qualifier string) (any, error) {
	event := orText(r.ClientContext, "{}")
	o := emulator.InvokeOptions{Qualifier: qualifier}
	switch {
	case !json.Valid([]byte(event)):
		return nil, refuse("InvalidParameterValue.Param", "The event is no JSON.")
	case r.LogType != "" && r.LogType != "None" && r.LogType != "Tail":
		return nil, refuse("InvalidParameterValue", "LogType is %q, want None or Tail.", r.LogType)
	case len(r.RoutingKey) > maxRoutingKey:
		return nil, refuse("InvalidParameterValue.LimitExceeded",
			"RoutingKey has %d bytes, allowed are %d.", len(r.RoutingKey), maxRoutingKey)
	case r.RoutingKey != "" && json.Unmarshal([]byte(r.RoutingKey), &o.RoutingKey) != nil:
		return nil, refuse("InvalidParameterValue.Param", "RoutingKey is no JSON object of texts.")
	}
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	v, err := st.qualified(qualifier)
	if err != nil {
		return nil, err
	}
	if v.Status != Active {
		return nil, badState("FailedOperation.FunctionStatusError", v.Status)
	}
	if r.InvocationType == "Event" {
		id, err := s.platform.Send(ctx, st.platformID(), []byte(event), o)
		if err != nil {
			return nil, invokeError(err)
		}
		return struct{ Result invocationResult }{invocationResult{FunctionRequestId: id}}, nil
	}
	i, err := s.platform.Invoke(ctx, st.platformID(), []byte(event), o)
	if err != nil {
		return nil, invokeError(err)
	}
	return struct{ Result invocationResult }{resultOf(i, r.LogType == "Tail")}, nil
}

// invokeError makes an answer of what the platform says where nothing ran.
func invokeError(err error) error {
	switch {
	case errors.Is(err, emulator.ErrUnknownFunction):
		return refuse("ResourceNotFound.Function", "%v.", err)
	case errors.Is(err, emulator.ErrUnknownQualifier):
		return refuse("ResourceNotFound.Qualifier", "%v.", err)
	case errors.Is(err, emulator.ErrEventTooLarge):
		return refuse("InvalidParameter.RequestTooLarge", "%v.", err)
	}
	return refuse("FailedOperation.InvokeFunction", "%v.", err)
}

func resultOf(i emulator.Invocation, tail bool) invocationResult {
	r := invocationResult{
		MemUsage: i.MaxRSS, Duration: millis(i.Duration), BillDuration: i.BilledMS, FunctionRequestId: i.RequestID,
		InvokeResult: codeOf(i.Error),
	}
	if i.Error == nil {
		r.RetMsg = text(i.Payload)
	} else {
		r.ErrMsg = errorText(i)
	}
	if tail {
		r.Log = lastBytes(logOf(i), tailBytes)
	}
	return r
}

func millis(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e3 }

// text makes bytes fit for JSON.
func text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// The status codes of an invocation (583/42611).
const (
	codeResponse = 407
	codeFunction = 430
	codeLimit    = 432
	codeTimeout  = 433
	codeMemory   = 434
	codeExit     = 439
	codeSystem   = 500
)

func codeOf(e *emulator.FunctionError) int {
	if e == nil {
		return 0
	}
	switch e.Kind {
	case emulator.KindFunction:
		return codeFunction
	case emulator.KindTimeout:
		return codeTimeout
	case emulator.KindMemory:
		return codeMemory
	case emulator.KindExit:
		return codeExit
	case emulator.KindResponse:
		return codeResponse
	case emulator.KindLimit:
		return codeLimit
	}
	return codeSystem
}

// errorText is how a failure is told [?]: no page states its form for Go.
func errorText(i emulator.Invocation) string {
	told := struct {
		ErrorCode    int              `json:"errorCode"`
		ErrorMessage string           `json:"errorMessage"`
		ErrorType    string           `json:"errorType,omitempty"`
		RequestID    string           `json:"requestId"`
		StackTrace   []emulator.Frame `json:"stackTrace,omitempty"`
		StatusCode   int              `json:"statusCode"`
	}{-1, i.Error.Message, i.Error.Type, i.RequestID, i.Error.Stack, codeOf(i.Error)}
	b, _ := json.Marshal(told) // why: plain texts and numbers
	return string(b)
}

// logOf is the log of an invocation with the lines that the platform puts
// around it.
func logOf(i emulator.Invocation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "START RequestId: %s Version: %s\n", i.RequestID, i.Version)
	if i.LogDropped > 0 {
		fmt.Fprintf(&b, "(%d bytes left out)\n", i.LogDropped)
	}
	for _, part := range [][]byte{i.InitLog, i.Log} {
		b.WriteString(text(part))
		if len(part) > 0 && part[len(part)-1] != '\n' {
			b.WriteByte('\n')
		}
	}
	if i.Error != nil {
		fmt.Fprintf(&b, "ERROR RequestId: %s Result: %s\n", i.RequestID, text([]byte(i.Error.Error())))
	}
	fmt.Fprintf(&b, "END RequestId: %s\nReport RequestId: %s Duration: %vms Memory: %dMB MemUsage: %.6fMB\n",
		i.RequestID, i.RequestID, millis(i.Duration), i.MemoryMB, float64(i.MaxRSS)/(1<<20))
	return b.String()
}

// lastBytes is the end of a text, from the beginning of a character on.
func lastBytes(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[len(s)-most:], "")
	}
	return s
}
