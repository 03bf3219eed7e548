package fn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// handled is the innermost layer: the event, the handler, its answer. There is no next step.
func (in *Instance[C, E, R]) handled(step) step {
	return func(ctx context.Context, c *call) ([]byte, error) {
		var event E
		if err := decode(c.payload, &event); err != nil {
			return nil, &EventError{Size: len(c.payload), Err: in.redactor.clean(err)}
		}
		c.event = attrsOf(&event)
		handler, took, err := in.warm.get(ctx, in.config)
		c.built = took
		if err != nil {
			return nil, &StartError{Err: in.redactor.clean(err)}
		}
		result, err := handler.Handle(ctx, event)
		// also beside an error: what was done before it
		c.result = attrsOf(&result)
		if err != nil {
			return nil, in.handlerFailed(ctx, err)
		}
		answer, err := encoded(result)
		if err != nil {
			return nil, &ResultError{Err: in.redactor.clean(err)}
		}
		return answer, nil
	}
}

// encoded is a result as JSON, with & < > as they are: a link in it can be copied from a terminal, and no browser reads it.
func encoded(result any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(result); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// handlerFailed gives a handler's error its type, and closes the handler if it is broken.
func (in *Instance[C, E, R]) handlerFailed(ctx context.Context, err error) error {
	if errors.Is(err, ErrBroken) {
		if closing := in.warm.close(); closing != nil {
			err = fmt.Errorf("%w; %w", err, closing)
		}
	}
	err = in.redactor.clean(err)
	if late := outOfTime(ctx, err); late != nil {
		return late
	}
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errStopping) {
		return &StoppedError{Err: err}
	}
	return &HandlerError{Err: err}
}

// decode reads an event. A type with UnmarshalJSON of its own is called directly, so it must judge the whole payload
// itself: encoding/json would scan every byte twice before it calls.
func decode[E any](payload []byte, event *E) error {
	if own, ok := any(event).(json.Unmarshaler); ok {
		return own.UnmarshalJSON(payload)
	}
	return json.Unmarshal(payload, event)
}
