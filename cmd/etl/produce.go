package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

const (
	mostLine       = 8 << 20 // of a record that is typed or piped
	recordsAtOnce  = 1000
	bytesAtOnce    = 1 << 20
	newTopicPieces = 4 // partitions of a topic that --create makes
)

func (a *app) produceCommand() *cobra.Command {
	var separator string
	var create bool
	var side sideFlag
	cmd := &cobra.Command{
		Use:   "produce TOPIC [FILE]",
		Short: "Write lines as records into a topic, to try things out",
		Long: `Write each line of a file, or of standard input, as a record into a topic of the
source cluster, or of the target. A line whose key is cut off by --key-separator
goes to the partition of its key; the others go to all partitions in turn. It is
for trying things out: an interrupted run that is started again writes again.`,
		Example: "  echo hello | etl produce orders\n  etl produce orders orders.txt --key-separator : --create",
		Args:    cobra.RangeArgs(1, 2),
	}
	side.add(cmd, "source")
	cmd.Flags().StringVar(&separator, "key-separator", "", "what stands between key and value in a line; without it records have no key")
	cmd.Flags().BoolVar(&create, "create", false, fmt.Sprintf("create the topic, with %d partitions, where it is missing", newTopicPieces))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		from := cmd.InOrStdin()
		if len(args) > 1 && args[1] != "-" {
			file, err := os.Open(args[1])
			if err != nil {
				return err
			}
			defer file.Close()
			from = file
		}
		client, err := side.open(cmd.Context(), a)
		if err != nil {
			return err
		}
		defer client.Close()
		p := &lineProducer{client: client, topic: args[0], separator: []byte(separator)}
		if err := p.open(cmd.Context(), create); err != nil {
			return err
		}
		bar := a.newProgress("records")
		p.progress = func(n int64) { bar.set(n, 0) }
		err = p.run(cmd.Context(), from)
		bar.end()
		if err != nil {
			return fmt.Errorf("%w; %d records were written before", err, p.written)
		}
		result := struct {
			Topic   string `json:"topic"`
			Records int64  `json:"records"`
		}{args[0], p.written}
		return a.print(result, func(w io.Writer) { fmt.Fprintf(w, "%d records written to topic %s\n", p.written, args[0]) })
	}
	return cmd
}

// lineProducer writes lines into a topic.
type lineProducer struct {
	client     *kafka.Client
	topic      string
	separator  []byte
	partitions int32
	progress   func(written int64)

	next    int32 // partition of the next record without a key
	held    map[int32][]batch.Record
	records int // held
	bytes   int // held
	written int64
}

// open looks the topic up, and makes it where that is wanted.
func (p *lineProducer) open(ctx context.Context, create bool) error {
	topic, err := p.client.Topic(ctx, p.topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		if !create {
			return fmt.Errorf("%w; --create makes it", err)
		}
		if err := p.client.CreateTopic(ctx, kafka.TopicSpec{Name: p.topic, Partitions: newTopicPieces}); err != nil && !errors.Is(err, kafka.ErrTopicExists) {
			return err
		}
		topic, err = p.client.Topic(ctx, p.topic)
	}
	p.partitions, p.held = int32(len(topic.Partitions)), map[int32][]batch.Record{}
	return err
}

func (p *lineProducer) run(ctx context.Context, from io.Reader) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, mostLine)
	number := 0
	for lines.Scan() {
		number++
		if err := p.add(ctx, lines.Bytes(), number); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return p.flush(ctx)
}

func (p *lineProducer) add(ctx context.Context, line []byte, number int) error {
	record := batch.Record{Timestamp: time.Now().UnixMilli(), Value: bytes.Clone(line)}
	to := p.next
	if len(p.separator) > 0 {
		key, value, found := bytes.Cut(record.Value, p.separator)
		if !found {
			return fmt.Errorf("line %d has no %q between key and value", number, p.separator)
		}
		record.Key, record.Value = key, value
		to = batch.Partition(key, p.partitions)
	} else {
		p.next = (p.next + 1) % p.partitions
	}
	p.held[to] = append(p.held[to], record)
	p.records++
	if p.bytes += len(line); p.records < recordsAtOnce && p.bytes < bytesAtOnce {
		return nil
	}
	return p.flush(ctx)
}

func (p *lineProducer) flush(ctx context.Context) error {
	for partition, records := range p.held {
		if len(records) == 0 {
			continue
		}
		if _, err := p.client.Produce(ctx, p.topic, partition, records...); err != nil {
			return err
		}
		p.written += int64(len(records))
		p.held[partition] = records[:0]
	}
	p.records, p.bytes = 0, 0
	if p.progress != nil {
		p.progress(p.written)
	}
	return nil
}

// sideFlag is one of the two clusters.
type sideFlag struct {
	side           string
	source, target *clusterFlag
}

func (f *sideFlag) add(cmd *cobra.Command, usual string) {
	cmd.Flags().StringVar(&f.side, "cluster", usual, "source or target")
	_ = cmd.RegisterFlagCompletionFunc("cluster", cobra.FixedCompletions([]cobra.Completion{"source", "target"}, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	f.source, f.target = sourceFlag(cmd), targetFlag(cmd)
}

func (f *sideFlag) open(ctx context.Context, a *app) (*kafka.Client, error) {
	switch f.side {
	case "source":
		return f.source.open(ctx, a)
	case "target":
		return f.target.open(ctx, a)
	}
	return nil, usagef("--cluster is %q: want source or target", f.side)
}
