package mirror_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// noisy are records that compression does not make smaller.
func noisy(n, size int) []batch.Record {
	var noise []byte
	for _, r := range sample.Special() {
		if string(r.Key) == "large" {
			noise = r.Value
		}
	}
	records := make([]batch.Record, n)
	for i := range records {
		records[i] = batch.Record{Key: fmt.Append(nil, i), Value: noise[i*size : i*size+size], Timestamp: int64(i)}
	}
	return records
}

func TestCopyToSmallerLimit(t *testing.T) {
	t.Parallel()

	for _, codec := range codecs() {
		t.Run("batches larger than the target takes are divided, "+codec.String(), func(t *testing.T) {
			t.Parallel()
			source, target := pair(t)
			createTopic(t, source, kafka.TopicSpec{Name: "t"})
			createTopic(t, target, kafka.TopicSpec{Name: "t", Settings: map[string]string{"max.message.bytes": "5000"}})
			records := noisy(100, 1000)
			rng := produce(t, source, "t", 0, codec, 25, records)
			got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rng).Partitions[0]
			if got.Passed != 0 || got.Rebuilt != 25 {
				t.Errorf("passed %d batches and rebuilt %d, want 25 rebuilt with 4 records each", got.Passed, got.Rebuilt)
			}
			requireCopied(t, source, target, "t", 100)
		})
	}

	// blocked is a source whose record 12, of 20, is larger than the target takes.
	blocked := func(t *testing.T) (source, target *kafka.Client, brokers *kfake.Cluster) {
		t.Helper()
		source, _ = cluster(t, localkafka.Config{})
		target, local := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		createTopic(t, target, kafka.TopicSpec{Name: "t", Settings: map[string]string{"max.message.bytes": "5000"}})
		records := noisy(20, 100)
		records[12].Value = noisy(1, 9000)[0].Value
		produce(t, source, "t", 0, batch.None, 20, records)
		return source, target, local.Fake()
	}
	wantTooLarge := func(t *testing.T, result mirror.Result, err error, want mirror.TooLargeError) {
		t.Helper()
		var got *mirror.TooLargeError
		if !errors.As(err, &got) || !errors.Is(err, mirror.ErrTooLarge) {
			t.Fatalf("got %v, want a TooLargeError", err)
		}
		if want.Size = got.Size; *got != want || got.Size < 9000 || got.Size > 9200 {
			t.Errorf("got %+v, want %+v with a size of about 9000", *got, want)
		}
		if p := result.Partitions[0]; p.Next != 12 || p.Records != 12 {
			t.Errorf("got %+v, want the 12 records before it", p)
		}
	}

	t.Run("a record that is too large stops the partition there, and it goes on when the limit is raised", func(t *testing.T) {
		t.Parallel()
		source, target, brokers := blocked(t)
		c := copier(t, mirror.Config{Source: source, Target: target})
		result, err := c.Copy(testContext(t), []mirror.Range{rangeOf(0, 19)})
		wantTooLarge(t, result, err, mirror.TooLargeError{Topic: "t", Offset: 12, Target: "t", Limit: 5000})
		for _, words := range []string{"t/0", "offset 12", "5000", "max.message.bytes of target topic t"} {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%q does not say %q", err, words)
			}
		}
		requirePart(t, source, target, 0, 12)

		limit(t, brokers, "10000")
		copyRange(t, c, rangeOf(0, 19))
		requireCopied(t, source, target, "t", 20)
	})

	t.Run("where the settings may not be read batches are divided by what the broker refuses", func(t *testing.T) {
		t.Parallel()
		source, target, brokers := blocked(t)
		brokers.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		c := copier(t, mirror.Config{Source: source, Target: target})
		result, err := c.Copy(testContext(t), []mirror.Range{rangeOf(0, 19)})
		wantTooLarge(t, result, err, mirror.TooLargeError{Topic: "t", Offset: 12, Target: "t", Limit: 0})
		if !strings.Contains(err.Error(), "is unknown") {
			t.Errorf("%q does not say that the limit is unknown", err)
		}
		limit(t, brokers, "10000")
		copyRange(t, c, rangeOf(0, 19))
		requireCopied(t, source, target, "t", 20)
	})

	t.Run("a batch that the target refuses for good stops the partition after what comes before it", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t, localkafka.Config{})
		target, local := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		records := sample.Plain(30, 100, 1)
		for _, part := range [][]batch.Record{records[:10], records[10:13], records[13:]} {
			produce(t, source, "t", 0, batch.None, len(part), part)
		}
		fault := local.Fake().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidTimestamp, Count: -1, When: func(r kmsg.Request) bool {
			var b kmsg.RecordBatch
			err := b.ReadFrom(r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records)
			return err == nil && b.NumRecords == 3
		}})
		c := copier(t, mirror.Config{Source: source, Target: target})
		result, err := c.Copy(testContext(t), []mirror.Range{rangeOf(0, 29)})
		if !errors.Is(err, kafka.ErrTimestampRefused) || !strings.Contains(err.Error(), "t/0: the batch from offset 10 on") {
			t.Errorf("got %v, want ErrTimestampRefused from offset 10 on", err)
		}
		if got := result.Partitions[0]; got.Next != 10 || got.Records != 10 {
			t.Errorf("got %+v, want the 10 records before it", got)
		}
		fault.Remove()
		copyRange(t, c, rangeOf(0, 29))
		requireCopied(t, source, target, "t", 30)
	})

	t.Run("a limit that was lowered under a warm copier is noticed", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		target, local := cluster(t, localkafka.Config{})
		createTopic(t, target, kafka.TopicSpec{Name: "t"})
		produce(t, source, "t", 0, batch.None, 20, noisy(40, 500))
		c := copier(t, mirror.Config{Source: source, Target: target})
		copyRange(t, c, rangeOf(0, 19))
		limit(t, local.Fake(), "2000")
		copyRange(t, c, rangeOf(20, 39))
		requireCopied(t, source, target, "t", 40)
	})

	t.Run("records that grow when they are not compressed any more are divided into chunks", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		records := make([]batch.Record, 400)
		for i := range records {
			records[i] = batch.Record{Value: []byte(strings.Repeat("record ", 1000)), Timestamp: int64(i)}
		}
		rng := produce(t, source, "t", 0, batch.Zstd, 20, records)
		none := batch.None
		c := copier(t, mirror.Config{Source: source, Target: target, Codec: &none, ChunkBytes: 300_000, TransactionBytes: 1})
		copyRange(t, c, rng)
		requireCopied(t, source, target, "t", len(records))
		// 2.8 MB at 300 kB, in one fetch: each chunk is a transaction with a marker
		if markers := offset(t, target, "t", 0, kafka.Latest) - int64(len(records)); markers < 6 || markers > 12 {
			t.Errorf("copied in %d transactions, want about 7", markers)
		}
	})
}

// limit sets max.message.bytes of topic t.
func limit(t *testing.T, brokers *kfake.Cluster, bytes string) {
	t.Helper()
	client := kgoClient(t, brokers.ListenAddrs())
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "t",
		Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "max.message.bytes", Value: &bytes}},
	}}
	answer, err := request.RequestWith(testContext(t), client)
	if err == nil {
		err = kerr.ErrorForCode(answer.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}
