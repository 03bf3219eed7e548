package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func (a *app) backupRunCommand() *cobra.Command {
	var include, exclude []string
	var compress bool
	var keys string
	var parallel, segmentBytes int
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Back up what is new, now",
		Long: `Back up what the source cluster has and its backup has not: what the function backup
does at each firing of its timer. Ctrl-C leaves what is done in the backup.`,
		Example: "  etl backup run\n  etl backup run --include 'orders.*'",
		Args:    cobra.NoArgs,
	}
	place, source := newPlaceFlag(cmd), sourceFlag(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(
		&include,
		"include",
		[]string{".*"},
		"topics to back up: a regular expression that matches the whole name; may be given again",
	)
	flags.StringArrayVar(&exclude, "exclude", nil, "topics not to back up")
	flags.BoolVar(&compress, "compress", true, "put zstd around what is not compressed")
	flags.StringVar(
		&keys,
		"age-recipients",
		"",
		"public keys that topics are encrypted for: age1..., or PATTERN=age1... (default $AGE_RECIPIENTS)",
	)
	flags.IntVar(&parallel, "parallel", 4, "partitions that are backed up at a time")
	flags.IntVar(&segmentBytes, "segment-bytes", 0, "about how much of a log one object has; 0 for the default, 4 MiB")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		topics, err := mirror.NewSelection(include, exclude)
		if err != nil {
			return usagef("%v", err)
		}
		if keys == "" {
			keys = a.environ["AGE_RECIPIENTS"]
		}
		var recipients backup.Keys
		if err := recipients.UnmarshalText([]byte(keys)); err != nil {
			return usagef("%v", err)
		}
		store, where, err := place.store(a)
		if err != nil {
			return err
		}
		client, err := source.open(cmd.Context(), a)
		if err != nil {
			return err
		}
		defer client.Close()
		bar := a.newProgress("offsets backed up")
		result, err := backup.Run(cmd.Context(), backup.Config{
			Source: client, Store: store, Prefix: where.Prefix, Topics: topics.Match, Compress: compress, Recipients: recipients.Recipients, Parallel: parallel, SegmentBytes: segmentBytes,
			Progress: func(p backup.Progress) { bar.set(p.Offsets, p.OffsetsTotal) },
		})
		bar.end()
		if err != nil {
			return err
		}
		return a.print(result, func(w io.Writer) { printRun(w, result) })
	}
	return cmd
}

func printRun(w io.Writer, r backup.Result) {
	for _, name := range r.Recreated {
		fmt.Fprintf(w, "topic %s was deleted and created again: it begins anew\n", name)
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
	if !r.Changed {
		fmt.Fprintf(w, "cluster %s: nothing new since backup %d\n", r.Cluster, r.Sequence)
		return
	}
	fmt.Fprintf(w, "cluster %s, backup %d: %d records of %d topics in %d new segments, %s as %s\n",
		r.Cluster, r.Sequence, r.Records, r.Topics, r.Segments, inBytes(r.Bytes), inBytes(r.ObjectBytes))
}
