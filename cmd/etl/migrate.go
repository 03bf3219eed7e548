package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func (a *app) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Move topics and consumer groups to another cluster, step by step",
		Long: `Move topics and consumer groups from the source to the target cluster while they
are written and read. Each step measures first, and is refused with the numbers
where it is too early; nothing has happened then.

  plan       what would be copied, and what is in the way; stores the plan
  start      the function migrate copies from now on
  status     how far it is
  verify     compare both sides by content
  cutover    once producers and consumers have stopped at the source: they may
             start at the target; what they write there is copied back
  rollback   end it in favour of the source, with all that was written since
  finish     end the copy back: the target stands alone`,
		Example: "  etl migrate plan east --include 'orders.*'\n  etl migrate start east\n  etl migrate status east --watch",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.migratePlanCommand(), a.migrateStatusCommand(), a.migrateVerifyCommand(),
		a.migrateStepCommand("start", "Begin to copy",
			"From now on the function migrate copies: it must be deployed with MIGRATION=NAME,\nor run here by etl up. "+
				"Conflicts are looked for once more.",
			(*migrate.Operator).Start),
		a.migrateStepCommand("cutover", "Leave the source for the target", "Producers and consumers must have stopped at the source; they may start at the\ntarget once this has returned. What they write there is copied back until finish\nor rollback.",
			(*migrate.Operator).CutOver),
		a.migrateStepCommand("rollback", "End a migration in favour of the source", "After the cut-over producers and consumers must have stopped at the target: all\nthat was written there is at the source then, and the groups go on there.",
			(*migrate.Operator).Rollback),
		a.migrateStepCommand("finish", "End the copy back: the target stands alone", "After this there is no way back.",
			(*migrate.Operator).Finish),
	)
	return cmd
}

// migrateFlags are those of all subcommands.
type migrateFlags struct {
	source, target *clusterFlag
	quiet          time.Duration
	acceptLate     bool
	full           bool
}

func (f *migrateFlags) add(cmd *cobra.Command) {
	f.source, f.target = sourceFlag(cmd), targetFlag(cmd)
}

// operate opens both clusters for one command.
func (f *migrateFlags) operate(ctx context.Context, a *app, work func(*migrate.Operator) error) error {
	source, err := f.source.open(ctx, a)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := f.target.open(ctx, a)
	if err != nil {
		return err
	}
	defer target.Close()
	return work(&migrate.Operator{
		Clusters: migrate.Clusters{Source: source, Target: target},
		Limits:   migrate.Limits{Quiet: f.quiet}, AcceptLate: f.acceptLate, Full: f.full,
		Progress: func(text string) { fmt.Fprintln(a.stderr, text) },
	})
}

func (a *app) migrateStepCommand(name, short, long string, step func(*migrate.Operator, context.Context, string) (migrate.State, error)) *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use: name + " NAME", Short: short, Long: long + "\n\nExit code 1 where a gate does not hold, with what was measured.",
		Example: "  etl migrate " + name + " east",
		Args:    cobra.ExactArgs(1),
	}
	f.add(cmd)
	if name == "finish" {
		cmd.Flags().BoolVar(&f.acceptLate, "accept-late", false, "leave records behind that were written to the source after the cut-over")
	}
	cmd.Flags().DurationVar(&f.quiet, "quiet", 3*time.Second, "for how long nobody may have written to the side that is left")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return f.operate(cmd.Context(), a, func(o *migrate.Operator) error {
			state, err := step(o, cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(state, func(w io.Writer) { printStep(w, state) })
		})
	}
	return cmd
}

// next says what an operator does after a step.
var next = map[migrate.Step]string{
	migrate.Planned:     "etl migrate start",
	migrate.Mirroring:   "etl migrate status, until the copy has caught up; then etl migrate verify",
	migrate.DualWriting: "etl migrate verify",
	migrate.Verified:    "stop producers, then consumers, at the source; then etl migrate cutover",
	migrate.CuttingOver: "etl migrate cutover once more, which goes on where it was interrupted",
	migrate.CutOver:     "start consumers and producers at the target; then etl migrate finish, or etl migrate rollback",
	migrate.Finished:    "nothing: the target stands alone",
	migrate.RolledBack:  "nothing: the source stands alone",
}

func printStep(w io.Writer, s migrate.State) {
	fmt.Fprintf(w, "migration %s is %s\n", s.Plan.Name, s.Step)
	for _, g := range s.History[len(s.History)-1].Gates {
		fmt.Fprintf(w, "  %s: %s (wanted: %s)\n", g.Name, g.Have, g.Want)
	}
	fmt.Fprintf(w, "Next: %s\n", nextOf(s))
}

func nextOf(s migrate.State) string {
	if s.Step == migrate.CutOver && s.Plan.NoWayBack {
		return "start consumers and producers at the target; then etl migrate finish: there is no rollback from here"
	}
	return next[s.Step]
}

