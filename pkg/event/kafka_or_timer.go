package event

import (
	"bytes"
	"encoding/json"
	"log/slog"
)

// KafkaOrTimer is the event of a function that a topic or a timer triggers. One of both is there.
type KafkaOrTimer struct {
	Timer *Timer
	Kafka *Kafka
}

// UnmarshalJSON tells the triggers apart by the first member that only one of them has. What is wrong is a [DecodeError].
func (e *KafkaOrTimer) UnmarshalJSON(payload []byte) error {
	var kind struct {
		Records json.RawMessage
	}
	*e = KafkaOrTimer{}
	if bytes.Contains(payload, []byte(`"Records"`)) && json.Unmarshal(payload, &kind) == nil && kind.Records != nil {
		e.Kafka = new(Kafka)
		return e.Kafka.UnmarshalJSON(payload)
	}
	e.Timer = new(Timer)
	return e.Timer.UnmarshalJSON(payload)
}

// LogAttrs describes the event for the log line of its invocation.
func (e KafkaOrTimer) LogAttrs() []slog.Attr {
	if e.Kafka != nil {
		return e.Kafka.LogAttrs()
	}
	return e.Timer.LogAttrs()
}
