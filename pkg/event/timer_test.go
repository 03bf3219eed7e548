package event_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
)

func TestTimerDecodesTheSample(t *testing.T) {
	t.Parallel()
	want := event.Timer{
		Type: "Timer", TriggerName: "EveryDay", Message: `{"retain":"30d"}`,
		Time: time.Date(2019, 2, 21, 11, 49, 0, 0, time.UTC),
	}
	var got event.Timer
	if err := got.UnmarshalJSON(must(event.Sample(event.KindTimer))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTimerTimeIsInUTC(t *testing.T) {
	t.Parallel()
	var got event.Timer
	if err := got.UnmarshalJSON([]byte(`{"Type":"Timer","Time":"2019-02-21T19:49:00+08:00"}`)); err != nil {
		t.Fatal(err)
	}
	if s := got.Time.String(); s != "2019-02-21 11:49:00 +0000 UTC" {
		t.Errorf("got %s", s)
	}
}

func TestTimerRefusesWhatIsNoTimerEvent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, payload, want string }{
		{"no payload", ``, "decode timer event: unexpected end of the payload, want an object (byte 0)"},
		{"null", `null`, `decode timer event: Type: it is not "Timer": this is not the event of a timer trigger (byte 0)`},
		{"the event of another trigger", `{"Records":[]}`, `decode timer event: Type: it is not "Timer": this is not the event of a timer trigger (byte 0)`},
		{"no time", `{"Type":"Timer"}`, "decode timer event: Time: it is missing (byte 0)"},
		{"a time that is none", `{"Type":"Timer","Time":"noon"}`, "decode timer event: Time: want a time like 2019-02-21T11:49:00Z (byte 23)"},
		{"a time as a number", `{"Type":"Timer","Time":1545205770}`, "decode timer event: Time: want a string, not a number (byte 23)"},
		{"trailing data", `{"Type":"Timer","Time":"2019-02-21T11:49:00Z"}}`, "decode timer event: unexpected character '}', want the end of the payload (byte 46)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got event.Timer
			err := got.UnmarshalJSON([]byte(tt.payload))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if got != (event.Timer{}) {
				t.Errorf("a failed decode changed the event: %+v", got)
			}
		})
	}
}

func TestTimerEncodesAsThePlatform(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("UTC+8", 8*60*60)
	in := event.Timer{TriggerName: "EveryDay", Time: time.Date(2019, 2, 21, 19, 49, 0, 999, shanghai), Message: "m"}
	want := `{"Type":"Timer","TriggerName":"EveryDay","Time":"2019-02-21T11:49:00Z","Message":"m"}`
	if got := string(must(json.Marshal(in))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTimerLogAttrsLeaveTheMessageOut(t *testing.T) {
	t.Parallel()
	in := event.Timer{TriggerName: "EveryDay", Time: time.Date(2019, 2, 21, 11, 49, 0, 0, time.UTC), Message: "secret"}
	if got, want := logLine(t, in.LogAttrs()), "trigger=EveryDay due=2019-02-21T11:49:00.000Z"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
