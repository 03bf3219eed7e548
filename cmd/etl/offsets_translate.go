package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// offsetTranslation is what `etl offsets translate -o json` prints.
type offsetTranslation struct {
	Job         string `json:"job"`
	Topic       string `json:"topic"`
	Partition   int32  `json:"partition"`
	TargetTopic string `json:"target_topic"`
	Source      int64  `json:"source"`
	Target      int64  `json:"target"`
	Record      bool   `json:"record"` // a record was copied from there; else Target is where the next one is
}

func (a *app) offsetsTranslateCommand() *cobra.Command {
	var f offsetsFlags
	var partition int32
	var offset int64
	cmd := &cobra.Command{
		Use:   "translate",
		Short: "Say where a position of the source is on the target",
		Long: `Say where a position of a source partition is on the target: who has read every
record before it at the source goes on there. It needs the offset map that a
migration keeps; the copies of dump have none.`,
		Example: "  etl offsets translate --job east --topic orders --partition 3 --offset 1200",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			job, err := f.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			defer job.close()
			if partition < 0 || int(partition) >= len(job.partitions) {
				return usagef("--partition is %d: topic %s has partitions 0 to %d", partition, job.topic, len(job.partitions)-1)
			}
			translation, err := mirror.NewOffsetMaps(job.target, job.job).Partition(cmd.Context(), job.topic, job.targetTopic, partition)
			if err != nil {
				return err
			}
			answer := offsetTranslation{Job: job.job, Topic: job.topic, Partition: partition, TargetTopic: job.targetTopic, Source: offset}
			if answer.Target, err = translation.Position(offset); err != nil {
				return fmt.Errorf("offset %d of %s/%d: %w", offset, job.topic, partition, err)
			}
			_, answer.Record = translation.Map.Record(offset)
			return a.print(answer, func(w io.Writer) { fmt.Fprintln(w, answer) })
		},
	}
	f.add(cmd)
	cmd.Flags().Int32Var(&partition, "partition", 0, "partition of the source topic")
	cmd.Flags().Int64Var(&offset, "offset", 0, "position in the source: the next offset to read")
	_ = cmd.MarkFlagRequired("offset") // the flag is there
	return cmd
}

// String says it in words.
func (o offsetTranslation) String() string {
	what := "the same record"
	if !o.Record {
		what = "no record was copied from there: the next one is, or will be, there"
	}
	return fmt.Sprintf("%s/%d offset %d is %s/%d offset %d on the target (%s)", o.Topic, o.Partition, o.Source, o.TargetTopic, o.Partition, o.Target, what)
}
