package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/migrate"
)

func (a *app) migratePlanCommand() *cobra.Command {
	var f migrateFlags
	var plan migrate.Plan
	var dry bool
	cmd := &cobra.Command{
		Use:   "plan NAME",
		Short: "Show what a migration would copy and what is in the way, and store the plan",
		Long: `Show which topics would be copied where, and what is in the way. The plan is
stored in the target cluster, unless --dry-run is given; conflicts keep it from
being started, warnings do not. NAME is also that of the copy: its checkpoints are the groups
etl.NAME.TOPIC.PARTITION of the target.

Of several sources that are merged into one target each has a migration of its
own. Names that two of them would use are conflicts, and so are groups that exist
on the target.`,
		Example: "  etl migrate plan east --include 'orders.*' --include payments --exclude 'orders\\.tmp.*'\n" +
			"  etl migrate plan east --include '.*' --topics '*:east.*' --group-prefix east- --dry-run\n" +
			"  etl migrate plan west --include 'orders.*' --topics '*:west.*' --group-names readers:west-readers",
		Args: cobra.ExactArgs(1),
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&plan.Include, "include", []string{".*"},
		"topics to copy: a regular expression that matches the whole name; may be given again")
	flags.StringArrayVar(&plan.Exclude, "exclude", nil, "topics not to copy")
	flags.StringVar(&plan.Topics, "topics", "", "target names, SOURCE:TARGET, comma separated; *:PREFIX.* for all others")
	flags.StringArrayVar(&plan.Groups, "groups", []string{".*"}, "consumer groups to carry over")
	flags.StringArrayVar(&plan.ExcludeGroups, "exclude-groups", nil, "consumer groups not to carry over")
	flags.StringVar(&plan.GroupPrefix, "group-prefix", "", "put before the names of groups on the target")
	flags.StringVar(&plan.GroupNames, "group-names", "",
		"names of single groups on the target, SOURCE:TARGET, comma separated; without the prefix")
	flags.BoolVar(&plan.KeepSettings, "keep-settings", false,
		"leave the settings of target topics as they are; one that is made gets the source's")
	flags.BoolVar(&plan.NoWayBack, "no-way-back", false,
		"accept that nothing is copied back after the cut-over: there is no rollback from there")
	flags.BoolVar(&plan.ACLs, "acls", false, "carry the topics' own ACLs over: readers' at once, writers' at the cutover")
	flags.BoolVar(&dry, "dry-run", false, "store nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		plan.Name = args[0]
		if err := plan.Check(); err != nil {
			return usagef("%v", err)
		}
		return f.operate(cmd.Context(), a, func(o *migrate.Operator) (err error) {
			var preview migrate.Preview
			if dry {
				preview, err = o.Preview(cmd.Context(), plan)
			} else {
				preview, err = o.Plan(cmd.Context(), plan)
			}
			if err != nil {
				return err
			}
			if err := a.print(preview, func(w io.Writer) { printPreview(w, preview, dry) }); err != nil {
				return err
			}
			if len(preview.Conflicts) > 0 {
				return errReported
			}
			return nil
		})
	}
	return cmd
}

func printPreview(w io.Writer, p migrate.Preview, dry bool) {
	printPlannedTopics(w, p.Topics)
	printPlannedGroups(w, p.Groups)
	for _, c := range p.Warnings {
		fmt.Fprintf(w, "warning: %s\n", c)
	}
	for _, c := range p.Conflicts {
		fmt.Fprintf(w, "conflict: %s\n", c)
	}
	name := p.Plan.Name
	switch {
	case dry:
		fmt.Fprintln(w, "Nothing was stored (--dry-run).")
	case len(p.Conflicts) > 0:
		fmt.Fprintf(w, "The plan is stored, and cannot be started before its conflicts are gone. "+
			"etl migrate rollback %s drops it; then it can be made anew.\n", name)
	default:
		fmt.Fprintf(w, "The plan is stored. Next: etl migrate start %s\n", name)
	}
}

func printPlannedTopics(w io.Writer, topics []migrate.PlannedTopic) {
	rows := [][]string{{"SOURCE TOPIC", "TARGET TOPIC", "PARTITIONS", "ON TARGET", "RECORDS"}}
	for _, t := range topics {
		there := "to be created"
		if t.TargetPartitions > 0 {
			there = fmt.Sprintf("%d partitions", t.TargetPartitions)
		}
		rows = append(rows, []string{t.Source, t.Target, fmt.Sprint(t.Partitions), there, fmt.Sprint(t.Records)})
	}
	table(w, rows)
}

func printPlannedGroups(w io.Writer, groups []migrate.PlannedGroup) {
	if len(groups) == 0 {
		return
	}
	rows := [][]string{{"SOURCE GROUP", "TARGET GROUP", "POSITIONS"}}
	for _, g := range groups {
		rows = append(rows, []string{g.Source, g.Target, fmt.Sprint(g.Positions)})
	}
	table(w, rows)
}
