package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
)

// redriveFlags are what a redrive can be told.
type redriveFlags struct {
	deadletterFlags
	chosen       letterFlags
	source       *clusterFlag
	all, execute bool
	again        bool
	to, value    string
	rate         float64
	most         int
	positions    []deadletter.Position
}

func (a *app) deadletterRedriveCommand() *cobra.Command {
	var f redriveFlags
	cmd := &cobra.Command{
		Use:   "redrive [PARTITION:OFFSET...]",
		Short: "Send records that could not be handled on their way again",
		Long: `Send letters of a dead-letter topic on their way again: one, those that the flags
choose, or --all. Without --execute it only shows what it would do.

A record goes to the topic and partition that it came from, in the source cluster,
with its key, value, headers and time, and headers etl.redrive.* that say so. All
who read that topic see it once more, not only the function that has failed.
Letters of a partition are sent in their order.

Each is sent once: what was sent is in the topic DEADLETTER.redrives, and is left
out from then on unless --again is given. An interrupted redrive goes on with the
same command. A record that fails again is a new letter; after --max-redrives it
stays where it is.`,
		Example: "  etl deadletter redrive 0:12\n" +
			"  etl deadletter redrive 0:12 --value mended.json --execute\n" +
			"  etl deadletter redrive --function clean --error 'no such field' --execute\n" +
			"  etl deadletter redrive --all --to topic=orders.retry --rate 100 --execute",
	}
	f.add(cmd)
	f.chosen.add(cmd)
	f.source = sourceFlag(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "all letters")
	flags.BoolVar(&f.execute, "execute", false, "do it; without it, only show what would be sent")
	flags.BoolVar(&f.again, "again", false, "send also those that were sent already")
	flags.StringVar(&f.to, "to", "", "topic=NAME: to that topic of the source cluster instead of the record's own")
	flags.StringVar(&f.value, "value", "", "file with the value to send instead, or - for standard input; for one letter")
	flags.Float64Var(&f.rate, "rate", 0, "letters a second; 0: as fast as it goes")
	flags.IntVar(&f.most, "max-redrives", deadletter.DefaultMaxRedrives, "leave out letters whose record was sent so often already, and failed again")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := f.redriver(cmd, args)
		if err != nil {
			return err
		}
		return f.run(cmd, a, r)
	}
	return cmd
}

// redriver gives one without clusters.
func (f *redriveFlags) redriver(cmd *cobra.Command, args []string) (*deadletter.Redriver, error) {
	for _, arg := range args {
		at, err := deadletter.ParsePosition(arg)
		if err != nil {
			return nil, usagef("%v", err)
		}
		f.positions = append(f.positions, at)
	}
	filtered := slices.ContainsFunc(letterFilters, cmd.Flags().Changed)
	ways := 0
	for _, given := range []bool{len(args) > 0, f.all, filtered} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		return nil, usagef("nothing is chosen: give PARTITION:OFFSET, a filter as --reason, or --all")
	case ways > 1:
		return nil, usagef("give PARTITION:OFFSET, or filters, or --all: one of the three")
	case f.value != "" && len(f.positions) != 1:
		return nil, usagef("--value is for one letter: give its PARTITION:OFFSET")
	case f.rate < 0:
		return nil, usagef("--rate is %v: want letters a second, or 0 for no bound", f.rate)
	case f.most < 1:
		return nil, usagef("--max-redrives is %d: want 1 or more", f.most)
	}
	to, err := redriveTarget(f.to)
	if err != nil {
		return nil, err
	}
	sel, filter, err := f.chosen.read(cmd)
	if err != nil {
		return nil, err
	}
	sel.Only = f.positions
	return &deadletter.Redriver{To: to, Selection: sel, Filter: filter, MaxRedrives: f.most, Again: f.again, Rate: f.rate}, nil
}

