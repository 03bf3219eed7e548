package chaos_test

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// records reads the committed records of a lane up to offset end, with another
// client than the copy's. The last batch before end may be a control
// batch, so those are read too, and left out here.
func records(ctx context.Context, brokers []string, of lane, end int64) chaos.Records {
	return func(yield func(batch.Record, error) bool) {
		if end == 0 {
			return
		}
		client, err := kgo.NewClient(
			kgo.SeedBrokers(brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.AlwaysRetryEOF(),
			kgo.FetchMaxPartitionBytes(4<<20), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
				of.topic: {of.partition: kgo.NewOffset().AtStart()},
			}))
		if err != nil {
			yield(batch.Record{}, err)
			return
		}
		defer client.Close()
		for next := int64(0); next < end; {
			fetches, err := poll(ctx, client)
			if err != nil {
				yield(batch.Record{}, fmt.Errorf("after offset %d of %d: %w", next, end, err))
				return
			}
			for _, r := range fetches.Records() {
				next = r.Offset + 1
				if r.Offset >= end || !r.Attrs.IsControl() && !yield(recordOf(r), nil) {
					return
				}
			}
		}
	}
}

func poll(ctx context.Context, client *kgo.Client) (kgo.Fetches, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	fetches := client.PollFetches(ctx)
	return fetches, fetches.Err()
}

func recordOf(r *kgo.Record) batch.Record {
	record := batch.Record{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, batch.Header{Key: h.Key, Value: h.Value})
	}
	return record
}

// every polls until it is told that it is done, with an error or without. Not
// done in time is an error that says what was waited for, and the last reason.
func every(ctx context.Context, pause time.Duration, what string, poll func() (done bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		done, err := poll()
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not in %v (last: %v)", what, patience, err)
		case <-ticker.C:
		}
	}
}
