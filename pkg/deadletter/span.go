package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

const (
	fetchBytes = 1 << 20
	fetchWait  = 200 * time.Millisecond
	fetchPause = 50 * time.Millisecond // before the same is asked for once more

	// patience is how long reading goes on asking without getting further.
	patience = 15 * time.Second
)

// span is a part of a partition, up to before the end.
type span struct {
	topic     string
	partition int32
	from, end int64
	patience  time.Duration // 0: patience
}

// errStop ends reading early, without an error.
var errStop = errors.New("enough")

// read calls see for each committed record of a span, in order. It waits out what
// passes: a leader that moves, a replica that is behind.
func (s span) read(ctx context.Context, client *kafka.Client, see func(batch.Record) error, got func(offsets int64)) error {
	if s.patience == 0 {
		s.patience = patience
	}
	for at, since := s.from, time.Now(); at < s.end; {
		fetched, err := client.FetchRecords(ctx, kafka.FetchRequest{
			Topic: s.topic, Partition: s.partition, Offset: at, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait, ReadCommitted: true,
		})
		late := time.Since(since) > s.patience
		switch {
		case errors.Is(err, kafka.ErrOffsetOutOfRange):
			return fmt.Errorf("records were deleted while they were read, run it again: %w", err)
		case err != nil && (late || !kafka.Retriable(err)):
			return err
		case err == nil && fetched.Next == at && late:
			return s.stuck(at, fetched)
		case err != nil || fetched.Next == at:
			if err := pause(ctx, fetchPause); err != nil {
				return fmt.Errorf("read %s/%d at offset %d: %w", s.topic, s.partition, at, err)
			}
			continue
		}
		for _, r := range fetched.Records {
			if r.Offset >= s.end {
				break
			}
			if err := see(r); errors.Is(err, errStop) {
				return nil
			} else if err != nil {
				return err
			}
		}
		got(min(fetched.Next, s.end) - at)
		at, since = fetched.Next, time.Now()
	}
	return nil
}

// stuck says why reading gets no further.
func (s span) stuck(at int64, fetched kafka.FetchedRecords) error {
	if fetched.LastStable >= 0 && fetched.LastStable <= at && fetched.LastStable < fetched.HighWatermark {
		return fmt.Errorf("read %s/%d: a producer's transaction is open from offset %d on: try again when it has ended, its time-out ends it at the latest",
			s.topic, s.partition, fetched.LastStable)
	}
	return fmt.Errorf("read %s/%d: nothing at offset %d, the high watermark is %d and records before offset %d were asked for",
		s.topic, s.partition, at, fetched.HighWatermark, s.end)
}

// pause waits, or less where ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// again repeats a read while its error may pass: a topic that was created a moment
// ago is unknown to a client that asked before.
func again(ctx context.Context, read func() error) error {
	for since := time.Now(); ; {
		err := read()
		if err == nil || !kafka.Retriable(err) || time.Since(since) > patience {
			return err
		}
		if pause(ctx, fetchPause) != nil {
			return err
		}
	}
}

// bounds gives where partitions of a topic begin, at a position as
// [kafka.Client.Offsets] takes it, and where their committed records end.
func bounds(ctx context.Context, client *kafka.Client, topic string, at int64, partitions ...int32) (from, end map[int32]int64, err error) {
	err = again(ctx, func() (err error) {
		if from, err = client.Offsets(ctx, topic, at, partitions...); err == nil {
			end, err = client.StableOffsets(ctx, topic, partitions...)
		}
		return err
	})
	return from, end, err
}
