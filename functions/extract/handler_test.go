package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// world is a cluster, a source that serves testdata, and the environment of the function.
func world(t *testing.T) (*kafka.Client, map[string]string) {
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
	source := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	t.Cleanup(source.Close)
	return client, map[string]string{
		"TARGET_BROKERS": strings.Join(client.Brokers(), ","), "SOURCE_URL": source.URL + "/events.ndjson",
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

func TestExtract(t *testing.T) {
	t.Parallel()
	t.Run("a firing takes what the source has, with what cannot be mapped in the dead letter; the next one what is new", func(t *testing.T) {
		t.Parallel()
		_, environment := world(t)
		function := fntest.Deploy(t, New, environment)
		first, err := function.Invoke(timer(t))
		if err != nil || first.Records != 5 || first.Written != 4 || first.DeadLetters != 1 || !first.Done {
			t.Fatalf("%+v, %v", first, err)
		}
		if next, err := function.Invoke(timer(t)); err != nil || next.Records != 0 || next.Total != 5 || !next.Done {
			t.Errorf("%+v, %v", next, err)
		}
		if cold, err := fntest.Invoke(t, New, environment, timer(t)); err != nil || cold.Records != 0 || cold.Total != 5 {
			t.Errorf("cold: %+v, %v", cold, err)
		}
	})
	t.Run("a source that is away is an error, and the next firing goes on", func(t *testing.T) {
		t.Parallel()
		_, environment := world(t)
		url := environment["SOURCE_URL"]
		environment["SOURCE_URL"] = "http://127.0.0.1:1/events.ndjson"
		_, err := fntest.Invoke(t, New, environment, timer(t), fntest.WithTimeLimit(3*time.Second))
		if err == nil || !strings.Contains(err.Error(), "0 records of this run are committed") {
			t.Errorf("got %v", err)
		}
		environment["SOURCE_URL"] = url
		if r, err := fntest.Invoke(t, New, environment, timer(t)); err != nil || r.Records != 5 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("a file with mistakes is an error with all of them, before anything is connected to", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "extract.yaml")
		text := "version: 1\nsource: {http: {url: {env: SOURCE_URL}, fromat: csv}}\nrules: [{pasre: json}]\noutput: {format: raw, topic: t}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := fntest.Invoke(t, New, map[string]string{"TARGET_BROKERS": "127.0.0.1:1", "EXTRACT_FILE": file}, timer(t))
		for _, want := range []string{"SOURCE_URL is not set", `did you mean "format"?`, `did you mean "parse"?`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}
