package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// offsetsFlags are those of all subcommands.
type offsetsFlags struct {
	job, topic, topics string
	source, target     *clusterFlag
}

func (f *offsetsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.job, "job", "", "name of the copy job (default $JOB, else dump)")
	cmd.Flags().StringVar(&f.topic, "topic", "", "source topic")
	cmd.Flags().StringVar(&f.topics, "topics", "", "the job's topic map (default $TOPICS)")
	f.source, f.target = sourceFlag(cmd), targetFlag(cmd)
	_ = cmd.MarkFlagRequired("topic") // the flag is there
}

func (a *app) offsetsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "offsets",
		Short: "Show, translate and reset how far a copy job is",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.offsetsShowCommand(), a.offsetsTranslateCommand(), a.offsetsResetCommand())
	return cmd
}

// offsetRow is one partition of a job.
type offsetRow struct {
	Partition  int32 `json:"partition"`
	Earliest   int64 `json:"earliest"`
	End        int64 `json:"end"`
	Checkpoint int64 `json:"checkpoint"` // -1: nothing copied yet
	Lag        int64 `json:"lag"`        // offsets between checkpoint and end
}

func (a *app) offsetsShowCommand() *cobra.Command {
	var f offsetsFlags
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show the checkpoint of each partition beside what the source has",
		Example: "  etl offsets show --job dump --topic orders",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			job, err := f.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			defer job.close()
			rows, err := job.rows(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(rows, func(w io.Writer) { printOffsets(w, rows) })
		},
	}
	f.add(cmd)
	return cmd
}

func printOffsets(w io.Writer, rows []offsetRow) {
	text := [][]string{{"PARTITION", "EARLIEST", "END", "CHECKPOINT", "LAG"}}
	for _, r := range rows {
		checkpoint := strconv.FormatInt(r.Checkpoint, 10)
		if r.Checkpoint < 0 {
			checkpoint = "none"
		}
		text = append(text, []string{fmt.Sprint(r.Partition), fmt.Sprint(r.Earliest), fmt.Sprint(r.End), checkpoint, fmt.Sprint(r.Lag)})
	}
	table(w, text)
}

// copyJob is a job with its clusters.
type copyJob struct {
	job, topic, targetTopic string
	source, target          *kafka.Client
	partitions              []int32
}

func (f *offsetsFlags) open(ctx context.Context, a *app) (_ *copyJob, err error) {
	written := f.topics
	if written == "" {
		written = a.environ["TOPICS"]
	}
	topics, err := mirror.ParseTopicMap(written)
	if err != nil {
		return nil, usagef("--topics: %v", err)
	}
	f.job = cmp.Or(f.job, a.environ["JOB"], defaultJob)
	if err := mirror.CheckJob(f.job); err != nil {
		return nil, usagef("--job: %v", err)
	}
	j := &copyJob{job: f.job, topic: f.topic, targetTopic: topics.Target(f.topic)}
	if j.source, err = f.source.open(ctx, a); err != nil {
		return nil, err
	}
	if j.target, err = f.target.open(ctx, a); err != nil {
		j.close()
		return nil, err
	}
	topic, err := j.source.Topic(ctx, f.topic)
	if err != nil {
		j.close()
		return nil, err
	}
	for _, p := range topic.Partitions {
		j.partitions = append(j.partitions, p.ID)
	}
	return j, nil
}

func (j *copyJob) close() {
	for _, c := range []*kafka.Client{j.source, j.target} {
		if c != nil {
			c.Close()
		}
	}
}

func (j *copyJob) rows(ctx context.Context) ([]offsetRow, error) {
	earliest, err := j.source.Offsets(ctx, j.topic, kafka.Earliest, j.partitions...)
	if err != nil {
		return nil, err
	}
	end, err := j.source.Offsets(ctx, j.topic, kafka.Latest, j.partitions...)
	if err != nil {
		return nil, err
	}
	checkpoints, err := mirror.Checkpoints(ctx, j.target, j.job, j.topic, j.targetTopic, j.partitions...)
	if err != nil {
		return nil, err
	}
	var rows []offsetRow
	for _, p := range j.partitions {
		next := checkpoints[p].Next
		rows = append(rows, offsetRow{Partition: p, Earliest: earliest[p], End: end[p], Checkpoint: next, Lag: max(end[p]-max(next, earliest[p]), 0)})
	}
	return rows, nil
}

