package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func cluster(t *testing.T) (*kafka.Client, *localkafka.Cluster) {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { brokers.Close() })
	client, err := kafka.Open(t.Context(), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, brokers
}

// filled creates a topic with n records, and gives the event that names them.
func filled(t *testing.T, source *kafka.Client, topic string, n int) (payload []byte) {
	t.Helper()
	err := source.CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: 1, Settings: sample.TopicSettings()})
	if err != nil && !errors.Is(err, kafka.ErrTopicExists) {
		t.Fatal(err)
	}
	return more(t, source, topic, n)
}

func more(t *testing.T, source *kafka.Client, topic string, n int) []byte {
	t.Helper()
	b, err := batch.Build(batch.Options{}, sample.Plain(n, 50, uint64(n)))
	if err != nil {
		t.Fatal(err)
	}
	offsets, err := source.ProduceBatches(t.Context(), topic, 0, "", []batch.Batch{b})
	if err != nil {
		t.Fatal(err)
	}
	encoder := event.NewKafkaEncoder(event.NullKeyText)
	for i := range n {
		encoder.Add(event.KafkaRecord{Topic: topic, Offset: offsets[0] + int64(i), Body: []byte("{}")})
	}
	return encoder.Bytes()
}

func environment(source *kafka.Client, targets ...[]string) map[string]string {
	env := map[string]string{"MIGRATION": "move", "SOURCE_BROKERS": strings.Join(source.Brokers(), ",")}
	for i, prefix := range []string{"TARGET_", "TARGET_2_", "TARGET_3_"}[:len(targets)] {
		env[prefix+"BROKERS"] = strings.Join(targets[i], ",")
		env[prefix+"DIAL_TIMEOUT"] = "200ms"
		env[prefix+"REQUEST_TIMEOUT"] = "1s"
	}
	return env
}