// redriveTarget reads --to.
func redriveTarget(to string) (string, error) {
	kind, name, _ := strings.Cut(to, "=")
	switch {
	case to == "":
		return "", nil
	case kind == "topic" && name != "":
		return name, nil
	case kind == "function":
		// why: only the engine writes letters, in one transaction with its checkpoint
		return "", usagef("--to is %q: a job that writes dead letters has a checkpoint, which is behind their records already: invoked with their positions it skips them. "+
			"Leave --to out: the records go to their topic again, and its trigger brings them to the function; or give --to topic=NAME, a topic that has a trigger of the function", to)
	}
	return "", usagef("--to is %q: want topic=NAME", to)
}

func (f *redriveFlags) run(cmd *cobra.Command, a *app, r *deadletter.Redriver) (err error) {
	ctx := cmd.Context()
	var mended []byte
	if f.value != "" {
		if mended, err = readValue(cmd.InOrStdin(), f.value); err != nil {
			return err
		}
		r.Edits = map[deadletter.Position][]byte{f.positions[0]: mended}
	}
	if r.Letters, err = f.open(ctx, a); err != nil {
		return err
	}
	defer r.Letters.Client.Close()
	if r.Source, err = f.source.open(ctx, a); err != nil {
		return err
	}
	defer r.Source.Close()
	plan, err := a.redrive(ctx, r, f.execute)
	if err != nil {
		return err
	}
	if len(plan.Missing) > 0 {
		return fmt.Errorf("no letter begins at %v of topic %s: etl deadletter list --letters shows where they do; the others: %d sent", plan.Missing, r.Letters.Name, plan.Sent)
	}
	difference := ""
	if f.value != "" && !f.execute {
		found, err := r.Letters.Letter(ctx, f.positions[0])
		if err != nil {
			return err
		}
		difference = diffValues(found.Position.String(), found.Letter.Record.Value, f.value, mended)
	}
	return a.print(plan, func(w io.Writer) { printPlan(w, plan, r.Letters.Name, difference, f.execute) })
}

// redrive plans, and carries it out where that is wanted.
func (a *app) redrive(ctx context.Context, r *deadletter.Redriver, execute bool) (deadletter.Plan, error) {
	reading := a.newProgress("offsets read")
	r.Letters.Progress = reading.set
	defer reading.end()
	if !execute {
		plan, err := r.Plan(ctx)
		return plan, explain(err)
	}
	sending := a.newProgress("letters sent")
	r.Progress = func(done, total int64) {
		reading.end()
		sending.set(done, total)
	}
	defer sending.end()
	plan, err := r.Run(ctx)
	if err != nil && plan.Run != "" {
		err = fmt.Errorf("%w; the same command goes on from there", err)
	}
	return plan, explain(err)
}

func printPlan(w io.Writer, p deadletter.Plan, topic, difference string, executed bool) {
	if len(p.Routes) > 0 {
		rows := [][]string{{"REASON", "FUNCTION", "FROM", "TO", "LETTERS", "BYTES"}}
		for _, r := range p.Routes {
			rows = append(rows, []string{string(r.Reason), r.Function, r.From, r.To, fmt.Sprint(r.Letters), fmt.Sprint(r.Bytes)})
		}
		table(w, rows)
	}
	fmt.Fprint(w, difference)
	if len(p.Skipped) > 0 {
		fmt.Fprintln(w, "left out:")
		rows := [][]string{}
		for _, s := range p.Skipped {
			rows = append(rows, []string{"  " + fmt.Sprint(s.Letters), "as " + s.Example.String(), s.Reason})
		}
		table(w, rows)
	}
	if p.Overtaking > 0 {
		fmt.Fprintf(w, "%d letters overtake open ones with the same key that are not chosen\n", p.Overtaking)
	}
	printReading(w, p.Reading)
	if executed {
		fmt.Fprintf(w, "%d of %d letters were sent, recorded in topic %s\n", p.Sent, p.Chosen, deadletter.LogTopic(topic))
		return
	}
	fmt.Fprintf(w, "%d letters would be sent. Nothing was sent.", p.Chosen)
	if p.Chosen > 0 {
		fmt.Fprint(w, " Add --execute to do it.")
	}
	fmt.Fprintln(w)
}
