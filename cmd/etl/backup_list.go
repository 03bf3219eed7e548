package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
)

func (a *app) backupListCommand() *cobra.Command {
	var most int64
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the backups in order of time",
		Long: `Show the backups in order of time. Each has what was new since the one before it, and
can be restored with all before it: etl restore --to-backup NUMBER. Any moment
between them can be restored, too: etl restore --to-time.`,
		Example: "  etl backup list\n  etl backup list --most 0       all of them",
		Args:    cobra.NoArgs,
	}
	place := newPlaceFlag(cmd).forCluster(cmd)
	cmd.Flags().Int64Var(&most, "most", 50, "show the newest so many; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		chain, err := place.chain(cmd.Context(), a)
		if err != nil {
			return err
		}
		list, err := chain.List(cmd.Context(), most)
		if err != nil {
			return err
		}
		return a.print(list, func(w io.Writer) { printBackups(w, chain.Cluster(), list) })
	}
	return cmd
}

func printBackups(w io.Writer, cluster string, list []backup.Entry) {
	rows := [][]string{
		{"BACKUP", "TIME", "COMPLETE", "TOPICS", "GROUPS", "NEW SEGMENTS", "NEW RECORDS", "LOGS", "STORED", "GAPS"},
	}
	for _, e := range list {
		if e.Error != "" {
			rows = append(rows, []string{fmt.Sprint(e.Sequence), e.Error})
			continue
		}
		complete := yes(e.Complete)
		if e.Prune {
			complete = "prune"
		}
		rows = append(
			rows,
			[]string{
				fmt.Sprint(e.Sequence),
				moment(e.Time),
				complete,
				fmt.Sprint(e.Topics),
				fmt.Sprint(e.Groups),
				fmt.Sprint(
					e.Segments,
				),
				fmt.Sprint(e.Records),
				inBytes(e.Bytes),
				inBytes(e.Objects),
				fmt.Sprint(len(e.Gaps)),
			},
		)
	}
	table(w, rows)
	fmt.Fprintf(w, "cluster %s\n", cluster)
}

func (a *app) backupShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show [BACKUP]",
		Short:   "Show one backup: topics, partitions, groups",
		Long:    "Show what the cluster had at one backup, the newest by default, and what is new in it.",
		Example: "  etl backup show\n  etl backup show 12 -o json      the manifest itself",
		Args:    cobra.MaximumNArgs(1),
	}
	place := newPlaceFlag(cmd).forCluster(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var sequence int64
		if len(args) > 0 {
			var err error
			if sequence, err = strconv.ParseInt(args[0], 10, 64); err != nil || sequence < 1 {
				return usagef("%q is no number of a backup", args[0])
			}
		}
		chain, err := place.chain(cmd.Context(), a)
		if err != nil {
			return err
		}
		var m *backup.Manifest
		if sequence == 0 {
			m, err = chain.Newest(cmd.Context())
		} else {
			m, err = chain.Manifest(cmd.Context(), sequence)
		}
		if err != nil {
			return err
		}
		return a.print(m, func(w io.Writer) { printManifest(w, m) })
	}
	return cmd
}

func printManifest(w io.Writer, m *backup.Manifest) {
	rows := [][]string{{"TOPIC", "PARTITION", "BACKED UP TO", "CLUSTER HAD", "NEW SEGMENTS", "NEW RECORDS", "GAPS"}}
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			var records int64
			for _, s := range p.Segments {
				records += s.Records
			}
			rows = append(
				rows,
				[]string{
					t.Name,
					fmt.Sprint(p.Number),
					fmt.Sprint(p.Next),
					fmt.Sprintf("%d to %d", p.LogStart, p.End),
					fmt.Sprint(len(p.Segments)),
					fmt.Sprint(records),
					fmt.Sprint(len(p.Gaps)),
				},
			)
		}
	}
	table(w, rows)
	if len(m.Groups) > 0 {
		rows = [][]string{{"GROUP", "TOPIC", "PARTITION", "POSITION"}}
		for _, g := range m.Groups {
			for _, p := range g.Positions {
				rows = append(rows, []string{g.ID, p.Topic, fmt.Sprint(p.Partition), fmt.Sprint(p.Offset)})
			}
		}
		table(w, rows)
	}
	fmt.Fprintf(
		w,
		"cluster %s, backup %d of %s, complete: %s\n",
		m.Cluster,
		m.Sequence,
		moment(m.At()),
		yes(m.Complete),
	)
}
