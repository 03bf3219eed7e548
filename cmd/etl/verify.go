package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func (a *app) verifyCommand() *cobra.Command {
	var parallel int
	cmd := &cobra.Command{
		Use:   "verify TOPIC [TARGET_TOPIC]",
		Short: "Compare two topics by content and name the first difference",
		Long: `Compare the committed records of a topic in the source cluster with those of the
same or another topic in the target cluster: key, value, headers and timestamp
of each record, in order. Offsets, batches and compression may differ. Exit code
1 where the topics are not equal. What is not copied yet is a difference.`,
		Example: "  etl verify orders\n  etl verify orders offline.orders --source-brokers a:9092 --target-brokers b:9092 -o json",
		Args:    cobra.RangeArgs(1, 2),
	}
	source, target := sourceFlag(cmd), targetFlag(cmd)
	cmd.Flags().IntVar(&parallel, "parallel", 4, "partitions compared at a time")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		left, err := source.open(ctx, a)
		if err != nil {
			return err
		}
		defer left.Close()
		right, err := target.open(ctx, a)
		if err != nil {
			return err
		}
		defer right.Close()
		bar := a.newProgress("offsets compared")
		outcome, err := mirror.CompareTopics(ctx, left, right, args[0], args[len(args)-1], mirror.CompareOptions{
			Parallel: parallel,
			Progress: func(p mirror.CompareProgress) { bar.set(p.Offsets, p.Total) },
		})
		bar.end()
		if errors.Is(err, kafka.ErrUnknownTopic) {
			return fmt.Errorf("%w; a target topic is there once something was copied to it: etl offsets show --topic %s", err, args[0])
		}
		if err != nil {
			return err
		}
		if err := a.print(outcome, func(w io.Writer) { printComparison(w, outcome) }); err != nil {
			return err
		}
		if !outcome.Equal {
			return errReported
		}
		return nil
	}
	return cmd
}

func printComparison(w io.Writer, c mirror.TopicComparison) {
	rows := [][]string{{"PARTITION", "SOURCE RECORDS", "TARGET RECORDS", "SOURCE DIGEST", "TARGET DIGEST", "EQUAL"}}
	for _, p := range c.Partitions {
		name := fmt.Sprint(p.Partition)
		if p.Partition < 0 {
			name = "all"
		}
		rows = append(rows, []string{name, fmt.Sprint(p.Source.Records), fmt.Sprint(p.Target.Records), p.Source.Digest, p.Target.Digest, yes(p.Equal)})
	}
	table(w, rows)
	for _, p := range c.Partitions {
		switch {
		case p.Difference == nil:
		case p.Partition < 0:
			fmt.Fprintf(w, "first difference found: %s\n", p.Difference)
		default:
			fmt.Fprintf(w, "partition %d, after %d equal records: %s\n", p.Partition, p.Difference.Index, p.Difference)
		}
	}
	verdict := "equal"
	if !c.Equal {
		verdict = "NOT EQUAL"
	}
	fmt.Fprintf(w, "source topic %s, target topic %s, compared %s:\n%s\n", c.SourceTopic, c.TargetTopic, c.Scope(), verdict)
}

func yes(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}
