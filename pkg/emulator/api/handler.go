package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// apiVersion is the one that the service has.
const apiVersion = "2018-04-16"

// ServeHTTP answers one request. An error of the API is an answer with the HTTP
// status 200, as the service has it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.ctx.Err() != nil {
		http.Error(w, "the API is closed", http.StatusServiceUnavailable)
		return
	}
	if s.download(w, r) {
		return
	}
	began := s.config.Now()
	call := Call{Action: r.Header.Get("X-TC-Action"), RequestID: s.config.NewRequestID()}
	result, fault, err := s.answer(r, &call)
	if fault == CutBefore || fault == CutAfter {
		call.Code, call.Message = "cut", "the connection was cut"
		s.tell(call, began)
		panic(http.ErrAbortHandler) // why: it is how a handler closes the connection without an answer
	}
	if fault == ServerError {
		call.Code, call.Message = "500", "an injected fault"
		s.tell(call, began)
		http.Error(w, "internal server error", http.StatusInternalServerError)
		return
	}
	if err != nil {
		var known *Error
		if !errors.As(err, &known) {
			known = refuse("InternalError", "%v", err)
		}
		call.Code, call.Message = known.Code, known.Message
		result = map[string]any{"Error": map[string]string{"Code": known.Code, "Message": known.Message}}
	}
	s.tell(call, began)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Server", "scf-etl")
	_, _ = w.Write(envelope(result, call.RequestID)) // who asked and went away does not want to know
}

// tell reports a request that is done.
func (s *Server) tell(c Call, began time.Time) {
	c.Took = s.config.Now().Sub(began)
	s.config.Log.Debug("api", "action", c.Action, "function", c.Function, "request_id", c.RequestID, "code", c.Code,
		"message", c.Message, "took", c.Took)
	if s.config.Called != nil {
		s.config.Called(c)
	}
}

// answer checks a request and does it.
func (s *Server) answer(r *http.Request, call *Call) (result any, fault Fault, err error) {
	body, err := readBody(r)
	if err != nil {
		return nil, NoFault, err
	}
	if err := s.authenticate(r, body); err != nil {
		return nil, NoFault, err
	}
	if err := s.common(r); err != nil {
		return nil, NoFault, err
	}
	act, known := actions()[call.Action]
	if !known {
		return nil, NoFault, refuse("InvalidAction", "The action %q does not exist.", call.Action)
	}
	if s.config.Fault != nil {
		fault = s.config.Fault(call.Action, int(s.count.Add(1)-1))
	}
	switch {
	case fault == CutBefore || fault == ServerError:
		return nil, fault, nil
	case fault == Throttled || !s.limit.allow(call.Action, s.config.Now()):
		return nil, NoFault, refuse("RequestLimitExceeded",
			"The number of requests of %s in a second is above the limit. Try again later.", call.Action)
	}
	call.Function = functionOf(body)
	// why: what has begun is finished, whether its caller still waits or not; a
	// change that stopped in the middle would be neither made nor not made.
	ctx, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(r.Context()), host{}, r.Host))
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	s.adopt()
	result, err = act(s, ctx, body)
	return result, fault, err
}

// readBody reads what a request may hold.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, scf.MaxAPIBody+1))
	if err != nil {
		return nil, refuse("InvalidRequest", "The body of the request cannot be read.")
	}
	if len(body) > scf.MaxAPIBody {
		return nil, refuse("RequestSizeLimitExceeded",
			"The request has more than %d bytes. Larger code goes through COS.", scf.MaxAPIBody)
	}
	return body, nil
}

// common checks what all actions have in common.
func (s *Server) common(r *http.Request) error {
	switch version := r.Header.Get("X-TC-Version"); version {
	case apiVersion:
	case "":
		return missing("Version")
	default:
		return refuse("NoSuchVersion", "The version %q of the API does not exist; it is %s.", version, apiVersion)
	}
	if r.Header.Get("X-TC-Action") == "" {
		return missing("Action")
	}
	region := r.Header.Get("X-TC-Region")
	switch {
	case region == "":
		return missing("Region")
	case s.config.Region != "" && region != s.config.Region:
		return refuse("UnsupportedRegion", "The region %q is not served here; it is %s.", region, s.config.Region)
	}
	return nil
}

// envelope is the body of an answer.
func envelope(result any, requestID string) []byte {
	fields := map[string]json.RawMessage{}
	if result != nil {
		text, err := json.Marshal(result)
		if err == nil {
			err = json.Unmarshal(text, &fields)
		}
		if err != nil { // why: no answer of this package is, they are all plain structs
			fields = map[string]json.RawMessage{"Error": json.RawMessage(fmt.Sprintf(`{"Code":"InternalError","Message":%q}`, err))}
		}
	}
	fields["RequestId"] = json.RawMessage(strconv.Quote(requestID))
	text, _ := json.Marshal(map[string]any{"Response": fields})
	return text
}

// functionOf is the function that a request is about, for the log.
func functionOf(body []byte) string {
	var named struct{ FunctionName string }
	if json.Unmarshal(body, &named) != nil || len(named.FunctionName) > scf.MaxName {
		return ""
	}
	return named.FunctionName
}
