package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// restoreFlags are those of etl restore.
type restoreFlags struct {
	place            *placeFlag
	include, exclude []string
	topics           string
	groupPrefix      string
	toTime           string
	toOffsets        []string
	toBackup         int64
	toFiles          string
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

A moment ends each partition before its first record with a later timestamp.`,
		Example: "  etl restore --plan                                     what would be done\n" +
			"  etl restore --to-time 2026-01-02T15:04:05.123+08:00\n" +
			"  etl restore --include orders --topics orders:orders-restored --to-offset orders:3:1200\n" +
			"  etl restore --include orders --to-files orders-2026\n" +
			"  etl restore --to-backup 12 --job twelve --topics '*:restored.*'",
		Args: cobra.NoArgs,
	}
	f.place = newPlaceFlag(cmd).forCluster(cmd)
	target := targetFlag(cmd)
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.read(a); err != nil {
			return err
		}
		var err error
		if f.config.Chain, err = f.place.chain(cmd.Context(), a); err != nil {
			return err
		}
		if f.toFiles != "" {
			return a.restoreFiles(cmd.Context(), f.config, f.toFiles)
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

func (f *restoreFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.plan, "plan", false, "show what would be done, and do nothing")
	flags.StringArrayVar(
		&f.include,
		"include",
		[]string{".*"},
		"topics to restore: a regular expression that matches the whole name; may be given again",
	)
	flags.StringArrayVar(&f.exclude, "exclude", nil, "topics not to restore")
	flags.StringVar(&f.topics, "topics", "", "target names, SOURCE:TARGET, comma separated; *:PREFIX.* for all others")
	flags.StringVar(&f.groupPrefix, "group-prefix", "", "put before the names of groups in the target")
	flags.StringVar(
		&f.toTime,
		"to-time",
		"",
		"restore up to this moment: 2026-01-02T15:04:05.123+08:00, or how long ago, as 90m",
	)
	flags.StringArrayVar(
		&f.toOffsets,
		"to-offset",
		nil,
		"end a partition before this offset: TOPIC:PARTITION:OFFSET; may be given again",
	)
	flags.Int64Var(
		&f.toBackup,
		"to-backup",
		0,
		"restore what the cluster had at this backup: a number of etl backup list",
	)
	flags.StringVar(
		&f.toFiles,
		"to-files",
		"",
		"write JSON lines to this folder, TOPIC/PARTITION.jsonl, and to no cluster",
	)
	flags.StringVar(&f.config.Job, "job", "restore", "name of the restore: the same one goes on where it was")
	flags.BoolVar(&f.config.SkipDamaged, "skip-damaged", false, "leave out what is damaged, and tell of it")
	flags.BoolVar(
		&f.config.Unlimited,
		"keep-for-ever",
		false,
		"create topics without retention: else the target deletes what is older",
	)
	flags.IntVar(&f.config.Parallel, "parallel", 4, "partitions that are restored at a time")
	flags.BoolVar(
		&f.config.IntoTopicsThatHoldRecords,
		"into-topics-that-hold-records",
		false,
		"write behind the records of others",
	)
}

// read makes the configuration of the flags.
func (f *restoreFlags) read(a *app) (err error) {
	selected, err := mirror.NewSelection(f.include, f.exclude)
	if err != nil {
		return usagef("%v", err)
	}
	f.config.Select = selected.Match
	if f.config.Topics, err = mirror.ParseTopicMap(f.topics); err != nil {
		return usagef("--topics: %v", err)
	}
	if err := mirror.CheckJob(f.config.Job); err != nil {
		return usagef("%v", err)
	}
	f.config.RenameGroup = func(group string) string { return f.groupPrefix + group }
	if f.toTime != "" && f.toBackup != 0 {
		return usagef("--to-time and --to-backup: give one of them")
	}
	if f.config.Point.Time, err = parseMoment("to-time", f.toTime); err != nil {
		return err
	}
	f.config.Point.Sequence = f.toBackup
	if f.config.Point.Offsets, err = parseOffsets(f.toOffsets); err != nil {
		return err
	}
	if f.config.Identities, err = backup.Identities(a.identities()); err != nil {
		return usagef("AGE_IDENTITIES: %v", err)
	}
	return nil
}

func parseOffsets(all []string) (map[string]map[int32]int64, error) {
	offsets := map[string]map[int32]int64{}
	for _, text := range all {
		parts := strings.Split(text, ":")
		if len(parts) != 3 {
			return nil, usagef("--to-offset is %q: want TOPIC:PARTITION:OFFSET", text)
		}
		partition, err := strconv.ParseInt(parts[1], 10, 32)
		offset, offsetErr := strconv.ParseInt(parts[2], 10, 64)
		if err = errors.Join(err, offsetErr); err != nil || partition < 0 || offset < 0 {
			return nil, usagef("--to-offset is %q: want TOPIC:PARTITION:OFFSET", text)
		}
		if offsets[parts[0]] == nil {
			offsets[parts[0]] = map[int32]int64{}
		}
		offsets[parts[0]][int32(partition)] = offset
	}
	return offsets, nil
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

func (a *app) restoreFiles(ctx context.Context, config backup.RestoreConfig, folder string) error {
	done, err := backup.RestoreFiles(ctx, config, folder)
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
