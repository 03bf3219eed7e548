package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// consumeWait is how long a fetch waits for records that are not there yet.
const consumeWait = 200 * time.Millisecond

func (a *app) consumeCommand() *cobra.Command {
	var c consumer
	var side sideFlag
	cmd := &cobra.Command{
		Use:   "consume TOPIC",
		Short: "Print the records of a topic, without a consumer group",
		Long: `Print the committed records of a topic of the target cluster, or of the source: a
line for each, with partition, offset, time, key, headers and value; with -o json an
object for each, with what is no text as {"base64": ...}. It ends where the topic
ended when it began, or, with --follow, with Ctrl-C. Partitions are read one after
the other; no group's position is touched.`,
		Example: "  etl consume orders\n  etl consume orders --cluster source --last 10 --follow\n  etl consume orders -o json | jq .value",
		Args:    cobra.ExactArgs(1),
	}
	side.add(cmd, "target")
	cmd.Flags().Int64Var(&c.last, "last", 0, "only about so many of each partition, the newest; 0: all")
	cmd.Flags().Int32SliceVar(&c.partitions, "partition", nil, "only these partitions, comma separated")
	cmd.Flags().BoolVar(&c.follow, "follow", false, "go on with records that come later, until Ctrl-C")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if c.last < 0 {
			return usagef("--last is %d: want 0 or more", c.last)
		}
		client, err := side.open(cmd.Context(), a)
		if err != nil {
			return err
		}
		defer client.Close()
		c.client, c.topic, c.show = client, args[0], a.showRecord
		err = c.run(cmd.Context())
		if errors.Is(err, kafka.ErrUnknownTopic) {
			err = fmt.Errorf("%w: it is not in the %s cluster (yet); --cluster names the other one", err, side.side)
		}
		if c.follow && cmd.Context().Err() != nil {
			return nil // Ctrl-C is how it ends
		}
		return err
	}
	return cmd
}

// consumer reads a topic.
type consumer struct {
	client     *kafka.Client
	topic      string
	partitions []int32
	last       int64
	follow     bool
	show       func(partition int32, r batch.Record) error

	next map[int32]int64
}

func (c *consumer) run(ctx context.Context) error {
	topic, err := c.client.Topic(ctx, c.topic)
	if err != nil {
		return err
	}
	partitions := slices.Clone(c.partitions)
	for _, p := range topic.Partitions {
		if len(c.partitions) == 0 {
			partitions = append(partitions, p.ID)
		}
	}
	if c.next, err = c.client.Offsets(ctx, c.topic, kafka.Earliest, partitions...); err != nil {
		return err
	}
	ends, err := c.client.StableOffsets(ctx, c.topic, partitions...)
	if err != nil {
		return err
	}
	for _, p := range partitions {
		if c.last > 0 {
			c.next[p] = max(c.next[p], ends[p]-c.last)
		}
		for c.next[p] < ends[p] {
			if err := c.fetch(ctx, p); err != nil {
				return err
			}
		}
	}
	for c.follow && ctx.Err() == nil {
		for _, p := range partitions {
			if err := c.fetch(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetch shows what one request gives of a partition.
func (c *consumer) fetch(ctx context.Context, partition int32) error {
	fetched, err := c.client.FetchRecords(ctx, kafka.FetchRequest{
		Topic: c.topic, Partition: partition, Offset: c.next[partition], MaxBytes: 4 << 20, MaxWait: consumeWait, ReadCommitted: true,
	})
	for _, r := range fetched.Records {
		if err := c.show(partition, r); err != nil {
			return err
		}
	}
	if err == nil {
		c.next[partition] = fetched.Next
	}
	return err
}

// shownRecord is a line of `etl consume -o json`.
type shownRecord struct {
	Partition int32         `json:"partition"`
	Offset    int64         `json:"offset"`
	Timestamp int64         `json:"timestamp"` // ms since 1970
	Key       shownBytes    `json:"key"`
	Value     shownBytes    `json:"value"`
	Headers   []shownHeader `json:"headers,omitempty"`
}

func (a *app) showRecord(partition int32, r batch.Record) error {
	if a.format == "json" {
		s := shownRecord{Partition: partition, Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			s.Headers = append(s.Headers, shownHeader{Key: h.Key, Value: h.Value})
		}
		return json.NewEncoder(a.stdout).Encode(s)
	}
	printRecord(a.stdout, partition, r)
	return nil
}

// printRecord writes a line: 0:12 2026-01-02T15:04:05.000Z key name=value value.
func printRecord(w io.Writer, partition int32, r batch.Record) {
	fmt.Fprintf(w, "%d:%d %s %s", partition, r.Offset, recordTime(r.Timestamp), cmp.Or(oneLine(r.Key), `""`))
	for _, h := range r.Headers {
		fmt.Fprintf(w, " %s=%s", quotedIfOdd(h.Key), oneLine(h.Value))
	}
	fmt.Fprintf(w, " %s\n", oneLine(r.Value))
}
