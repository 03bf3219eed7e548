package mirror_test

import (
	"context"
	"testing"
	"time"

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
	client, err := kafka.Open(testContext(t), kafka.Config{Brokers: c.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, c
}

// pair is a source and a target cluster.
func pair(t testing.TB) (source, target *kafka.Client) {
	t.Helper()
	source, _ = cluster(t, localkafka.Config{})
	target, _ = cluster(t, localkafka.Config{})
	return source, target
}

func createTopic(t testing.TB, c *kafka.Client, spec kafka.TopicSpec) {
	t.Helper()
	if spec.Partitions == 0 {
		spec.Partitions = 1
	}
	if err := c.CreateTopic(testContext(t), spec); err != nil {
		t.Fatal(err)
	}
}

// produce appends records as batches of n with a codec, and gives the range
// of offsets that they have got.
func produce(t testing.TB, c *kafka.Client, topic string, partition int32, codec batch.Codec, n int, records []batch.Record) mirror.Range {
	t.Helper()
	rng := mirror.Range{Topic: topic, Partition: partition, First: -1}
	for len(records) > 0 {
		size := min(n, len(records))
		b, err := batch.Build(batch.Options{Codec: codec}, records[:size])
		if err != nil {
			t.Fatal(err)
		}
		offsets, err := c.ProduceBatches(testContext(t), topic, partition, "", []batch.Batch{b})
		if err != nil {
			t.Fatal(err)
		}
		if rng.First < 0 {
			rng.First = offsets[0]
		}
		rng.Last = offsets[0] + int64(size) - 1
		records = records[size:]
	}
	return rng
}

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

// side is a whole partition.
func side(t testing.TB, c *kafka.Client, topic string, partition int32) mirror.Side {
	t.Helper()
	ctx := testContext(t)
	first, err := c.Offsets(ctx, topic, kafka.Earliest, partition)
	if err != nil {
		t.Fatal(err)
	}
	end, err := c.Offsets(ctx, topic, kafka.Latest, partition)
	if err != nil {
		t.Fatal(err)
	}
	return mirror.Side{Client: c, Topic: topic, Partition: partition, First: first[partition], End: end[partition]}
}

// requireEqual compares two whole partitions by content.
func requireEqual(t testing.TB, a, b mirror.Side, records int64) {
	t.Helper()
	got, err := mirror.Compare(testContext(t), a, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal {
		d := got.Difference
		t.Fatalf("record %d differs in %s:\nsource %+v\ntarget %+v", d.Index, d.Field, d.Source, d.Target)
	}
	if got.Source.Records != records || got.Target.Records != records {
		t.Fatalf("compared %d and %d records, want %d", got.Source.Records, got.Target.Records, records)
	}
	if got.Source.Digest != got.Target.Digest {
		t.Fatalf("digests %s and %s of equal records", got.Source.Digest, got.Target.Digest)
	}
}
