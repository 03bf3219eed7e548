package main

import (
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

func TestUpSaysWhatEachTriggerWillDo(t *testing.T) {
	t.Parallel()
	timer := emulator.TriggerStatus{
		Function: "report", Kind: "timer", Name: "hourly", Enabled: true, Retry: 2, RetryInterval: time.Minute,
		Timer: &emulator.TimerStatus{Cron: "0 0 * * * * *", Next: time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)},
	}
	last := timer
	last.Timer = &emulator.TimerStatus{Cron: "0 0 12 27,28 11 * 2026", Next: time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)}
	closed := timer
	closed.Enabled, closed.Timer = false, &emulator.TimerStatus{Cron: "0 0 * * * * *"}
	for requirement, test := range map[string]struct {
		trigger emulator.TriggerStatus
		says    []string
	}{
		"a topic, with the settings in force": {
			emulator.TriggerStatus{Function: "dump", Kind: "ckafka", Topic: "orders", Group: "etl", Enabled: true, MaxMsgNum: 100, TimeOut: time.Second,
				Retry: 3, RetryInterval: time.Minute, AfterLastRetry: emulator.Drop, Oversize: emulator.Stall},
			[]string{"dump <- topic orders, group etl\n", "up to 100 records, within 1s", "again every 1m0s", "3 times, then the partition goes on", "stops there"},
		},
		"a timer, with its next times in UTC+8": {
			timer, []string{"report <- timer hourly, 0 0 * * * * * in UTC+8, next 2026-11-27 12:00:00, then 2026-11-27 13:00:00, then 2026-11-27 14:00:00\n", "again after 1m0s [?], 2 times, then it is given up", "[?] no document"},
		},
		"a timer whose years end, with what is left of them": {
			last, []string{"next 2026-11-27 12:00:00, then 2026-11-28 12:00:00\n"},
		},
		"a timer that is off": {
			closed, []string{"report <- timer hourly, 0 0 * * * * * in UTC+8, next never, CLOSED\n"},
		},
		"a bucket, which is not driven": {
			emulator.TriggerStatus{Function: "transcode", Kind: "cos", Name: "media", Error: "not driven"},
			[]string{"transcode <- cos media: not driven here yet, use etl invoke\n"},
		},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			printTriggers(&b, []emulator.TriggerStatus{test.trigger})
			for _, want := range test.says {
				if !strings.Contains(b.String(), want) {
					t.Errorf("got %q, want %q in it", b.String(), want)
				}
			}
		})
	}
}

func TestUpTellsOfAnEventThatIsGivenUp(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	lines := &invocationLines{w: &b}
	lines.givenUp(emulator.GivenUp{Function: "report", Trigger: "hourly", Reason: "the function failed 3 times"})
	if got, want := b.String(), "report hourly GIVEN UP: the function failed 3 times\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
