package main

import (
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func TestInvokeNamesTheEventThatAFunctionTakes(t *testing.T) {
	t.Parallel()
	for requirement, test := range map[string]struct {
		message string
		want    bool
	}{
		"an event of another kind is answered with where there is a sample": {
			"decode ckafka event: Records: there are none (byte 0)", true,
		},
		"another failure is told as it is": {"dial tcp 127.0.0.1:1: connection refused", false},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			var said, answer strings.Builder
			printInvocation(&answer, &said, emulator.Invocation{Error: &emulator.FunctionError{Message: test.message}})
			if got := strings.Contains(said.String(), "etl event ckafka"); got != test.want {
				t.Errorf("said %q", said.String())
			}
		})
	}
}

func TestTheEventOfATimer(t *testing.T) {
	t.Parallel()
	timer := func(name string) scf.Trigger {
		return scf.Trigger{Timer: &scf.TimerTrigger{Name: name, Cron: "0 0 * * * * *", Argument: name + "!"}}
	}
	due := time.Date(2026, 11, 27, 12, 0, 0, 500, time.UTC)
	two := scf.Function{Key: "report", Events: []scf.Trigger{{Kafka: &scf.KafkaTrigger{}}, timer("daily"), timer("hourly")}}
	one := two
	one.Events = two.Events[:2]
	for requirement, test := range map[string]struct {
		function   scf.Function
		name, want string
	}{
		"the only one needs no name": {one, theOnlyTimer, `{"Type":"Timer","TriggerName":"daily","Time":"2026-11-27T12:00:00Z","Message":"daily!"}`},
		"of several one is chosen":   {two, "hourly", `{"Type":"Timer","TriggerName":"hourly","Time":"2026-11-27T12:00:00Z","Message":"hourly!"}`},
		"of several one must be":     {two, theOnlyTimer, "one of daily, hourly"},
		"another name is told":       {two, "weekly", `no timer "weekly": it has daily, hourly`},
		"there need be none":         {scf.Function{Key: "dump"}, theOnlyTimer, "dump has no timer"},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			got, err := timerEvent(test.function, test.name, due)
			if text := string(got); err == nil && text != test.want {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
