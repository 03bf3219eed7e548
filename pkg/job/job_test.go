package job_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/deadletter/objects"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// shout is a whole job.
func shout(_ context.Context, r job.Record, emit func(job.Output)) error {
	if len(r.Value) == 0 {
		return errors.New("nothing to shout")
	}
	emit(job.Output{Record: batch.Record{Key: r.Key, Value: bytes.ToUpper(r.Value)}})
	return nil
}

func TestNew(t *testing.T) {
	t.Parallel()
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"said": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { brokers.Close() })
	client, err := kafka.Open(t.Context(), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	e := event.Kafka{}
	for i, value := range []string{"hello", "", "world"} {
		if _, err := client.Produce(t.Context(), "said", 0, batch.Record{Value: []byte(value), Timestamp: 1_790_000_000_000}); err != nil {
			t.Fatal(err)
		}
		e.Records = append(e.Records, event.KafkaRecord{Topic: "said", Offset: int64(i), Key: []byte("None"), Body: []byte(value)})
	}
	payload, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	addresses := strings.Join(client.Brokers(), ",")
	read := func(topic string) (all []batch.Record) {
		t.Helper()
		fetched, err := client.FetchRecords(t.Context(), kafka.FetchRequest{Topic: topic, MaxBytes: 1 << 20, MaxWait: time.Millisecond, ReadCommitted: true})
		if err != nil {
			t.Fatal(err)
		}
		return fetched.Records
	}

	t.Run("a piece of code is a function that does it once, and keeps what it refuses", func(t *testing.T) {
		f := fntest.Deploy(t, job.New(shout), map[string]string{"JOB": "shout", "TOPICS": "said:shouted", "SOURCE_BROKERS": addresses, "TARGET_BROKERS": addresses})
		for range 3 { // the platform sends an event at least once
			if _, err := f.Invoke(payload); err != nil {
				t.Fatal(err)
			}
		}
		got := read("shouted")
		if len(got) != 2 || string(got[0].Value) != "HELLO" || string(got[1].Value) != "WORLD" || got[0].Timestamp != 1_790_000_000_000 {
			t.Errorf("got %+v", got)
		}
		letters := read("deadletter")
		if len(letters) != 1 {
			t.Fatalf("%d dead letters", len(letters))
		}
		if l, err := deadletter.Decode(letters[0]); err != nil || l.Record.Offset != 1 || l.Error != "nothing to shout" || l.Function != "function-under-test" || l.Version != "$LATEST" {
			t.Errorf("letter %+v (%v)", l, err)
		}
	})

	t.Run("a record that no letter can hold goes into the bucket, with the keys of the function's role", func(t *testing.T) {
		key := secret.New("the-key")
		server, err := localcos.New(localcos.Config{Dir: t.TempDir(), Keys: map[string]localcos.Key{"id": {Secret: key}}, Buckets: []string{"letters-1250000000"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		if err := server.Start("localhost:0"); err != nil {
			t.Fatal(err)
		}
		if err := client.CreateTopic(t.Context(), kafka.TopicSpec{Name: "small", Partitions: 1, Settings: map[string]string{"max.message.bytes": "9000"}}); err != nil {
			t.Fatal(err)
		}
		large := bytes.Repeat([]byte("a line "), 10_000)
		if _, err := client.Produce(t.Context(), "said", 0, batch.Record{Value: large, Timestamp: 1_790_000_000_000}); err != nil {
			t.Fatal(err)
		}
		refuse := func(context.Context, job.Record, func(job.Output)) error { return errors.New("not wanted") }
		f := fntest.Deploy(t, job.New(refuse), map[string]string{
			"JOB": "refuse", "SOURCE_BROKERS": addresses, "TARGET_BROKERS": addresses, "TOPICS": "said:none",
			"DEADLETTER_TOPIC": "small", "DEADLETTER_BUCKET": "letters-1250000000", "DEADLETTER_ENDPOINT": server.URL(),
			"TENCENTCLOUD_REGION": localcos.DefaultRegion, "TENCENTCLOUD_SECRETID": "id", "TENCENTCLOUD_SECRETKEY": "the-key",
		})
		whole := event.Kafka{Records: []event.KafkaRecord{{Topic: "said", Offset: 3, Body: large}}}
		payload, err := whole.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := f.Invoke(payload); err != nil {
				t.Fatal(err)
			}
		}
		letters := read("small")
		if len(letters) != 1 {
			t.Fatalf("%d dead letters", len(letters))
		}
		letter, err := deadletter.Decode(letters[0])
		if err != nil {
			t.Fatal(err)
		}
		store, err := objects.New(cos.Config{Endpoint: server.URL(), Credentials: cos.Static("id", key)})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := letter.Whole(t.Context(), store); letter.Object == "" || err != nil || !bytes.Equal(got.Record.Value, large) {
			t.Errorf("object %q with %d bytes, %v", letter.Object, len(got.Record.Value), err)
		}
	})

	t.Run("a job has to have a name", func(t *testing.T) {
		if _, err := fntest.Invoke(t, job.New(shout), map[string]string{"TARGET_BROKERS": addresses}, payload); err == nil || !strings.Contains(err.Error(), "JOB is not set") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("the order of keys behind dead letters needs headers, which events do not have", func(t *testing.T) {
		env := map[string]string{"JOB": "shout", "TARGET_BROKERS": addresses, "DEADLETTER_KEEP_ORDER": "true"}
		if _, err := fntest.Invoke(t, job.New(shout), env, payload); err == nil || !strings.Contains(err.Error(), "SOURCE_BROKERS") {
			t.Errorf("got %v", err)
		}
	})
}
