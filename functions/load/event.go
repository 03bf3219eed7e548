package main

import (
	"bytes"
	"encoding/json"
	"log/slog"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// Event is that of one of the function's triggers: a topic, or a timer.
type Event struct {
	Timer *event.Timer
	Kafka *event.Kafka
}

// UnmarshalJSON tells the triggers apart by the first member that only one of them has.
func (e *Event) UnmarshalJSON(payload []byte) error {
	var kind struct {
		Records json.RawMessage
	}
	*e = Event{}
	if bytes.Contains(payload, []byte(`"Records"`)) && json.Unmarshal(payload, &kind) == nil && kind.Records != nil {
		e.Kafka = new(event.Kafka)
		return e.Kafka.UnmarshalJSON(payload)
	}
	e.Timer = new(event.Timer)
	return e.Timer.UnmarshalJSON(payload)
}

// LogAttrs describes the event for the log line of its invocation.
func (e Event) LogAttrs() []slog.Attr {
	if e.Kafka != nil {
		return e.Kafka.LogAttrs()
	}
	return e.Timer.LogAttrs()
}
