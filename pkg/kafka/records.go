package kafka

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// FetchedRecords are the records of one fetch, decoded.
type FetchedRecords struct {
	Records       []batch.Record
	Next          int64 // where the next fetch begins: past what was left out, too
	HighWatermark int64
	LastStable    int64
	LogStart      int64
}

// FetchRecords gets the records of a partition from an offset on, whatever
// their format and codec. Control batches are left out; with ReadCommitted so
// are the records of aborted transactions. No records and a Next that has not
// moved mean that there is nothing (yet). With an error come the records before
// it.
//
// The records own their memory. One try, as [Client.Fetch].
func (c *Client) FetchRecords(ctx context.Context, q FetchRequest) (FetchedRecords, error) {
	var buf Buffer
	answer, err := c.Fetch(ctx, q, &buf)
	fetched := FetchedRecords{Next: q.Offset, HighWatermark: answer.HighWatermark, LastStable: answer.LastStable, LogStart: answer.LogStart}
	if err != nil {
		return fetched, err
	}
	var decoder batch.Decoder
	for visible, err := range answer.Visible(q.ReadCommitted) {
		if err != nil {
			return fetched, partitionError("decode", q.Topic, q.Partition, fetched.Next, err)
		}
		if !visible.Skip {
			for record, err := range visible.Records(&decoder) {
				if err != nil {
					return fetched, partitionError("decode", q.Topic, q.Partition, fetched.Next, err)
				}
				if record.Offset >= q.Offset {
					fetched.Records = append(fetched.Records, record)
				}
			}
			decoder.Detach()
		}
		fetched.Next = max(fetched.Next, visible.LastOffset()+1)
	}
	return fetched, nil
}
