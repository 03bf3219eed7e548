package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// identities reads the keys that open backups.
func (a *app) identities() secret.String { return secret.New(a.environ["AGE_IDENTITIES"]) }

func (a *app) backupVerifyCommand() *cobra.Command {
	var config backup.VerifyConfig
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read a backup and name everything that is damaged",
		Long: `Read a backup from its beginning: the chain of manifests, then every segment: its
bytes, its log and its records, each against its digest. All damage is named, the
first bad object and offset first. Exit code 1 where there is any.`,
		Example: "  etl backup verify\n  etl backup verify --structure     manifests, and that each object is there",
		Args:    cobra.NoArgs,
	}
	place := newPlaceFlag(cmd).forCluster(cmd)
	cmd.Flags().
		BoolVar(&config.StructureOnly, "structure", false, "read no segment, and look whether each is there and of its size")
	cmd.Flags().IntVar(&config.Parallel, "parallel", 4, "segments that are read at a time")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if config.Identities, err = backup.Identities(a.identities()); err != nil {
			return usagef("AGE_IDENTITIES: %v", err)
		}
		if config.Chain, err = place.chain(cmd.Context(), a); err != nil {
			return err
		}
		busy := a.newBusy("verify:")
		config.Progress = func(p backup.Progress) {
			busy.set([]string{fmt.Sprintf("%d segments, %s", p.Offsets, inBytes(p.Bytes))})
		}
		report, err := backup.Verify(cmd.Context(), config)
		busy.end()
		if err != nil {
			return err
		}
		if err := a.print(report, func(w io.Writer) { printVerified(w, report) }); err != nil {
			return err
		}
		if !report.OK() {
			return errReported
		}
		return nil
	}
	return cmd
}

func printVerified(w io.Writer, r backup.Report) {
	for _, d := range r.Damage {
		fmt.Fprintln(w, d)
	}
	for _, l := range r.Lost {
		fmt.Fprintf(
			w,
			"%s/%d: offsets %d to %d were deleted before they were backed up\n",
			l.Topic,
			l.Partition,
			l.First,
			l.Next-1,
		)
	}
	if r.Unopened > 0 {
		fmt.Fprintf(
			w,
			"%d segments are encrypted, and no key for them is in AGE_IDENTITIES: their digests were verified, their records not\n",
			r.Unopened,
		)
	}
	verdict := "whole"
	if !r.OK() {
		verdict = fmt.Sprintf("DAMAGED: %d objects", len(r.Damage))
	}
	fmt.Fprintf(
		w,
		"cluster %s, backups %d to %d: %d segments, %d records, %s:\n%s\n",
		r.Cluster,
		r.Oldest,
		r.Newest,
		r.Segments,
		r.Records,
		inBytes(r.Bytes),
		verdict,
	)
}

func (a *app) backupPruneCommand() *cobra.Command {
	var config backup.PruneConfig
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove old backups, and what killed runs have left",
		Long: `Show which backups would be removed; --execute removes them. A backup is kept where
either flag keeps it. What the cluster had at each backup that is kept can be
restored as before.`,
		Example: "  etl backup prune --keep-age 720h\n  etl backup prune --keep-age 720h --keep-count 10 --execute",
		Args:    cobra.NoArgs,
	}
	place := newPlaceFlag(cmd).forCluster(cmd)
	cmd.Flags().Int64Var(&config.Count, "keep-count", 0, "keep the newest so many")
	cmd.Flags().DurationVar(&config.Age, "keep-age", 0, "keep those that are younger, as 720h")
	cmd.Flags().BoolVar(&config.Execute, "execute", false, "remove them")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if config.Count < 0 || config.Age < 0 || config.Count == 0 && config.Age == 0 {
			return usagef("say which backups are kept: --keep-count N, --keep-age DURATION, or both")
		}
		if config.Chain, err = place.chain(cmd.Context(), a); err != nil {
			return err
		}
		config.Now = time.Now
		pruned, err := backup.Prune(cmd.Context(), config)
		if err != nil {
			return err
		}
		return a.print(pruned, func(w io.Writer) {
			verb := "would be removed (--execute removes them)"
			if pruned.Executed {
				verb = "were removed"
			}
			fmt.Fprintf(
				w,
				"%d manifests and %d segments of %s %s; backups %d to %d are kept\n",
				pruned.Manifests,
				pruned.Segments,
				inBytes(pruned.Bytes),
				verb,
				pruned.Oldest,
				pruned.Newest,
			)
		})
	}
	return cmd
}