// begin plans and starts the migration.
func begin(t *testing.T, source, target *kafka.Client) {
	t.Helper()
	operator := migrate.Operator{Clusters: migrate.Clusters{Source: source, Target: target}}
	if _, err := operator.Plan(t.Context(), migrate.Plan{Name: "move", Include: []string{"orders"}, Groups: []string{".*"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := operator.Start(t.Context(), "move"); err != nil {
		t.Fatal(err)
	}
}

func timerEvent(t *testing.T) []byte {
	t.Helper()
	payload, err := json.Marshal(event.Timer{TriggerName: "continue", Time: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func requireEqual(t *testing.T, source, target *kafka.Client, topic string, records int64) {
	t.Helper()
	got, err := mirror.CompareTopics(t.Context(), source, target, topic, topic, mirror.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal || got.Partitions[0].Source.Records != records {
		t.Errorf("%+v, want %d equal records", got.Partitions, records)
	}
}

func TestTimer(t *testing.T) {
	t.Parallel()

	t.Run("it does nothing before a migration is started, and then copies until its time is over", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t)
		target, _ := cluster(t)
		filled(t, source, "orders", 50)
		function := fntest.Deploy(t, New, environment(source, target.Brokers()))
		short := fntest.WithTimeLimit(3 * time.Second)
		if result, err := function.Invoke(timerEvent(t), short); err != nil || result.Step != "" {
			t.Errorf("without a migration: %+v, %v", result, err)
		}
		operator := migrate.Operator{Clusters: migrate.Clusters{Source: source, Target: target}}
		if _, err := operator.Plan(t.Context(), migrate.Plan{Name: "move", Include: []string{".*"}, Groups: []string{".*"}}); err != nil {
			t.Fatal(err)
		}
		if result, err := function.Invoke(timerEvent(t), short); err != nil || result.Step != migrate.Planned || len(result.Copied.Partitions) > 0 {
			t.Errorf("while it is planned: %+v, %v", result, err)
		}
		if _, err := operator.Start(t.Context(), "move"); err != nil {
			t.Fatal(err)
		}
		if result, err := function.Invoke(timerEvent(t), short); err != nil || !result.Step.Forward() || len(result.Copied.Partitions) != 1 {
			t.Errorf("once it is started: %+v, %v", result, err)
		}
		requireEqual(t, source, target, "orders", 50)
	})
}

func TestDualWrite(t *testing.T) {
	t.Parallel()

	t.Run("an event is written to all targets, once", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t)
		first, _ := cluster(t)
		second, _ := cluster(t)
		payload := filled(t, source, "orders", 20)
		begin(t, source, first)
		function := fntest.Deploy(t, New, environment(source, first.Brokers(), second.Brokers()))
		for range 3 {
			if result, err := function.Invoke(payload); err != nil || len(result.Faults) > 0 {
				t.Fatalf("%+v, %v", result, err)
			}
		}
		requireEqual(t, source, first, "orders", 20)
		requireEqual(t, source, second, "orders", 20)
	})

	t.Run("a target that is away holds back no other, and lacks nothing once it is there", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t)
		first, _ := cluster(t)
		_, brokers := cluster(t)
		address := brokers.Brokers()
		payload := filled(t, source, "orders", 20)
		begin(t, source, first)
		if err := brokers.Close(); err != nil {
			t.Fatal(err)
		}
		function := fntest.Deploy(t, New, environment(source, first.Brokers(), address))
		if result, err := function.Invoke(payload); err != nil || len(result.Faults) != 1 || !strings.Contains(result.Faults[0], "target 2 (job move-2)") {
			t.Errorf("%+v, %v, want one fault and no error", result, err)
		}
		if result, err := function.Invoke(more(t, source, "orders", 10)); err != nil || len(result.Faults) != 1 || !strings.Contains(result.Faults[0], "left alone") {
			t.Errorf("%+v, %v, want it left alone for a while", result, err)
		}
		requireEqual(t, source, first, "orders", 30)
	})

	t.Run("an event that no target took is an error, so that it comes again", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t)
		first, brokers := cluster(t)
		payload := filled(t, source, "orders", 20)
		begin(t, source, first)
		function := fntest.Deploy(t, New, environment(source, first.Brokers(), brokers.Brokers()))
		if _, err := function.Invoke(payload); err != nil {
			t.Fatal(err)
		}
		payload = more(t, source, "orders", 5)
		if err := brokers.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := function.Invoke(payload); err == nil {
			t.Error("it counts as done")
		}
	})

	t.Run("a topic that came to hold records of somebody else is not written between them", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t)
		target, _ := cluster(t)
		payload := filled(t, source, "orders", 20)
		begin(t, source, target)
		filled(t, target, "orders", 3) // another migration's, say
		_, err := fntest.Invoke(t, New, environment(source, target.Brokers()), payload)
		if err == nil || !strings.Contains(err.Error(), mirror.ErrLostCheckpoint.Error()) {
			t.Errorf("error is %v, want ErrLostCheckpoint", err)
		}
		if end, err := target.Offsets(t.Context(), "orders", kafka.Latest, 0); err != nil || end[0] != 3 {
			t.Errorf("the topic ends at %d (%v), want 3", end[0], err)
		}
	})

	t.Run("the target of a migration that is only planned, or is cut over, is not written", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t)
		target, _ := cluster(t)
		payload := filled(t, source, "orders", 20)
		operator := migrate.Operator{Clusters: migrate.Clusters{Source: source, Target: target}}
		if _, err := operator.Plan(t.Context(), migrate.Plan{Name: "move", Include: []string{".*"}, Groups: []string{".*"}}); err != nil {
			t.Fatal(err)
		}
		result, err := fntest.Invoke(t, New, environment(source, target.Brokers()), payload)
		if err != nil || result.Step != migrate.Planned || len(result.Copied.Partitions) > 0 {
			t.Errorf("%+v, %v", result, err)
		}
		if _, err := target.Topic(t.Context(), "orders"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("the target has the topic (%v)", err)
		}
	})

	t.Run("without a plan, and for topics that are not in it, nothing is done, and the other targets are written", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t)
		first, _ := cluster(t)
		second, _ := cluster(t)
		for _, topic := range []string{"orders", "other"} {
			payload := filled(t, source, topic, 20)
			if result, err := fntest.Invoke(t, New, environment(source, first.Brokers(), second.Brokers()), payload); err != nil || len(result.Faults) > 0 {
				t.Errorf("%s: %+v, %v", topic, result, err)
			}
			if _, err := first.Topic(t.Context(), topic); !errors.Is(err, kafka.ErrUnknownTopic) {
				t.Errorf("the target has topic %s (%v)", topic, err)
			}
			requireEqual(t, source, second, topic, 20)
			if topic == "orders" {
				begin(t, source, first)
			}
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	connected := func(context.Context, Config) (fn.Handler[event.KafkaOrTimer, Result], error) {
		t.Error("it connects")
		return nil, errors.New("connected")
	}
	_, err := fntest.Invoke(t, connected, map[string]string{"MIGRATION": "a.b", "SHARD": "4/3", "PARALLEL": "65", "MEMORY_BYTES": "-1"}, timerEvent(t))
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, key := range []string{"MIGRATION", "SHARD", "PARALLEL", "MEMORY_BYTES", "SOURCE_BROKERS", "TARGET_BROKERS"} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("%v does not name %s", err, key)
		}
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		string(timerEvent(t)): "timer",
		`{"Records":[{"Ckafka":{"topic":"t","partition":0,"offset":1,"msgKey":"","msgBody":""}}]}`:       "kafka",
		`{"Type":"Timer","TriggerName":"t","Time":"2019-02-21T11:49:00Z","Message":"{\"Records\":[1]}"}`: "timer",
		`{"Records":[{"Ckafka":{"topic":"t","partition":0,"offset":"x"}}]}`:                              "error",
		`{}`: "error",
		`[]`: "error",
		``:   "error",
	} {
		var e event.KafkaOrTimer
		err := e.UnmarshalJSON([]byte(payload))
		got := "error"
		switch {
		case err != nil:
		case e.Timer != nil:
			got = "timer"
		case e.Kafka != nil:
			got = "kafka"
		}
		if got != want {
			t.Errorf("%s is %s (%v), want %s", payload, got, err, want)
		}
	}
}
