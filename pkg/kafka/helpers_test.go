package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// deadline bounds what a test waits for.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// brokers runs a cluster for the length of a test.
func brokers(t testing.TB, config localkafka.Config) *localkafka.Cluster {
	t.Helper()
	c, err := localkafka.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the brokers: %v", err)
		}
	})
	return c
}

// connect opens a client for the length of a test.
func connect(t testing.TB, config kafka.Config) *kafka.Client {
	t.Helper()
	if config.MetadataTTL == 0 {
		config.MetadataTTL = 300 * time.Millisecond
	}
	c, err := kafka.Open(deadline(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// single is one broker with topics of one partition, and a client.
func single(t testing.TB, topics ...string) (*kafka.Client, *kfake.Cluster) {
	t.Helper()
	config := localkafka.Config{Topics: map[string]int32{}}
	for _, name := range topics {
		config.Topics[name] = 1
	}
	cluster := brokers(t, config)
	return connect(t, kafka.Config{Brokers: cluster.Brokers()}), cluster.Fake()
}

// values makes records that are told apart by their values.
func values(format string, n int) []batch.Record {
	records := make([]batch.Record, n)
	for i := range records {
		records[i] = batch.Record{Value: fmt.Appendf(nil, format, i), Timestamp: 1_700_000_000_000 + int64(i)}
	}
	return records
}

// build makes one batch of records.
func build(t testing.TB, codec batch.Codec, records ...batch.Record) batch.Batch {
	t.Helper()
	b, err := batch.Build(batch.Options{Codec: codec}, records)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read gets the values of partition 0 from the start to the high watermark.
func read(t testing.TB, c *kafka.Client, topic string, committed bool) []string {
	t.Helper()
	texts := []string{}
	for offset := int64(0); ; {
		got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: topic, Offset: offset, ReadCommitted: committed})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Records {
			texts = append(texts, string(r.Value))
		}
		if got.Next == offset {
			return texts
		}
		offset = got.Next
	}
}

// until polls a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx := deadline(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited for %s in vain", what)
		case <-tick.C:
		}
	}
}

// refuse makes the broker answer the next requests of a kind by hand: one
// request for each of the answers, in their order.
func refuse[R kmsg.Request](fake *kfake.Cluster, answers ...func(request R) kmsg.Response) {
	var request R
	for _, answer := range answers {
		fake.ControlKey(request.Key(), func(r kmsg.Request) (kmsg.Response, error, bool) {
			return answer(r.(R)), nil, true
		})
	}
}

// observe shows a test all requests of a kind; the broker answers them.
func observe[R kmsg.Request](fake *kfake.Cluster, see func(request R)) {
	var request R
	fake.ControlKey(request.Key(), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		see(r.(R))
		return nil, nil, false
	})
}

// onlyOurs answers metadata requests for one topic, which are this package's
// and not kafka-go's own, by hand.
func onlyOurs(fake *kfake.Cluster, answers ...func(*kmsg.MetadataRequest) kmsg.Response) {
	fake.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		request := r.(*kmsg.MetadataRequest)
		if len(request.Topics) != 1 || len(answers) == 0 {
			return nil, nil, false
		}
		answer := answers[0]
		answers = answers[1:]
		return answer(request), nil, true
	})
}

// metadataError answers for the one topic that was asked for.
func metadataError(request *kmsg.MetadataRequest, code int16) kmsg.Response {
	response := request.ResponseKind().(*kmsg.MetadataResponse)
	response.Topics = []kmsg.MetadataResponseTopic{{ErrorCode: code, Topic: request.Topics[0].Topic}}
	return response
}

// builds makes n batches of one record, told apart by their values.
func builds(t testing.TB, n int) []batch.Batch {
	t.Helper()
	batches := make([]batch.Batch, n)
	for i, r := range values("%d", n) {
		batches[i] = build(t, batch.None, r)
	}
	return batches
}

// addPartitions makes a topic larger.
func addPartitions(t testing.TB, brokers []string, topic string, total int32) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.TimeoutMillis = 10_000
	request.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: topic, Count: total}}
	response, err := request.RequestWith(deadline(t), client)
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(response.Topics[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
}

// silent makes the broker take the next request of a kind and never answer it.
func silent(fake *kfake.Cluster, key kmsg.Key) (asked <-chan struct{}) {
	taken := make(chan struct{})
	fake.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		close(taken)
		return nil, nil, true
	})
	return taken
}

// cut makes the broker close the connection at the next request of a kind.
func cut(fake *kfake.Cluster, key kmsg.Key) {
	fake.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("cut"), true
	})
}

// deleteRecords makes partition 0 begin at an offset.
func deleteRecords(t testing.TB, brokers []string, topic string, first int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis = 10_000
	request.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: first}}}}
	response, err := request.RequestWith(deadline(t), client)
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
}

// count counts the requests of a kind.
func count(fake *kfake.Cluster, key kmsg.Key) *atomic.Int32 {
	var n atomic.Int32
	fake.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		n.Add(1)
		return nil, nil, false
	})
	return &n
}

// received gives what is in a channel until it is closed.
func received[V any](from <-chan V) iter.Seq[V] {
	return func(yield func(V) bool) {
		for v := range from {
			if !yield(v) {
				return
			}
		}
	}
}
