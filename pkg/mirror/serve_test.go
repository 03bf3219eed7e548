package mirror_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// serve makes the brokers answer fetches of a topic's partition 0 from these
// units. They keep no such batches themselves: producers cannot send them.
func serve(t *testing.T, brokers *kfake.Cluster, topic string, units ...mirror.Unit) (end int64) {
	t.Helper()
	end = units[len(units)-1].Last + 1
	brokers.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		q := request.(*kmsg.FetchRequest)
		if q.Topics[0].Topic != topic {
			return nil, nil, false
		}
		brokers.KeepControl()
		asked := q.Topics[0].Partitions[0]
		p := kmsg.NewFetchResponseTopicPartition()
		p.HighWatermark, p.LastStableOffset, p.LogStartOffset = end, end, 0
		if asked.FetchOffset > end {
			p.ErrorCode = kerr.OffsetOutOfRange.Code
		}
		for _, u := range units {
			full := len(p.RecordBatches) > 0 && len(p.RecordBatches)+len(u.Bytes) > int(asked.PartitionMaxBytes)
			if u.Last >= asked.FetchOffset && !full {
				p.RecordBatches = append(p.RecordBatches, u.Bytes...)
			}
		}
		answer := q.ResponseKind().(*kmsg.FetchResponse)
		answer.Topics = []kmsg.FetchResponseTopic{{Topic: topic, Partitions: []kmsg.FetchResponseTopicPartition{p}}}
		return answer, nil, true
	})
	return end
}