// behind says whether there is a record that the job has not handled. What only
// markers of transactions take up is none.
func (j *copyJob) behind(ctx context.Context, rows []offsetRow) (bool, error) {
	for _, r := range rows {
		for next := max(r.Checkpoint, r.Earliest); next < r.End; {
			fetched, err := j.source.FetchRecords(ctx, kafka.FetchRequest{Topic: j.topic, Partition: r.Partition, Offset: next, MaxBytes: 64 << 10, MaxWait: 100 * time.Millisecond, ReadCommitted: true})
			if err != nil || len(fetched.Records) > 0 || fetched.Next == next {
				return true, err
			}
			next = fetched.Next
		}
	}
	return false, nil
}

func (a *app) offsetsResetCommand() *cobra.Command {
	var (
		f         offsetsFlags
		partition int32
		to        string
		execute   bool
	)
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Make a job go on at another offset of a partition",
		Long: `Make a job go on at another offset of a source partition. Without --execute it
only shows what would change. A reset to an earlier offset copies records again:
they will be in the target twice. A reset to a later one leaves records out.`,
		Example: "  etl offsets reset --job dump --topic orders --partition 3 --to 1200\n" +
			"  etl offsets reset --job dump --topic orders --partition 3 --to earliest --execute",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			job, err := f.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			defer job.close()
			change, err := job.planReset(cmd.Context(), partition, to)
			if err != nil {
				return err
			}
			if execute {
				if err := mirror.ResetCheckpoint(cmd.Context(), job.target, job.job, job.topic, job.targetTopic, partition, change.To); err != nil {
					return err
				}
				change.Done = true
			}
			return a.print(change, func(w io.Writer) { fmt.Fprintln(w, change) })
		},
	}
	f.add(cmd)
	cmd.Flags().Int32Var(&partition, "partition", 0, "partition of the source topic")
	cmd.Flags().StringVar(&to, "to", "", "next offset to copy: a number, earliest or latest")
	cmd.Flags().BoolVar(&execute, "execute", false, "do it; without it, only show what would change")
	_ = cmd.MarkFlagRequired("to") // the flag is there
	return cmd
}

// offsetReset is what a reset changes.
type offsetReset struct {
	Job       string `json:"job"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	Done      bool   `json:"done"`
}

// String says it in words.
func (r offsetReset) String() string {
	effect := "nothing changes"
	switch {
	case r.From < 0:
		effect = "the first copy begins there"
	case r.To < r.From:
		effect = fmt.Sprintf("%d offsets will be copied again, with the next event of the partition", r.From-r.To)
	case r.To > r.From:
		effect = fmt.Sprintf("%d offsets will be left out", r.To-r.From)
	}
	line := fmt.Sprintf("job %s, %s/%d: checkpoint %d -> %d: %s", r.Job, r.Topic, r.Partition, r.From, r.To, effect)
	if !r.Done {
		line += "\nNothing was changed. Add --execute to do it."
	}
	return line
}

func (j *copyJob) planReset(ctx context.Context, partition int32, to string) (offsetReset, error) {
	rows, err := j.rows(ctx)
	if err != nil {
		return offsetReset{}, err
	}
	for _, row := range rows {
		if row.Partition != partition {
			continue
		}
		change := offsetReset{Job: j.job, Topic: j.topic, Partition: partition, From: row.Checkpoint}
		switch to {
		case "earliest":
			change.To = row.Earliest
		case "latest":
			change.To = row.End
		default:
			if change.To, err = strconv.ParseInt(to, 10, 64); err != nil || change.To < row.Earliest || change.To > row.End {
				return change, usagef("--to is %q: want earliest, latest or an offset from %d to %d", to, row.Earliest, row.End)
			}
		}
		return change, nil
	}
	return offsetReset{}, usagef("--partition is %d: topic %s has partitions 0 to %d", partition, j.topic, len(rows)-1)
}
