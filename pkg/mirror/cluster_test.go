package mirror_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// testTimeout bounds a test that waits for brokers.
const testTimeout = time.Minute

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// cluster starts embedded brokers and gives a client of them.
func cluster(t testing.TB, config localkafka.Config) (*kafka.Client, *localkafka.Cluster) {
	t.Helper()
	c, err := localkafka.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return open(t, c.Brokers(), 100*time.Millisecond), c
}

func open(t testing.TB, brokers []string, metadataTTL time.Duration) *kafka.Client {
	t.Helper()
	client, err := kafka.Open(testContext(t), kafka.Config{Brokers: brokers, MetadataTTL: metadataTTL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// kgoClient is for requests that the project itself has no use for.
func kgoClient(t testing.TB, brokers []string) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// pair is a source and a target cluster.
func pair(t testing.TB) (source, target *kafka.Client) {
	t.Helper()
	source, _ = cluster(t, localkafka.Config{})
	target, _ = cluster(t, localkafka.Config{})
	return source, target
}

// createTopic makes a topic, of one partition where the spec does not say.
func createTopic(t testing.TB, c *kafka.Client, spec kafka.TopicSpec) {
	t.Helper()
	if spec.Partitions == 0 {
		spec.Partitions = 1
	}
	if err := c.CreateTopic(testContext(t), spec); err != nil {
		t.Fatal(err)
	}
}

// batches divides records into batches of n.
func batches(t testing.TB, codec batch.Codec, n int, records []batch.Record) []batch.Batch {
	t.Helper()
	var all []batch.Batch
	for len(records) > 0 {
		size := min(n, len(records))
		b, err := batch.Build(batch.Options{Codec: codec}, records[:size])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
		records = records[size:]
	}
	return all
}

// produce appends records as batches of n with a codec, and gives the range
// of offsets that they have got.
func produce(t testing.TB, c *kafka.Client, topic string, partition int32, codec batch.Codec, n int, records []batch.Record) mirror.Range {
	t.Helper()
	offsets, err := c.ProduceBatches(testContext(t), topic, partition, "", batches(t, codec, n, records))
	if err != nil {
		t.Fatal(err)
	}
	return mirror.Range{Topic: topic, Partition: partition, First: offsets[0], Last: offsets[0] + int64(len(records)) - 1}
}

// transaction is an open transaction of a producer of the test's own.
func transaction(t testing.TB, c *kafka.Client, id string) *kafka.Transactional {
	t.Helper()
	producer, err := c.Transactional(testContext(t), id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return producer
}

// produceIn appends records as one batch in a transaction.
func produceIn(t testing.TB, producer *kafka.Transactional, topic string, partition int32, records []batch.Record) {
	t.Helper()
	if _, err := producer.Produce(testContext(t), topic, partition, batches(t, batch.None, len(records), records)); err != nil {
		t.Fatal(err)
	}
}

// end commits or aborts a transaction.
func end(t testing.TB, producer *kafka.Transactional, commit bool) {
	t.Helper()
	finish := producer.Abort
	if commit {
		finish = producer.Commit
	}
	if err := finish(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

// copier makes one that may create topics.
func copier(t testing.TB, config mirror.Config) *mirror.Copier {
	t.Helper()
	if config.Job == "" {
		config.Job = "test"
	}
	config.CreateTopics = true
	c, err := mirror.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// copyRange copies and wants no error.
func copyRange(t testing.TB, c *mirror.Copier, ranges ...mirror.Range) mirror.Result {
	t.Helper()
	result, err := c.Copy(testContext(t), ranges)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// side is a whole partition.
func side(t testing.TB, c *kafka.Client, topic string, partition int32) mirror.Side {
	t.Helper()
	return mirror.Side{Client: c, Topic: topic, Partition: partition, First: offset(t, c, topic, partition, kafka.Earliest), End: offset(t, c, topic, partition, kafka.Latest)}
}

// offset is where a partition begins or ends.
func offset(t testing.TB, c *kafka.Client, topic string, partition int32, at int64) int64 {
	t.Helper()
	offsets, err := c.Offsets(testContext(t), topic, at, partition)
	if err != nil {
		t.Fatal(err)
	}
	return offsets[partition]
}

// requireEqual compares two partitions by content.
func requireEqual(t testing.TB, a, b mirror.Side, records int) {
	t.Helper()
	got, err := mirror.Compare(testContext(t), a, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal {
		t.Fatalf("after %d equal records (source has %d, target %d): %v", got.Difference.Index, got.Source.Records, got.Target.Records, got.Difference)
	}
	if got.Source.Records != int64(records) || got.Target.Records != int64(records) {
		t.Fatalf("compared %d and %d records, want %d", got.Source.Records, got.Target.Records, records)
	}
}

// requireCopied compares partition 0 of a topic in both clusters, whole.
func requireCopied(t testing.TB, source, target *kafka.Client, topic string, records int) {
	t.Helper()
	requireEqual(t, side(t, source, topic, 0), side(t, target, topic, 0), records)
}

// stored reads the units of a partition as its broker stores them, without
// what readers skip.
func stored(t testing.TB, s mirror.Side) []kafka.Stored {
	t.Helper()
	var units []kafka.Stored
	for next := s.First; next < s.End; {
		answer, err := s.Client.Fetch(testContext(t), kafka.FetchRequest{
			Topic: s.Topic, Partition: s.Partition, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second, ReadCommitted: true,
		}, &kafka.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Batches) == 0 {
			t.Fatalf("nothing at %s/%d offset %d", s.Topic, s.Partition, next)
		}
		for unit, err := range answer.Visible(true) {
			if err != nil {
				t.Fatal(err)
			}
			if next = unit.LastOffset() + 1; !unit.Skip {
				units = append(units, unit)
			}
		}
	}
	return units
}
