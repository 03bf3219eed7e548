package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what the triggers of a running etl up are doing",
		Long: `Ask the etl up of the same serverless.yml what its triggers are doing: the one
that runs in the same folder, or with the same --socket. Exit code 1 where a trigger is not driven: it cannot read its topic, a partition of it
waits for Kafka or is stalled, or a timer does not run. A function that fails and
is sent its event again is driven: see the state and the reason.`,
		Example: "  etl status\n  etl status -o json\n  etl status --socket /tmp/etl.sock    of etl up --socket /tmp/etl.sock",
		Args:    cobra.NoArgs,
	}
	service, socket := newServiceFlag(cmd), newSocketFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		folder, _, err := findService(service.file)
		path, byFolder := socket.path(a.environ, folder)
		if byFolder && err != nil {
			return err
		}
		if path == "" {
			return usagef("no socket: give --socket FILE or set %s, as for etl up", socketVariable)
		}
		triggers, err := askStatus(cmd.Context(), path)
		if err != nil {
			return err
		}
		report := statusReport{Faults: undriven(triggers), Triggers: triggers}
		report.Driven = len(report.Faults) == 0
		if err := a.print(report, func(w io.Writer) { printStatus(w, report) }); err != nil {
			return err
		}
		if !report.Driven {
			return errReported
		}
		return nil
	}
	return cmd
}

// statusReport is what `etl status -o json` prints.
type statusReport struct {
	Driven   bool                     `json:"driven"`
	Faults   []string                 `json:"faults,omitempty"`
	Triggers []emulator.TriggerStatus `json:"triggers"`
}

// undriven says of each open trigger, in words, why it does not do what it
// should. Triggers of a kind that is never driven here are not meant.
func undriven(triggers []emulator.TriggerStatus) []string {
	var faults []string
	for _, t := range triggers {
		switch {
		case !t.Enabled:
		case t.Kind == "ckafka":
			faults = append(faults, unread(t)...)
		case t.COS != nil && t.COS.State == emulator.Stopped:
			faults = append(faults, t.Function+" <- bucket "+t.COS.Bucket+": the platform does not run it yet")
		case t.Timer != nil && t.Timer.State == emulator.Stopped:
			faults = append(faults, t.Function+" <- timer "+t.Name+": the platform does not run it yet")
		}
	}
	return faults
}

// unread says of an open CKafka trigger why it does not read what it should.
func unread(t emulator.TriggerStatus) []string {
	var faults []string
	name := t.Function + " <- topic " + t.Topic
	switch {
	case t.Error != "":
		faults = append(faults, name+": "+t.Error)
	case len(t.Partitions) == 0:
		faults = append(faults, name+": its group has given it no partition yet")
	}
	for _, p := range t.Partitions {
		if p.State == emulator.BackingOff || p.State == emulator.Stalled {
			faults = append(faults, fmt.Sprintf("%s, partition %d: %s: %s", name, p.Partition, p.State, p.Reason))
		}
	}
	return faults
}

func printStatus(w io.Writer, r statusReport) {
	partitions := [][]string{{"FUNCTION", "TOPIC", "PARTITION", "STATE", "COMMITTED", "LAG", "INVOCATIONS", "FAILED"}}
	buckets := [][]string{{"FUNCTION", "BUCKET", "STATE", "EVENTS", "INVOCATIONS", "FAILED", "GIVEN UP"}}
	timers := [][]string{{"FUNCTION", "TIMER", "STATE", "LAST (UTC+8)", "NEXT (UTC+8)", "EVENTS", "INVOCATIONS", "FAILED", "GIVEN UP"}}
	for _, t := range r.Triggers {
		for _, p := range t.Partitions {
			partitions = append(partitions, []string{
				t.Function, t.Topic, fmt.Sprint(p.Partition), string(p.State), orNone(p.Committed), orNone(p.Lag),
				fmt.Sprint(p.Invocations), fmt.Sprint(p.Failures),
			})
		}
		if t.COS != nil && t.Async != nil {
			buckets = append(buckets, []string{
				t.Function, t.COS.Bucket + "/" + t.COS.Prefix, string(t.COS.State),
				fmt.Sprint(t.Async.Sent), fmt.Sprint(t.Async.Invocations), fmt.Sprint(t.Async.Failures), fmt.Sprint(t.Async.GivenUp),
			})
		}
		if t.Timer != nil && t.Async != nil {
			timers = append(timers, []string{
				t.Function, t.Name, string(t.Timer.State), orNever(t.Timer.Last), orNever(t.Timer.Next),
				fmt.Sprint(t.Async.Sent), fmt.Sprint(t.Async.Invocations), fmt.Sprint(t.Async.Failures), fmt.Sprint(t.Async.GivenUp),
			})
		}
	}
	if len(partitions) > 1 || len(timers) == 1 && len(buckets) == 1 {
		table(w, partitions)
	}
	if len(timers) > 1 {
		table(w, timers)
	}
	if len(buckets) > 1 {
		table(w, buckets)
	}
	for _, t := range r.Triggers {
		printFailures(w, t)
	}
	for _, fault := range r.Faults {
		fmt.Fprintln(w, "NOT DRIVEN", fault)
	}
}

// printFailures tells why a function is sent its events again, or was.
func printFailures(w io.Writer, t emulator.TriggerStatus) {
	for _, p := range t.Partitions {
		if p.State == emulator.Retrying {
			why := cmp.Or(p.Reason, p.LastError)
			fmt.Fprintf(w, "%s <- topic %s, partition %d: %s: %s\n", t.Function, t.Topic, p.Partition, p.State, why)
		}
	}
	if t.Async != nil && (t.Async.Retrying > 0 || t.Async.GivenUp > 0) {
		fmt.Fprintf(w, "%s <- %s %s: %d events wait to be sent again, %d were given up; last: %s\n",
			t.Function, t.Kind, t.Name, t.Async.Retrying, t.Async.GivenUp, t.Async.LastError)
	}
}

// orNever is a time in the zone in which crons are written, or a word where there
// is none.
func orNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(scf.CronZone()).Format(time.DateTime)
}

// orNone is an offset, or a word where there is none yet.
func orNone(n int64) string {
	if n < 0 {
		return "none"
	}
	return strconv.FormatInt(n, 10)
}
