package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func cluster(t *testing.T) *kafka.Client {
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
	return client
}

// fixture gives the event of testdata, and a source that holds its records
// with headers and timestamps that the event lacks.
func fixture(t *testing.T, source *kafka.Client) (payload []byte, e event.Kafka) {
	t.Helper()
	payload, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UnmarshalJSON(payload); err != nil {
		t.Fatal(err)
	}
	for _, r := range e.Ranges() {
		spec := kafka.TopicSpec{Name: r.Topic, Partitions: int(r.Partition) + 1, Settings: sample.TopicSettings()}
		if err := source.CreateTopic(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		for _, record := range sample.Plain(int(r.Last)+1, 100, 1) {
			record.Headers = []batch.Header{{Key: "trace", Value: []byte("1")}}
			if _, err := source.Produce(t.Context(), r.Topic, r.Partition, record); err != nil {
				t.Fatal(err)
			}
		}
	}
	return payload, e
}

// read gives the records of a partition, once this client has heard of its topic.
func read(t *testing.T, c *kafka.Client, topic string, partition int32) []batch.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		fetched, err := c.FetchRecords(ctx, kafka.FetchRequest{Topic: topic, Partition: partition, MaxBytes: 1 << 20, MaxWait: time.Millisecond, ReadCommitted: true})
		if err == nil {
			return fetched.Records
		}
		if !kafka.Retriable(err) || ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

func environment(source, target *kafka.Client, more ...string) map[string]string {
	env := map[string]string{"JOB": "test", "TARGET_BROKERS": strings.Join(target.Brokers(), ",")}
	if source != nil {
		env["SOURCE_BROKERS"] = strings.Join(source.Brokers(), ",")
	}
	for _, pair := range more {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	return env
}

func TestDump(t *testing.T) {
	t.Parallel()

	t.Run("fetch mode copies what the event cannot hold, and once", func(t *testing.T) {
		t.Parallel()
		source, target := cluster(t), cluster(t)
		payload, e := fixture(t, source)
		dump := fntest.Deploy(t, New, environment(source, target))
		r := e.Ranges()[0]
		want := r.Last - r.First + 1
		for try := range 3 { // the platform sends an event at least once
			result, err := dump.Invoke(payload)
			if err != nil {
				t.Fatal(err)
			}
			if copied := result.Partitions[0].Records; try == 0 && copied != want || try > 0 && copied != 0 {
				t.Errorf("delivery %d copied %d records of %d", try, copied, want)
			}
		}
		got := read(t, target, r.Topic, r.Partition)
		if int64(len(got)) != want {
			t.Fatalf("%d records in the target, want %d", len(got), want)
		}
		if got[0].Headers == nil || got[0].Timestamp != sample.Plain(int(r.First)+1, 100, 1)[r.First].Timestamp {
			t.Errorf("headers or timestamp changed: %+v", got[0])
		}
	})

	t.Run("event mode copies the text of the event, with its time of copy", func(t *testing.T) {
		t.Parallel()
		target := cluster(t)
		payload, e := fixture(t, cluster(t))
		r := e.Ranges()[0]
		if err := target.CreateTopic(t.Context(), kafka.TopicSpec{Name: "copy", Partitions: int(r.Partition) + 1}); err != nil {
			t.Fatal(err)
		}
		dump := fntest.Deploy(t, New, environment(nil, target, "TOPICS="+r.Topic+":copy"))
		for range 2 {
			if _, err := dump.Invoke(payload); err != nil {
				t.Fatal(err)
			}
		}
		got := read(t, target, "copy", r.Partition)
		if len(got) != len(e.Records) {
			t.Fatalf("%d records in the target, want %d", len(got), len(e.Records))
		}
		for i, record := range got {
			if string(record.Value) != string(e.Records[i].Body) {
				t.Errorf("record %d is %q, want %q", i, record.Value, e.Records[i].Body)
			}
			if string(e.Records[i].Key) == event.NullKeyText && record.Key != nil {
				t.Errorf("record %d has key %q, want none", i, record.Key)
			}
		}
	})

	t.Run("a malformed event is an error with its position, and changes nothing", func(t *testing.T) {
		t.Parallel()
		source, target := cluster(t), cluster(t)
		dump := fntest.Deploy(t, New, environment(source, target))
		_, err := dump.Invoke([]byte(`{"Records":[{"Ckafka":{"topic":"t","partition":0,"offset":"x"}}]}`))
		var fault *event.DecodeError
		if !errors.As(err, &fault) || fault.Record != 0 || fault.Offset == 0 {
			t.Fatalf("got %v, want a decode error of record 0 with its byte offset", err)
		}
		if topics, err := target.Topics(t.Context()); err != nil || len(topics) != 0 {
			t.Errorf("the target has %v, %v, want nothing", topics, err)
		}
	})

	t.Run("a missing target topic that it may not create is named with the fix", func(t *testing.T) {
		t.Parallel()
		source, target := cluster(t), cluster(t)
		payload, _ := fixture(t, source)
		_, err := fntest.Invoke(t, New, environment(source, target, "CREATE_TOPICS=false"), payload)
		if !errors.Is(err, mirror.ErrMissingTopic) || !strings.Contains(err.Error(), "CREATE_TOPICS=true") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	payload, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("all faults are listed at once, before any connection", func(t *testing.T) {
		t.Parallel()
		connected := func(ctx context.Context, c Config) (job.Handler, error) {
			t.Error("connected with a wrong configuration")
			return New(ctx, c)
		}
		_, err := fntest.Invoke(t, connected, map[string]string{
			"JOB": "a.b", "MODE": "both", "COMPRESSION": "brotli", "TOPICS": "a", "PARALLEL": "many",
			"SOURCE_BROKERS": "nowhere", "SOURCE_SASL": "KERBEROS", "SOURCE_SASL_PASSWORD": "hunter2",
		}, payload)
		var faults *fn.ConfigError
		if !errors.As(err, &faults) {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"JOB", "MODE", "COMPRESSION", "TOPICS", "PARALLEL", "SOURCE_BROKERS has", "SOURCE_SASL is", "TARGET_BROKERS"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s is not in %v", want, err)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is in %v", err)
		}
	})
}

func TestResult(t *testing.T) {
	t.Parallel()
	t.Run("its JSON names what a caller of etl invoke looks for", func(t *testing.T) {
		t.Parallel()
		text, err := json.Marshal(mirror.Result{Partitions: []mirror.PartitionResult{{Range: mirror.Range{Topic: "t", Last: 9}, Next: 10, Records: 10}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"topic":"t"`, `"next":10`, `"records":10`} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s is not in %s", want, text)
			}
		}
	})
}
