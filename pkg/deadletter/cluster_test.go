package deadletter_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// cluster starts embedded brokers and gives a client of them.
func cluster(t testing.TB) *kafka.Client {
	t.Helper()
	client, _ := faulty(t)
	return client
}

// faulty gives the brokers, too, whose answers a test can change.
func faulty(t testing.TB) (*kafka.Client, *kfake.Cluster) {
	t.Helper()
	c, err := localkafka.Start(localkafka.Config{})
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return connect(t, c.Brokers()), c.Fake()
}

// old gives a client of a broker without transactions.
func old(t testing.TB) *kafka.Client {
	t.Helper()
	c, err := localkafka.Start(localkafka.Config{Version: "0.10.2"})
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return connect(t, c.Brokers())
}

func connect(t testing.TB, brokers []string) *kafka.Client {
	t.Helper()
	client, err := kafka.Open(deadline(t), kafka.Config{Brokers: brokers, MetadataTTL: 100 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

// create makes a topic that takes the special records.
func create(t testing.TB, c *kafka.Client, topic string, partitions int) {
	t.Helper()
	must(t, c.CreateTopic(deadline(t), kafka.TopicSpec{Name: topic, Partitions: partitions, Settings: sample.TopicSettings()}))
}

func produce(t testing.TB, c *kafka.Client, topic string, partition int32, records ...batch.Record) {
	t.Helper()
	for _, r := range records {
		_, err := c.Produce(deadline(t), topic, partition, r)
		must(t, err)
	}
}

// stored gives the committed records of a partition.
func stored(t testing.TB, c *kafka.Client, topic string, partition int32) []batch.Record {
	t.Helper()
	ends, err := c.StableOffsets(deadline(t), topic, partition)
	must(t, err)
	begin, err := c.Offsets(deadline(t), topic, kafka.Earliest, partition)
	must(t, err)
	var records []batch.Record
	for next := begin[partition]; next < ends[partition]; {
		fetched, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: topic, Partition: partition, Offset: next, MinBytes: 1, MaxWait: time.Second, MaxBytes: 4 << 20, ReadCommitted: true})
		must(t, err)
		records, next = append(records, fetched.Records...), fetched.Next
	}
	return records
}

// yard is a dead-letter topic and the source of its letters, of 3 partitions.
type yard struct {
	source *kafka.Client
	broker *kfake.Cluster // of the source
	topic  deadletter.Topic
}

// together and apart are the two kinds: with a source in the same cluster, and
// in one of its own.
func kinds(t *testing.T, run func(t *testing.T, open func(*testing.T) yard)) {
	for name, apart := range map[string]bool{"in one cluster": false, "in two clusters": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T) yard {
				t.Helper()
				letters, broker := faulty(t)
				y := yard{source: letters, broker: broker, topic: deadletter.Topic{Client: letters, Name: "deadletter"}}
				if apart {
					y.source, y.broker = faulty(t)
				}
				create(t, y.source, "orders", 3)
				create(t, letters, "deadletter", 3)
				return y
			})
		})
	}
}

// failed makes a letter about a record of orders.
func failed(partition int32, offset int64, r batch.Record) deadletter.Letter {
	r.Offset = offset
	if r.Timestamp == 0 {
		r.Timestamp = 1_790_000_000_000 + offset
	}
	return deadletter.Letter{
		Record: r, Topic: "orders", Partition: partition, Function: "clean", Version: "7", Reason: deadletter.Rejected,
		Error: "rule 2: no such field", Attempt: 1, At: time.UnixMilli(1_790_000_100_000 + offset),
	}
}

// keyed makes n letters of one partition, with two keys that alternate.
func keyed(partition int32, n int) []deadletter.Letter {
	letters := make([]deadletter.Letter, n)
	for i := range letters {
		letters[i] = failed(partition, int64(i), batch.Record{
			Key: fmt.Appendf(nil, "key %d", i%2), Value: fmt.Appendf(nil, "%d:%d", partition, i), Headers: []batch.Header{{Key: "own", Value: []byte{}}},
		})
	}
	return letters
}

// bury writes letters as an engine does.
func (y yard) bury(t testing.TB, most int, letters ...deadletter.Letter) {
	t.Helper()
	for _, l := range letters {
		produce(t, y.topic.Client, y.topic.Name, l.Partition, l.Records(most)...)
	}
}

func (y yard) redriver() *deadletter.Redriver {
	return &deadletter.Redriver{Letters: y.topic, Source: y.source}
}

// statuses counts the letters of each status.
func (y yard) statuses(t testing.TB) map[deadletter.Status]int64 {
	t.Helper()
	s, err := y.topic.Summary(deadline(t), deadletter.Selection{}, deadletter.Filter{})
	must(t, err)
	count := map[deadletter.Status]int64{}
	for _, g := range s.Groups {
		for status, n := range map[deadletter.Status]int64{deadletter.Open: g.Open, deadletter.Redriven: g.Redriven, deadletter.Interrupted: g.Interrupted} {
			if n > 0 {
				count[status] += n
			}
		}
	}
	return count
}
