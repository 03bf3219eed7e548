package mirror_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestGivingUp(t *testing.T) {
	t.Parallel()
	t.Run("leaves no open transaction that would hold back the target's readers", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t, localkafka.Config{})
		target, brokers := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: sample.TopicSettings()})
		rng := produce(t, source, "t", 0, batch.None, 10, sample.Plain(10, 50, 1))
		brokers.Fake().ControlKey(int16(kmsg.TxnOffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
			brokers.Fake().KeepControl()
			response := request.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
			for _, asked := range request.(*kmsg.TxnOffsetCommitRequest).Topics {
				topic := kmsg.NewTxnOffsetCommitResponseTopic()
				topic.Topic = asked.Topic
				for _, p := range asked.Partitions {
					partition := kmsg.NewTxnOffsetCommitResponseTopicPartition()
					partition.Partition, partition.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
					topic.Partitions = append(topic.Partitions, partition)
				}
				response.Topics = append(response.Topics, topic)
			}
			return response, nil, true
		})
		_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rng})
		if !errors.Is(err, kafka.ErrAuthorization) {
			t.Fatalf("got %v, want ErrAuthorization", err)
		}
		got, err := target.FetchRecords(testContext(t), kafka.FetchRequest{Topic: "t", MaxWait: time.Millisecond, ReadCommitted: true})
		if err != nil || len(got.Records) != 0 || got.HighWatermark == 0 || got.LastStable != got.HighWatermark {
			t.Errorf("%d records, last stable offset %d of %d, %v: want a transaction that was aborted", len(got.Records), got.LastStable, got.HighWatermark, err)
		}
	})
}

func TestShortCalls(t *testing.T) {
	t.Parallel()
	t.Run("a chunk that takes longer than a call is copied in smaller ones by the next calls", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t, localkafka.Config{})
		target, brokers := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		const records = 96
		whole := produce(t, source, "t", 0, batch.None, 1, sample.Plain(records, 20_000, 1)) // so large that batches are not put together
		brokers.Fake().ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			brokers.Fake().KeepControl()
			time.Sleep(10 * time.Millisecond) // a target that is slow
			return nil, nil, false
		})
		c := copier(t, mirror.Config{Source: source, Target: target})
		for range 100 {
			ctx, cancel := context.WithTimeout(testContext(t), 300*time.Millisecond)
			_, err := c.Copy(ctx, []mirror.Range{whole})
			cancel()
			if err == nil {
				requireCopied(t, source, target, "t", records)
				return
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		t.Error("the copy has come nowhere in 100 calls")
	})
}
