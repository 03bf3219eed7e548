package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
)

// restoreFlags are those of etl restore.
type restoreFlags struct {
	place            *placeFlag
	include, exclude []string
	topics           string
	groups           string
	groupPrefix      string
	partitions       []string
	toTime           string
	toOffsets        []string
	toBackup         int64
	toFiles          string
	formatName       string
	format           backup.FileFormat
	plan             bool
	config           backup.RestoreConfig
}

func (a *app) restoreCommand() *cobra.Command {
	f := &restoreFlags{}
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Restore topics from a backup into a cluster, up to any moment",
		Long: `Restore what a backup has into the target cluster: every record once, in order, in its
partition, unchanged, topics with their settings, and the positions of groups.
Killed or stopped it goes on where it was when it is run again. Target topics that
hold records of others are refused.

A moment ends each partition before its first record with a later timestamp.

Positions of groups are set where the group has none in the target. In topics that get
another name they are not, unless --groups or --group-prefix says so: nobody there reads
under the group's name, and it would seem to lag behind.`,
		Example: "  etl restore --plan                                     what would be done\n" +
			"  etl restore --to-time 2026-01-02T15:04:05.123+08:00\n" +
			"  etl restore --include orders --topics orders:orders-restored --to-offset orders:3:1200\n" +
			"  etl restore --partition orders:0,3-5                   only these partitions, of this topic\n" +
			"  etl restore --groups none                              records alone\n" +
			"  etl restore --include orders --to-files orders-2026 --format parquet\n" +
			"  etl restore --to-backup 12 --job twelve --topics '*:restored.*'",
		Args: cobra.NoArgs,
	}
	f.place = newPlaceFlag(cmd).forCluster(cmd)
	target := targetFlag(cmd)
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.read(a, cmd.Flags().Changed("include")); err != nil {
			return err
		}
		var err error
		if f.config.Chain, err = f.place.chain(cmd.Context(), a); err != nil {
			return err
		}
		if f.toFiles != "" {
			return a.restoreFiles(cmd.Context(), f.config, f.toFiles, f.format)
		}
		if f.config.Target, err = target.open(cmd.Context(), a); err != nil {
			return err
		}
		defer f.config.Target.Close()
		if f.plan {
			return a.planRestore(cmd.Context(), f.config)
		}
		return a.restore(cmd.Context(), f.config)
	}
	return cmd
}

func (a *app) planRestore(ctx context.Context, config backup.RestoreConfig) error {
	plan, err := backup.PlanRestore(ctx, config)
	if err != nil {
		return err
	}
	if err := a.print(plan, func(w io.Writer) { printRestorePlan(w, plan) }); err != nil {
		return err
	}
	if plan.Conflicts() != nil {
		return errReported
	}
	return nil
}

func printRestorePlan(w io.Writer, p *backup.Plan) {
	rows := [][]string{{"TOPIC", "TARGET", "PARTITION", "OFFSETS", "RESTORED", "SEGMENTS", "LOGS", "HOLES"}}
	for _, t := range p.Topics {
		for _, part := range t.Partitions {
			restored := "-"
			if part.Restored >= 0 {
				restored = fmt.Sprint(part.Restored)
			}
			rows = append(
				rows,
				[]string{
					t.Name,
					t.Target,
					fmt.Sprint(part.Number),
					fmt.Sprintf("%d to %d", part.First, part.End),
					restored,
					fmt.Sprint(part.Segments),
					inBytes(part.Bytes),
					fmt.Sprint(len(part.Holes)),
				},
			)
		}
	}
	table(w, rows)
	for _, t := range p.Topics {
		for _, note := range t.Notes {
			fmt.Fprintf(w, "%s: %s\n", t.Name, note)
		}
		if t.Conflict != "" {
			fmt.Fprintf(w, "CONFLICT %s\n", t.Conflict)
		}
	}
	for _, d := range p.Damage {
		fmt.Fprintf(w, "left out: %s\n", d)
	}
	fmt.Fprintf(
		w,
		"cluster %s, backup %d of %s: %d topics, %d groups, %d segments, %s\n",
		p.Cluster,
		p.Sequence,
		moment(p.Time),
		len(p.Topics),
		len(p.Groups),
		p.Segments,
		inBytes(p.Bytes),
	)
}

func (a *app) restore(ctx context.Context, config backup.RestoreConfig) error {
	bar := a.newProgress("offsets restored")
	shown := make(chan backup.Progress, 1)
	ended := make(chan struct{})
	go func() { // which has the bar for itself
		defer close(ended)
		for p := range shown {
			bar.set(p.Offsets, p.OffsetsTotal)
		}
		bar.end()
	}()
	config.Progress = func(p backup.Progress) {
		select {
		case shown <- p:
		default: // the next one says more
		}
	}
	done, err := backup.Restore(ctx, config)
	close(shown)
	<-ended
	if err != nil {
		return fmt.Errorf("%w (what was committed stays: run it again to go on)", err)
	}
	return a.print(done, func(w io.Writer) { printRestored(w, done) })
}

func printRestored(w io.Writer, r backup.RestoreResult) {
	if len(r.Groups) > 0 {
		rows := [][]string{{"GROUP", "TOPIC", "PARTITION", "IN THE BACKUP", "IN THE TARGET", ""}}
		for _, g := range r.Groups {
			rows = append(
				rows,
				[]string{
					g.Group,
					g.Topic,
					fmt.Sprint(g.Partition),
					fmt.Sprint(g.Backup),
					fmt.Sprint(g.Offset),
					g.Reason,
				},
			)
		}
		table(w, rows)
	}
	for _, d := range r.Plan.Damage {
		fmt.Fprintf(w, "left out: %s\n", d)
	}
	fmt.Fprintf(w, "restored %d records, %s, of %d topics\n", r.Records, inBytes(r.Bytes), len(r.Plan.Topics))
}

func (a *app) restoreFiles(ctx context.Context, config backup.RestoreConfig, folder string, format backup.FileFormat) error {
	done, err := backup.RestoreFiles(ctx, config, folder, format)
	if err != nil {
		return err
	}
	return a.print(done, func(w io.Writer) {
		for _, d := range done.Plan.Damage {
			fmt.Fprintf(w, "left out: %s\n", d)
		}
		fmt.Fprintf(
			w,
			"%d records in %d files in %s; %d files were there already\n",
			done.Records,
			len(done.Files),
			folder,
			len(done.Skipped),
		)
	})
}
