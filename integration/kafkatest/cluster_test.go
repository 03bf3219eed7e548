package kafkatest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

func TestPair(t *testing.T) {
	t.Parallel()
	pair := clusters.Pair(t)

	t.Run("source and target are two clusters", func(t *testing.T) {
		t.Parallel()
		source, target := clusterID(t, pair.Source), clusterID(t, pair.Target)
		if source == target {
			t.Errorf("both say they are cluster %s", source)
		}
	})

	t.Run("a record goes in and comes out through the published port", func(t *testing.T) {
		t.Parallel()
		topic := createTopic(t, pair.Source)
		produce(t, pair.Source, topic, "hello")
		if diff := cmp.Diff([]string{"hello"}, consume(t, pair.Source, topic, 1)); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})

	t.Run("a transaction commits", func(t *testing.T) {
		t.Parallel()
		topic := createTopic(t, pair.Target)
		client := connect(t, pair.Target, kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic))
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), kgo.StringRecord("paid")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		got := consume(t, pair.Target, topic, 1, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if diff := cmp.Diff([]string{"paid"}, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})

	t.Run("a tool of Kafka runs inside", func(t *testing.T) {
		t.Parallel()
		topic := createTopic(t, pair.Source)
		topics, err := pair.Source.Exec(t.Context(),
			"/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", kafkatest.Inside, "--list")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(topics, topic) {
			t.Errorf("topics are %q, without %s", topics, topic)
		}
	})

	t.Run("a command that ends with another code than 0 is an error with its output", func(t *testing.T) {
		t.Parallel()
		_, err := pair.Source.Exec(t.Context(), "sh", "-c", "echo broken; exit 3")
		if err == nil || !strings.Contains(err.Error(), "exit code 3: broken") {
			t.Errorf("error is %v", err)
		}
	})
}

func TestStart(t *testing.T) {
	t.Parallel()
	kafkatest.Require(t)

	t.Run("acknowledged records and the address outlive a killed and a stopped broker", func(t *testing.T) {
		t.Parallel()
		cluster := clusters.New(t, kafkatest.Config{})
		topic := createTopic(t, cluster)
		for i, end := range []func(context.Context) error{cluster.Kill, cluster.Stop} {
			produce(t, cluster, topic, fmt.Sprint(i))
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := cluster.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"0", "1"}, consume(t, cluster, topic, 2)); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})

	t.Run("a paused broker does not answer, and answers once it goes on", func(t *testing.T) {
		t.Parallel()
		cluster := clusters.New(t, kafkatest.Config{})
		if err := cluster.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := connect(t, cluster, kgo.RequestTimeoutOverhead(time.Second)).Ping(t.Context()); err == nil {
			t.Error("a paused broker answers")
		}
		if err := cluster.Unpause(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := connect(t, cluster).Ping(t.Context()); err != nil {
			t.Errorf("ping after the pause: %v", err)
		}
	})

	t.Run("a broker that does not start is an error with its own words", func(t *testing.T) {
		t.Parallel()
		_, err := clusters.Start(t, kafkatest.Config{Settings: map[string]string{"message.max.bytes": "many"}})
		if err == nil || !strings.Contains(err.Error(), "message.max.bytes") {
			t.Errorf("error is %v", err)
		}
	})

	t.Run("an image that is nowhere is an error that names it and the way out", func(t *testing.T) {
		t.Parallel()
		_, err := clusters.Start(t, kafkatest.Config{Image: "localhost:1/no/kafka:0"})
		if err == nil || !strings.Contains(err.Error(), "start localhost:1/no/kafka:0") ||
			!strings.Contains(err.Error(), "deploy/kafka/build.sh") {
			t.Errorf("error is %v", err)
		}
	})
}

func connect(t *testing.T, cluster *kafkatest.Cluster, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(cluster.Brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func createTopic(t *testing.T, cluster *kafkatest.Cluster) string {
	t.Helper()
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = kafkatest.Topic(t), 1, -1
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(t.Context(), connect(t, cluster))
	if err != nil {
		t.Fatal(err)
	}
	if code := response.Topics[0].ErrorCode; code != 0 {
		t.Fatalf("create topic %s: error code %d", topic.Topic, code)
	}
	return topic.Topic
}

func produce(t *testing.T, cluster *kafkatest.Cluster, topic, value string) {
	t.Helper()
	client := connect(t, cluster, kgo.DefaultProduceTopic(topic))
	if err := client.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func consume(t *testing.T, cluster *kafkatest.Cluster, topic string, count int, options ...kgo.Opt) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := connect(t, cluster, append(options, kgo.ConsumeTopics(topic))...)
	var values []string
	for len(values) < count {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(values), count, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func clusterID(t *testing.T, cluster *kafkatest.Cluster) string {
	t.Helper()
	response, err := kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), connect(t, cluster))
	if err != nil {
		t.Fatal(err)
	}
	return *response.ClusterID
}
