package event

import (
	"encoding/json"
	"log/slog"
	"time"
)

// Timer is the event of one invocation by a timer trigger (SCF manual, 583/9708):
//
//	{"Type":"Timer","TriggerName":"EveryDay","Time":"2019-02-21T11:49:00Z","Message":"..."}
type Timer struct {
	// Type is always "Timer".
	Type string
	// TriggerName is the name of the trigger, one of possibly several of the function.
	TriggerName string
	// Time is when the trigger was due, in UTC, to the second. A retried invocation has the same Time, so
	// that work derived from it, and not from the clock, is repeatable. The trigger's schedule is evaluated
	// in UTC+8.
	Time time.Time
	// Message is the text that was set on the trigger, up to 4 KB.
	Message string
}

const typeTimer = "Timer"

// UnmarshalJSON decodes a timer event. A payload that is not one is a *[DecodeError]: its Type is not
// "Timer", or its Time is missing or not an RFC 3339 time.
func (t *Timer) UnmarshalJSON(payload []byte) error {
	var out Timer
	s := newScanner(KindTimer, payload)
	err := s.document(func() error {
		return s.members(
			s.stringMember("Type", &out.Type),
			s.stringMember("TriggerName", &out.TriggerName),
			member{"Time", func() error { return s.time(&out.Time) }},
			s.stringMember("Message", &out.Message),
		)
	})
	if err != nil {
		return err
	}
	if out.Type != typeTimer {
		s.field = "Type"
		return s.fail(0, `it is not "Timer": this is not the event of a timer trigger`)
	}
	if out.Time.IsZero() {
		s.field = "Time"
		return s.fail(0, "it is missing")
	}
	*t = out
	return nil
}

// time reads an RFC 3339 time.
func (s *scanner) time(to *time.Time) error {
	start := s.i
	text, err := s.optionalText()
	if text == nil || err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return s.fail(start, "want a time like 2019-02-21T11:49:00Z")
	}
	*to = at.UTC()
	return nil
}

// MarshalJSON encodes the event as the platform sends it: Type is "Timer" and Time is in UTC, to the
// second. It fails for years that RFC 3339 cannot express.
func (t Timer) MarshalJSON() ([]byte, error) {
	type wire Timer // without this method
	out := wire(t)
	out.Type = typeTimer
	out.Time = t.Time.UTC().Truncate(time.Second)
	return json.Marshal(out)
}

// LogAttrs describes the event for the log line of its invocation. The message is not part of it.
func (t Timer) LogAttrs() []slog.Attr {
	return []slog.Attr{slog.String("trigger", t.TriggerName), slog.Time("due", t.Time)}
}
