package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Lag is how far a job is behind in one partition of the source.
type Lag struct {
	Topic       string `json:"topic"` // of the source
	Partition   int32  `json:"partition"`
	TargetTopic string `json:"target_topic"`
	Next        int64  `json:"next"` // the checkpoint; -1: nothing was copied yet
	End         int64  `json:"end"`  // where the committed records of the source end
	// HighWatermark is above End where a transaction of the source is open: what
	// is behind its first record cannot be copied yet.
	HighWatermark int64 `json:"high_watermark"`
	// Records is how many offsets are still to copy: as many records, or fewer
	// where markers, aborted transactions and compaction take some up.
	Records int64 `json:"records"`
	// Seconds is the age of the oldest record still to copy; 0 where there is
	// none, nil where it cannot be known: the record has no time, or an open or
	// aborted transaction comes first.
	Seconds *float64 `json:"seconds"`
	// Fault says why the partition cannot be copied any further, and the commands
	// that choose what happens next; "" where nothing is known to be wrong.
	Fault string `json:"fault,omitempty"`
}

// Lags looks how far a job is behind, in all partitions of selected topics, by
// topic and partition. It asks the clusters alone, so it is true whoever copies,
// and whether anybody does.
func Lags(ctx context.Context, job string, source, target *kafka.Client, topics TopicMap, selected Selection) ([]Lag, error) {
	there, err := source.Topics(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	var mu sync.Mutex
	var all []Lag
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, topic := range there {
		if !selected.Match(topic.Name) {
			continue
		}
		group.Go(func() error {
			lags, err := lagsOf(ctx, job, source, target, topic, topics.Target(topic.Name))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, lags...)
			return err
		})
	}
	err = group.Wait()
	slices.SortFunc(all, func(a, b Lag) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all, err
}

func lagsOf(ctx context.Context, job string, source, target *kafka.Client, topic kafka.Topic, to string) ([]Lag, error) {
	numbers := make([]int32, len(topic.Partitions))
	for i, p := range topic.Partitions {
		numbers[i] = p.ID
	}
	// The checkpoint before the end: what is copied meanwhile counts as lag,
	// never the other way round.
	described, err := target.Topic(ctx, to)
	there := !errors.Is(err, kafka.ErrUnknownTopic)
	if err != nil && there {
		return nil, fmt.Errorf("target: %w", err)
	}
	checkpoints := make([]kafka.Committed, len(numbers))
	for i, number := range numbers {
		checkpoints[i].Offset = -1
		if !there {
			continue // no target topic, no checkpoint
		}
		offsets, err := target.CommittedNow(ctx, CheckpointGroup(job, topic.Name, number), to, checkpointPartition)
		if err != nil {
			return nil, fmt.Errorf("checkpoint of job %s: %w", job, err)
		}
		checkpoints[i] = offsets[checkpointPartition]
	}
	earliest, err := source.Offsets(ctx, topic.Name, kafka.Earliest, numbers...)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	ends, err := source.StableOffsets(ctx, topic.Name, numbers...)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	latest, err := source.Offsets(ctx, topic.Name, kafka.Latest, numbers...)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	lags := make([]Lag, len(numbers))
	for i, number := range numbers {
		lag := Lag{Topic: topic.Name, Partition: number, TargetTopic: to, Next: checkpoints[i].Offset, End: ends[number], HighWatermark: latest[number]}
		from := lag.Next
		if from < 0 {
			from = earliest[number]
		}
		at := subject{name: job, topic: topic.Name, number: number, to: to}
		if fault := at.fault(lag, earliest[number], decodeNote(checkpoints[i].Metadata).identity, topic.ID, described.ID); fault != nil {
			lag.Fault = fault.Error()
		}
		lag.Records = max(lag.End-from, 0)
		if lag.Seconds, err = lagSeconds(ctx, source, lag, from); err != nil {
			return lags, err
		}
		lags[i] = lag
	}
	return lags, nil
}

// fault says what stops a partition, from what both clusters have.
func (s subject) fault(lag Lag, earliest int64, known identity, source, target kafka.TopicID) error {
	switch {
	case lag.Next < 0:
		return nil
	case differs(known.Source, source.String()):
		return s.recreated(lag.Next, theSource, replaced(known.Source, source.String()))
	case differs(known.Target, target.String()):
		return s.recreated(lag.Next, s.theTarget(), replaced(known.Target, target.String()))
	case lag.Next < earliest:
		return s.gone(lag.Next, earliest)
	case lag.Next > lag.End:
		return s.recreated(lag.Next, theSource, wentBack(lag.End))
	}
	return nil
}

func lagSeconds(ctx context.Context, source *kafka.Client, lag Lag, from int64) (*float64, error) {
	if lag.Records == 0 {
		return new(float64), nil
	}
	fetched, err := source.FetchRecords(ctx, kafka.FetchRequest{Topic: lag.Topic, Partition: lag.Partition, Offset: from, MaxBytes: 1, ReadCommitted: true})
	switch {
	case errors.Is(err, kafka.ErrOffsetOutOfRange):
		return nil, nil // a gap, which the copy explains
	case err != nil:
		return nil, fmt.Errorf("source: %w", err)
	case len(fetched.Records) == 0 || fetched.Records[0].Timestamp < 0:
		return nil, nil
	}
	seconds := max(time.Since(time.UnixMilli(fetched.Records[0].Timestamp)).Seconds(), 0)
	return &seconds, nil
}
