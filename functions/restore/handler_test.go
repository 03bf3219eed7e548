package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const bucket = "backup-1250000000"

func cluster(t *testing.T) *kafka.Client {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { brokers.Close() })
	client, err := kafka.Open(
		t.Context(),
		kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// world is a backup of 50 records of the topic orders, an empty cluster, and the
// environment of the function.
func world(t *testing.T) (*kafka.Client, map[string]string) {
	t.Helper()
	server, err := localcos.New(
		localcos.Config{
			Dir:     t.TempDir(),
			Buckets: []string{bucket},
			Keys:    map[string]localcos.Key{"id": {Secret: secret.New("key")}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	source, target := cluster(t), cluster(t)
	if err := source.CreateTopic(t.Context(), kafka.TopicSpec{Name: "orders", Partitions: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Produce(t.Context(), "orders", 1, sample.Plain(50, 100, 1)...); err != nil {
		t.Fatal(err)
	}
	where := backup.Place{
		Bucket:    bucket,
		Region:    "ap-guangzhou",
		Endpoint:  server.URL(),
		Prefix:    "backup",
		SecretID:  "id",
		SecretKey: secret.New("key"),
	}
	store, err := where.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Run(t.Context(), backup.Config{Source: source, Store: store, Prefix: where.Prefix}); err != nil {
		t.Fatal(err)
	}
	return target, map[string]string{
		"TARGET_BROKERS": strings.Join(target.Brokers(), ","),
		"COS_BUCKET":     bucket, "COS_ENDPOINT": server.URL(), "COS_SECRET_ID": "id", "COS_SECRET_KEY": "key",
	}
}

func end(t *testing.T, c *kafka.Client, topic string) int64 {
	t.Helper()
	ends, err := c.Offsets(t.Context(), topic, kafka.Latest, 1)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	return ends[1]
}

func TestRestore(t *testing.T) {
	t.Parallel()
	sampleEvent, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("a plan does nothing, a restore brings every record once, and another target name again", func(t *testing.T) {
		t.Parallel()
		target, environment := world(t)
		function := fntest.Deploy(t, New, environment)
		if result, err := function.Invoke(sampleEvent); err != nil || !result.Planned || len(result.Plan.Topics) != 1 ||
			end(t, target, "orders") != -1 {
			t.Fatalf("%+v, %v", result, err)
		}
		for i, want := range []int64{50, 0} {
			if result, err := function.Invoke([]byte(`{}`)); err != nil || !result.Complete || result.Records != want {
				t.Fatalf("restore %d: %+v, %v", i, result, err)
			}
		}
		if result, err := function.Invoke([]byte(`{"rename":{"orders":"copy"},"job":"again"}`)); err != nil ||
			result.Records != 50 ||
			end(t, target, "copy") < 50 {
			t.Fatalf("%+v, %v", result, err)
		}
	})

	t.Run("single partitions are restored where the request names them", func(t *testing.T) {
		t.Parallel()
		target, environment := world(t)
		function := fntest.Deploy(t, New, environment)
		for request, want := range map[string]int64{
			`{"partitions":{"orders":[0]},"groups":"none","job":"zero","rename":{"orders":"zero"}}`: 0,
			`{"partitions":{"orders":[1]},"groups":"none","job":"one","rename":{"orders":"one"}}`:   50,
		} {
			if result, err := function.Invoke([]byte(request)); err != nil || !result.Complete || result.Records != want {
				t.Errorf("%s: %+v, %v", request, result, err)
			}
		}
		for _, request := range []string{`{"partitions":{"orders":[2]}}`, `{"groups":"("}`} {
			if _, err := function.Invoke([]byte(request)); err == nil || end(t, target, "orders") != -1 {
				t.Errorf("%s: %v", request, err)
			}
		}
	})

	t.Run("a POST to the URL restores, and a GET plans", func(t *testing.T) {
		t.Parallel()
		target, environment := world(t)
		function := fntest.Deploy(t, New, environment)
		get, err := event.HTTP{Method: "GET", Path: "/"}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if result, err := function.Invoke(get); err != nil || !result.Planned || end(t, target, "orders") != -1 {
			t.Fatalf("%+v, %v", result, err)
		}
		post, err := event.HTTP{Method: "POST", Path: "/", Body: []byte(`{"topics":["ord.*"]}`)}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if result, err := function.Invoke(post); err != nil || !result.Complete || result.Records != 50 {
			t.Fatalf("%+v, %v", result, err)
		}
	})

	t.Run(
		"a request with a member that does not exist is refused, and so is a wrong key of the bucket",
		func(t *testing.T) {
			t.Parallel()
			target, environment := world(t)
			if _, err := fntest.Invoke(t, New, environment, []byte(`{"topic":"orders"}`)); err == nil ||
				end(t, target, "orders") != -1 {
				t.Errorf("%v", err)
			}
			environment["COS_SECRET_KEY"] = "another"
			if _, err := fntest.Invoke(t, New, environment, []byte(`{}`)); !errors.Is(err, cos.ErrAccess) {
				t.Errorf("%v", err)
			}
		},
	)
}
