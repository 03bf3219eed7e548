package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// action does one request.
type action func(s *Server, ctx context.Context, body []byte) (any, error)

// handle makes an action of a method: the body becomes its request.
func handle[R any](do func(*Server, context.Context, R) (any, error)) action {
	return func(s *Server, ctx context.Context, body []byte) (any, error) {
		var request R
		if err := decode(body, &request); err != nil {
			return nil, err
		}
		return do(s, ctx, request)
	}
}

// decode reads the body of a request strictly: unknown parameters, values of
// the wrong type and anything behind the object are refused. into is a pointer to
// a struct without omitempty.
func decode(body []byte, into any) error {
	if err := spelled(body, into); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
	case errors.As(err, &wrong):
		return refuse("InvalidParameter",
			"The value of the parameter `%s` is of the wrong type: %s, want %s.", wrong.Field, wrong.Value, wrong.Type)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return refuse("UnknownParameter",
			"The parameter `%s` is not recognized.", strings.Trim(strings.TrimPrefix(err.Error(),
				"json: unknown field "), `"`))
	default:
		return refuse("InvalidParameter", "The body of the request cannot be read: %v.", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refuse("InvalidParameter", "The body of the request has something behind its object.")
	}
	return nil
}

// spelled refuses parameters that are not written just so: the decoder would
// take other capitals, and the service does not.
func spelled(body []byte, into any) error {
	var given, known map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil || given == nil {
		return refuse("InvalidParameter", "The body of the request is not a JSON object.")
	}
	all, err := json.Marshal(into)
	if err == nil {
		err = json.Unmarshal(all, &known)
	}
	if err != nil {
		return err
	}
	for name := range given {
		if _, ok := known[name]; !ok {
			return refuse("UnknownParameter", "The parameter `%s` is not recognized.", name)
		}
	}
	return nil
}