func (a *app) migrateVerifyCommand() *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use:   "verify NAME",
		Short: "Compare both sides by content, up to what is copied",
		Long: `Compare key, value, headers and timestamp of every record that was copied, in
order, on both clusters, while they are written. Equal content, a small lag and
no partition that has stopped make the migration verified. Called again it goes on
where it has ended.`,
		Example: "  etl migrate verify east\n  etl migrate verify east --full",
		Args:    cobra.ExactArgs(1),
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.full, "full", false, "compare from the beginning, and not from where the last comparison has ended")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return f.operate(cmd.Context(), a, func(o *migrate.Operator) error {
			v, err := o.Verify(cmd.Context(), args[0])
			if len(v.Topics) > 0 {
				if err := a.print(v, func(w io.Writer) { printVerification(w, v) }); err != nil {
					return err
				}
			}
			return err
		})
	}
	return cmd
}

func printVerification(w io.Writer, v migrate.Verification) {
	rows := [][]string{{"TOPIC", "PARTITION", "RECORDS", "SOURCE DIGEST", "TARGET DIGEST", "EQUAL"}}
	for _, t := range v.Topics {
		for _, p := range t.Partitions {
			rows = append(rows, []string{t.SourceTopic, fmt.Sprint(p.Partition), fmt.Sprint(p.Source.Records), p.Source.Digest, p.Target.Digest, yes(p.Equal)})
		}
	}
	table(w, rows)
	printStep(w, v.State)
}

func (a *app) migrateStatusCommand() *cobra.Command {
	var f migrateFlags
	var watch bool
	cmd := &cobra.Command{
		Use:     "status [NAME]",
		Short:   "Show how far a migration is, or list all of them",
		Example: "  etl migrate status\n  etl migrate status east --watch",
		Args:    cobra.MaximumNArgs(1),
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again every two seconds, until Ctrl-C")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		return f.operate(ctx, a, func(o *migrate.Operator) error {
			if len(args) == 0 {
				states, err := migrate.NewStore(o.Target).List(ctx)
				return errors.Join(a.print(states, func(w io.Writer) { printStates(w, states) }), err)
			}
			var before *migrate.Status
			for {
				status, err := migrate.Look(ctx, o.Clusters, args[0])
				if ctx.Err() != nil && watch {
					return nil
				}
				if err != nil {
					return err
				}
				if err := a.print(status, func(w io.Writer) { printMigration(w, status, before) }); err != nil || !watch {
					return err
				}
				before = &status
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(2 * time.Second):
				}
			}
		})
	}
	return cmd
}

func printStates(w io.Writer, states []migrate.State) {
	rows := [][]string{{"MIGRATION", "STEP", "SINCE", "TOPICS"}}
	for _, s := range states {
		rows = append(rows, []string{s.Plan.Name, string(s.Step), s.Since.Local().Format(time.DateTime), strings.Join(s.Plan.Include, ",")})
	}
	table(w, rows)
}

// printMigration shows rates where it was looked before.
func printMigration(w io.Writer, s migrate.Status, before *migrate.Status) {
	fmt.Fprintf(w, "migration %s is %s since %s\n", s.State.Plan.Name, s.State.Step, s.State.Since.Local().Format(time.DateTime))
	if s.Back {
		fmt.Fprintln(w, "copying back, from the target to the source:")
	}
	if s.State.Step.Over() {
		fmt.Fprintln(w, "nothing is copied any more")
		return
	}
	rows := [][]string{{"TOPIC", "PARTITION", "COPIED TO", "END", "LAG", "SECONDS", "STATE"}}
	for _, lag := range s.Lags {
		state := "ok"
		if lag.Fault != "" {
			state = "STOPPED, see below"
		}
		rows = append(rows, []string{lag.Topic, fmt.Sprint(lag.Partition), fmt.Sprint(max(lag.Next, 0)), fmt.Sprint(lag.End), fmt.Sprint(lag.Records), secondsText(lag), state})
	}
	table(w, rows)
	for _, lag := range s.Lags {
		if lag.Fault != "" {
			fmt.Fprintf(w, "stopped: %s\n", lag.Fault)
		}
	}
	for _, late := range s.Late {
		fmt.Fprintf(w, "late: somebody has written to %s/%d of the source after the cut-over, first at offset %d\n", late.Topic, late.Partition, late.Offset)
	}
	printGroups(w, s.Groups)
	fmt.Fprintf(w, "Next: %s\n", nextOf(s.State))
}

func secondsText(lag mirror.Lag) string {
	if lag.Seconds == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.1f", *lag.Seconds)
}

func printGroups(w io.Writer, positions []mirror.GroupPosition) {
	if len(positions) == 0 {
		return
	}
	rows := [][]string{{"GROUP", "TOPIC", "PARTITION", "POSITION", "ON THE OTHER SIDE", "STATE"}}
	for _, p := range positions {
		there, state := fmt.Sprint(p.Target), "exact"
		switch {
		case p.Reason != "":
			state = p.Reason
		case p.Written:
			state = "to be written"
		}
		if p.Target < 0 {
			there = "none"
		}
		rows = append(rows, []string{p.Group, p.Topic, fmt.Sprint(p.Partition), fmt.Sprint(p.Source), there, state})
	}
	table(w, rows)
}
