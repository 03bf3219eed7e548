package main

import (
	"encoding/json"
	"log/slog"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
)

// Event is one of a trigger on a bucket, one of a CKafka trigger, or a message by hand.
type Event struct {
	Objects event.COS
	Records event.Kafka
	Message *transcode.Message
}

// UnmarshalJSON tells which one it is.
func (e *Event) UnmarshalJSON(payload []byte) error {
	*e = Event{}
	var kind struct {
		Records *[]map[string]json.RawMessage
	}
	if err := json.Unmarshal(payload, &kind); err != nil || kind.Records == nil {
		m, err := transcode.ParseMessage(payload)
		e.Message = &m
		return err
	}
	for _, r := range *kind.Records {
		if _, ok := r["cos"]; ok {
			return e.Objects.UnmarshalJSON(payload)
		}
	}
	return e.Records.UnmarshalJSON(payload)
}

// LogAttrs describes the event for the log line of its invocation.
func (e Event) LogAttrs() []slog.Attr {
	switch {
	case e.Objects.Records != nil:
		return e.Objects.LogAttrs()
	case e.Records.Records != nil:
		return e.Records.LogAttrs()
	}
	return []slog.Attr{slog.Bool("by_hand", true)}
}
