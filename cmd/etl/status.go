package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what the triggers of a running etl up are doing",
		Long: `Ask an etl up that runs with the same --socket what its triggers are doing. Exit
code 1 where a trigger is not driven: it cannot read its topic, or a partition of
it waits for Kafka or is stalled. A function that fails and is sent its event
again is driven: see the state and the reason.`,
		Example: "  etl up --socket /tmp/etl.sock\n  etl status --socket /tmp/etl.sock",
		Args:    cobra.NoArgs,
	}
	socket := newSocketFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := socket.path(a.environ)
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

// undriven says of each open Kafka trigger, in words, why it does not read what
// it should.
func undriven(triggers []emulator.TriggerStatus) []string {
	var faults []string
	for _, t := range triggers {
		if t.Kind != "ckafka" || !t.Enabled {
			continue
		}
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
	}
	return faults
}

func printStatus(w io.Writer, r statusReport) {
	rows := [][]string{{"FUNCTION", "TOPIC", "PARTITION", "STATE", "COMMITTED", "LAG", "INVOCATIONS", "FAILED"}}
	for _, t := range r.Triggers {
		for _, p := range t.Partitions {
			rows = append(rows, []string{
				t.Function, t.Topic, fmt.Sprint(p.Partition), string(p.State), orNone(p.Committed), orNone(p.Lag),
				fmt.Sprint(p.Invocations), fmt.Sprint(p.Failures),
			})
		}
	}
	table(w, rows)
	for _, t := range r.Triggers {
		for _, p := range t.Partitions {
			if p.State == emulator.Retrying {
				why := cmp.Or(p.Reason, p.LastError)
				fmt.Fprintf(w, "%s <- topic %s, partition %d: %s: %s\n", t.Function, t.Topic, p.Partition, p.State, why)
			}
		}
	}
	for _, fault := range r.Faults {
		fmt.Fprintln(w, "NOT DRIVEN", fault)
	}
}

// orNone is an offset, or a word where there is none yet.
func orNone(n int64) string {
	if n < 0 {
		return "none"
	}
	return strconv.FormatInt(n, 10)
}
