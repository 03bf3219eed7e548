package backup_test

import (
	"context"
	"encoding/hex"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// testTimeout bounds a test that waits for brokers.
const testTimeout = 3 * time.Minute

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// cluster starts embedded brokers and gives a client of them.
func cluster(t testing.TB, topics map[string]int32) *kafka.Client {
	t.Helper()
	client, _ := faultyCluster(t, topics)
	return client
}

// faultyCluster gives the brokers, too, whose requests a test may let fail.
func faultyCluster(t testing.TB, topics map[string]int32) (*kafka.Client, *kfake.Cluster) {
	t.Helper()
	c, err := localkafka.Start(localkafka.Config{Topics: topics})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	client, err := kafka.Open(testContext(t), kafka.Config{Brokers: c.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, c.Fake()
}

func produce(t testing.TB, c *kafka.Client, topic string, partition int32, records ...batch.Record) {
	t.Helper()
	if _, err := c.Produce(testContext(t), topic, partition, records...); err != nil {
		t.Fatal(err)
	}
}

// run backs up, and fails where that does.
func run(t testing.TB, c *kafka.Client, s backup.Store, change ...func(*backup.Config)) backup.Result {
	t.Helper()
	config := backup.Config{Source: c, Store: s}
	for _, f := range change {
		f(&config)
	}
	result, err := backup.Run(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// chain opens the backup of a cluster.
func chain(t testing.TB, c *kafka.Client, s backup.Store) *backup.Chain {
	t.Helper()
	about, err := c.Cluster(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := backup.OpenChain(s, "", about.ID)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// restore restores, and fails where that does.
func restore(t testing.TB, config backup.RestoreConfig) backup.RestoreResult {
	t.Helper()
	result, err := backup.Restore(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	if !result.Complete {
		t.Fatalf("the restore is not complete: %+v", result)
	}
	return result
}

// records reads the committed records of a partition.
func records(t testing.TB, c *kafka.Client, topic string, partition int32) (all []batch.Record) {
	t.Helper()
	ctx := testContext(t)
	starts, err := c.Offsets(ctx, topic, kafka.Earliest, partition)
	if err != nil {
		t.Fatal(err)
	}
	ends, err := c.StableOffsets(ctx, topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	for next := starts[partition]; next < ends[partition]; {
		fetched, err := c.FetchRecords(
			ctx,
			kafka.FetchRequest{
				Topic:         topic,
				Partition:     partition,
				Offset:        next,
				MinBytes:      1,
				MaxBytes:      8 << 20,
				MaxWait:       time.Second,
				ReadCommitted: true,
			},
		)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range fetched.Records {
			all = append(all, r.Clone())
		}
		next = fetched.Next
	}
	return all
}

// digest sums records up.
func digest(all []batch.Record) string {
	var d batch.Digest
	for _, r := range all {
		d.Add(r)
	}
	sum := d.Sum()
	return hex.EncodeToString(sum[:])
}

// requireSame compares two partitions by content.
func requireSame(t testing.TB, left, right []batch.Record) {
	t.Helper()
	if len(left) != len(right) {
		t.Fatalf("%d records, want %d", len(right), len(left))
	}
	if digest(left) != digest(right) {
		t.Fatal("the records differ")
	}
}

// deleteRecords deletes the records of a partition before an offset.
func deleteRecords(t testing.TB, c *kafka.Client, topic string, partition int32, before int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	of, part := kmsg.NewDeleteRecordsRequestTopic(), kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Partition, part.Offset = partition, before
	of.Topic, of.Partitions = topic, append(of.Partitions, part)
	request.Topics, request.TimeoutMillis = append(request.Topics, of), 10_000
	answer, err := client.Request(testContext(t), request)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range answer.(*kmsg.DeleteRecordsResponse).Topics {
		for _, p := range at.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				t.Fatal(err)
			}
		}
	}
}
