package mirror_test

import (
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func lagOf(t *testing.T, source, target *kafka.Client) mirror.Lag {
	t.Helper()
	all, err := mirror.NewSelection([]string{".*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	lags, err := mirror.Lags(testContext(t), "test", source, target, mirror.TopicMap{}, all)
	if err != nil || len(lags) != 1 {
		t.Fatalf("lags are %+v (%v), want one", lags, err)
	}
	return lags[0]
}

func TestLags(t *testing.T) {
	t.Parallel()

	// timed are records of so long ago.
	timed := func(n int, ago time.Duration) []batch.Record {
		records := sample.Plain(n, 20, 1)
		for i := range records {
			records[i].Timestamp = time.Now().Add(-ago).UnixMilli()
		}
		return records
	}

	t.Run("records and seconds are those of what is still to copy", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Settings: sample.TopicSettings()})
		if lag := lagOf(t, source, target); lag.Next != -1 || lag.Records != 0 || *lag.Seconds != 0 {
			t.Errorf("of an empty topic it is %+v", lag)
		}
		first := produce(t, source, "orders", 0, batch.None, 5, timed(10, time.Hour))
		if lag := lagOf(t, source, target); lag.Next != -1 || lag.Records != 10 || *lag.Seconds < 3600 || *lag.Seconds > 3700 {
			t.Errorf("before the first copy it is %+v, seconds %v", lag, *lag.Seconds)
		}
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), first)
		if lag := lagOf(t, source, target); lag.Next != 10 || lag.Records != 0 || *lag.Seconds != 0 {
			t.Errorf("after it, it is %+v", lag)
		}
		produce(t, source, "orders", 0, batch.None, 5, timed(5, time.Minute))
		if lag := lagOf(t, source, target); lag.Records != 5 || *lag.Seconds < 60 || *lag.Seconds > 160 {
			t.Errorf("of records of a minute ago it is %+v, seconds %v", lag, *lag.Seconds)
		}
	})

	t.Run("what cannot be known is not guessed", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Settings: sample.TopicSettings()})
		producer := transaction(t, source, "aborts")
		produceIn(t, producer, "orders", 0, sample.Plain(5, 20, 1))
		if lag := lagOf(t, source, target); lag.End != 0 || lag.HighWatermark != 5 || lag.Records != 0 {
			t.Errorf("behind an open transaction it is %+v", lag)
		}
		end(t, producer, false)
		if lag := lagOf(t, source, target); lag.Records == 0 || lag.Seconds != nil {
			t.Errorf("of aborted records it is %+v, want unknown seconds", lag)
		}
	})

	t.Run("a partition that cannot be copied says why, with the commands", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Settings: sample.TopicSettings()})
		copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), produce(t, source, "orders", 0, batch.None, 5, timed(10, 0)))
		produce(t, source, "orders", 0, batch.None, 5, timed(10, 0))
		if err := brokers.Fake().DeleteRecords("orders", 0, 15); err != nil {
			t.Fatal(err)
		}
		if lag := lagOf(t, source, target); !strings.Contains(lag.Fault, "offsets 10 to 14") || !strings.Contains(lag.Fault, "etl offsets reset") || lag.Seconds != nil {
			t.Errorf("of a gap it is %+v", lag)
		}
		if err := source.DeleteTopic(testContext(t), "orders"); err != nil {
			t.Fatal(err)
		}
		await(t, "the topic to be made again", func() bool {
			return source.CreateTopic(testContext(t), kafka.TopicSpec{Name: "orders", Partitions: 1, Settings: sample.TopicSettings()}) == nil
		})
		if lag := lagOf(t, source, target); !strings.Contains(lag.Fault, "deleted and created again") {
			t.Errorf("of another topic of the same name it is %+v", lag)
		}
	})
}
