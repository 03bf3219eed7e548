package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const bucket = "backup-1250000000"

// world is a cluster with records, a bucket, and the environment of the function.
func world(t *testing.T) (*kafka.Client, map[string]string) {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"orders": 2, "other": 1}})
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
	if _, err := client.Produce(t.Context(), "orders", 0, sample.Plain(50, 100, 1)...); err != nil {
		t.Fatal(err)
	}
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucket},
		Keys: map[string]localcos.Key{
			"id":   {Secret: secret.New("the-secret-key")},
			"role": {Secret: secret.New("of-the-role"), Token: secret.New("token")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return client, map[string]string{
		"SOURCE_BROKERS": strings.Join(client.Brokers(), ","),
		"COS_BUCKET":     bucket, "COS_ENDPOINT": server.URL(), "COS_SECRET_ID": "id", "COS_SECRET_KEY": "the-secret-key",
	}
}

func timer(t *testing.T) []byte {
	t.Helper()
	payload, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestBackup(t *testing.T) {
	t.Parallel()

	t.Run("each firing backs up what is new, and nothing new is nothing", func(t *testing.T) {
		t.Parallel()
		client, environment := world(t)
		function := fntest.Deploy(t, New, environment)
		if result, err := function.Invoke(timer(t)); err != nil || !result.Complete || result.Records != 50 ||
			result.Sequence != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		if result, err := function.Invoke(timer(t)); err != nil || !result.Complete || result.Changed {
			t.Fatalf("%+v, %v", result, err)
		}
		if _, err := client.Produce(t.Context(), "orders", 1, sample.Plain(5, 100, 2)...); err != nil {
			t.Fatal(err)
		}
		if result, err := function.Invoke(timer(t)); err != nil || result.Records != 5 || result.Sequence != 2 {
			t.Fatalf("%+v, %v", result, err)
		}
		if strings.Contains(function.Log(), "the-secret-key") {
			t.Error("the key is in the log")
		}
	})

	t.Run("without a key it has the rights of its role, as they are at each invocation", func(t *testing.T) {
		t.Parallel()
		_, environment := world(t)
		delete(environment, "COS_SECRET_ID")
		delete(environment, "COS_SECRET_KEY")
		function := fntest.Deploy(t, New, environment)
		if _, err := function.Invoke(timer(t), fntest.WithCredentials("role", "of-the-role", "another token")); err == nil {
			t.Error("a token that the service does not know is taken")
		}
		if result, err := function.Invoke(timer(t), fntest.WithCredentials("role", "of-the-role", "token")); err != nil ||
			!result.Complete {
			t.Errorf("%+v, %v", result, err)
		}
	})

	t.Run("old backups are removed where that is set", func(t *testing.T) {
		t.Parallel()
		client, environment := world(t)
		environment["KEEP_COUNT"] = "2"
		function := fntest.Deploy(t, New, environment)
		for i := range uint64(4) {
			if _, err := client.Produce(t.Context(), "orders", 0, sample.Plain(5, 100, i)...); err != nil {
				t.Fatal(err)
			}
			result, err := function.Invoke(timer(t))
			if err != nil {
				t.Fatal(err)
			}
			if i == 3 && (result.Pruned == nil || result.Pruned.Oldest < 2) {
				t.Errorf("%+v", result.Pruned)
			}
		}
		for range 3 { // nothing new: the same backups stay
			if result, err := function.Invoke(timer(t)); err != nil || result.Changed || result.Pruned != nil {
				t.Fatalf("%+v, %v", result, err)
			}
		}
	})

	t.Run("settings with mistakes are all named, before anything is connected to", func(t *testing.T) {
		t.Parallel()
		_, err := fntest.Invoke(
			t,
			New,
			map[string]string{"INCLUDE": "(", "PARALLEL": "100", "AGE_RECIPIENTS": "age1wrong", "COS_SECRET_ID": "id"},
			timer(t),
		)
		if err == nil {
			t.Fatal("they are taken")
		}
		for _, key := range []string{"SOURCE_BROKERS", "INCLUDE", "PARALLEL", "AGE_RECIPIENTS", "COS_BUCKET", "COS_SECRET_ID"} {
			if !strings.Contains(err.Error(), key) {
				t.Errorf("%v does not name %s", err, key)
			}
		}
	})
}
