package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const bucket = "data-1250000000"

// world is a cluster, a bucket, and the environment of the function.
func world(t *testing.T) (*kafka.Client, *cos.Bucket, map[string]string) {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"events": 2}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { brokers.Close() })
	client, err := kafka.Open(t.Context(), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucket}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("the-secret-key")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	store, err := cos.Open(cos.Config{
		Bucket: bucket, Region: localcos.DefaultRegion, Endpoint: server.URL(), Credentials: cos.Static("id", secret.New("the-secret-key")),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, store, map[string]string{
		"SOURCE_BROKERS": strings.Join(client.Brokers(), ","), "TOPICS": "events",
		"COS_BUCKET": bucket, "COS_REGION": localcos.DefaultRegion, "COS_ENDPOINT": server.URL(), "COS_SECRET_ID": "id", "COS_SECRET_KEY": "the-secret-key",
	}
}

func produce(t *testing.T, client *kafka.Client, partition int32, values ...string) {
	t.Helper()
	var records []batch.Record
	for _, v := range values {
		records = append(records, batch.Record{Value: []byte(v), Timestamp: 1_790_000_000_000})
	}
	if _, err := client.Produce(t.Context(), "events", partition, records...); err != nil {
		t.Fatal(err)
	}
}

const timer = `{"Type":"Timer","TriggerName":"compact","Time":"2026-01-02T03:05:00Z","Message":""}`

// count gives the rows of the dataset, and the sum of amounts.
func count(t *testing.T, store *cos.Bucket) (rows, sum int64) {
	t.Helper()
	d, err := dataset.Open(t.Context(), store, "dataset")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.Query(t.Context(), dataset.Query{Measures: []dataset.Measure{
		{Name: "n", Op: dataset.Count}, {Name: "sum", Op: dataset.Sum, Column: "amount"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Rows[0][0].(int64), answer.Rows[0][1].(int64)
}

func TestLoad(t *testing.T) {
	t.Parallel()

	t.Run("an event's records become rows, once however often it comes", func(t *testing.T) {
		t.Parallel()
		client, store, environment := world(t)
		produce(t, client, 0, `{"at":"2026-11-27T09:00:00Z","action":"buy","amount":3}`)
		payload, err := os.ReadFile("testdata/event.json")
		if err != nil {
			t.Fatal(err)
		}
		function := fntest.Deploy(t, New, environment)
		for range 3 {
			if _, err := function.Invoke(payload); err != nil {
				t.Fatal(err)
			}
		}
		if rows, sum := count(t, store); rows != 1 || sum != 3 {
			t.Errorf("%d rows, sum %d", rows, sum)
		}
		if strings.Contains(function.Log(), "the-secret-key") {
			t.Error("the key is in the log")
		}
	})

	t.Run("a timer loads all that is new in its topics", func(t *testing.T) {
		t.Parallel()
		client, store, environment := world(t)
		function := fntest.Deploy(t, New, environment)
		for i := range 3 {
			produce(t, client, int32(i%2), fmt.Sprintf(`{"amount":%d}`, i), `{"amount":10}`)
			if result, err := function.Invoke([]byte(timer)); err != nil || result.Records != 2 || result.Compacted == nil {
				t.Fatalf("%+v, %v", result, err)
			}
		}
		if rows, sum := count(t, store); rows != 6 || sum != 33 {
			t.Errorf("%d rows, sum %d", rows, sum)
		}
	})

	t.Run("a record that does not fit is in the dead letter once, and the others are loaded", func(t *testing.T) {
		t.Parallel()
		client, store, environment := world(t)
		produce(t, client, 0, `{"amount":0}`)
		if _, err := fntest.Invoke(t, New, environment, []byte(timer)); err != nil {
			t.Fatal(err)
		}
		produce(t, client, 1, `{"amount":1}`, `{"amount":"much"}`, `no JSON`, `{"amount":2}`)
		for range 2 { // two instances: the second finds what the first has done
			if _, err := fntest.Invoke(t, New, environment, []byte(timer)); err != nil {
				t.Fatal(err)
			}
			remove(t, store, "dataset/date=", "events-1-") // as if the first had died before it had written it
		}
		if _, err := fntest.Invoke(t, New, environment, []byte(timer)); err != nil {
			t.Fatal(err)
		}
		if rows, sum := count(t, store); rows != 3 || sum != 3 {
			t.Errorf("%d rows, sum %d", rows, sum)
		}
		fetched, err := client.FetchRecords(
			t.Context(),
			kafka.FetchRequest{Topic: "deadletter", MaxBytes: 1 << 20, ReadCommitted: true},
		)
		if err != nil {
			t.Fatal(err)
		}
		if len(fetched.Records) != 2 {
			t.Fatalf("%d letters", len(fetched.Records))
		}
		letter, err := deadletter.Decode(fetched.Records[0])
		if err != nil || letter.Record.Offset != 1 || letter.Partition != 1 || !strings.Contains(letter.Error, "amount") {
			t.Errorf("%+v, %v", letter, err)
		}
	})

	t.Run("settings with mistakes are all named, before anything is connected to", func(t *testing.T) {
		t.Parallel()
		_, err := fntest.Invoke(t, New, map[string]string{
			"PARALLEL": "100", "SCHEMA": "testdata/none.yaml", "SCHEMA_CHANGE": "guess", "COS_SECRET_ID": "id", "GAPS": "no",
		}, []byte(timer))
		if err == nil {
			t.Fatal("they are taken")
		}
		for _, key := range []string{"SOURCE_BROKERS", "PARALLEL", "SCHEMA", "SCHEMA_CHANGE", "GAPS", "BUCKET", "COS_SECRET_ID"} {
			if !strings.Contains(err.Error(), key) {
				t.Errorf("%v does not name %s", err, key)
			}
		}
	})
}

// source is a cluster that does something before each fetch.
type source struct {
	*kafka.Client
	before func(partition int32)
}

func (s *source) Fetch(ctx context.Context, q kafka.FetchRequest, b *kafka.Buffer) (kafka.FetchResponse, error) {
	s.before(q.Partition)
	return s.Client.Fetch(ctx, q, b)
}

func TestNoTimeLeft(t *testing.T) {
	t.Parallel()
	// run loads two partitions; the time is over in the second, after its first record.
	run := func(t *testing.T, first string) (Result, error) {
		t.Helper()
		client, store, _ := world(t)
		produce(t, client, 0, first)
		produce(t, client, 1, `{"amount":1}`, `{"amount":2}`)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		fetches := 0
		loader, err := load.New(load.Config{
			Source: &source{client, func(partition int32) {
				if fetches += int(partition); fetches == 2 {
					cancel()
				}
			}},
			Dataset: dataset.New(store, "dataset"), RangeBytes: 1, Parallel: 1,
			Schema: &load.Schema{Columns: []load.Field{{Name: "amount", Type: dataset.Int}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		h := &handler{config: Config{Topics: []string{"events"}, Compact: true}, source: client, loader: loader}
		return h.Handle(ctx, event.KafkaOrTimer{Timer: &event.Timer{}})
	}

	t.Run("a timer that has loaded a part is no failure: the next firing goes on", func(t *testing.T) {
		t.Parallel()
		if result, err := run(t, `{"amount":0}`); err != nil || result.Records != 2 {
			t.Errorf("%+v, %v", result, err)
		}
	})
	t.Run("but a partition that more time does not help is one, and it alone is named", func(t *testing.T) {
		t.Parallel()
		result, err := run(t, `{"amount":"much"}`)
		if !errors.Is(err, load.ErrRefused) || errors.Is(err, load.ErrTime) || result.Records != 1 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// remove deletes the objects below a prefix whose key has a part.
func remove(t *testing.T, store *cos.Bucket, prefix, part string) {
	t.Helper()
	for o, err := range store.List(t.Context(), cos.ListOptions{Prefix: prefix}) {
		if err == nil && strings.Contains(o.Key, part) {
			err = store.Delete(t.Context(), o.Key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	t.Run("a topic and a timer are told apart", func(t *testing.T) {
		t.Parallel()
		var e event.KafkaOrTimer
		if err := e.UnmarshalJSON([]byte(timer)); err != nil || e.Timer == nil || e.Kafka != nil {
			t.Errorf("%+v, %v", e, err)
		}
		payload, err := event.Kafka{Records: []event.KafkaRecord{{Topic: "events"}}}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := e.UnmarshalJSON(payload); err != nil || e.Kafka == nil || e.Timer != nil {
			t.Errorf("%+v, %v", e, err)
		}
	})
}
