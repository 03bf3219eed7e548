package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

// cluster is one for source and target.
func cluster(t *testing.T) *kafka.Client {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"access": 1}})
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

// produce writes lines to the source.
func produce(t *testing.T, c *kafka.Client, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if _, err := c.Produce(t.Context(), "access", 0, batch.Record{Value: []byte(line), Timestamp: 1_790_000_000_000}); err != nil {
			t.Fatal(err)
		}
	}
}

// trigger is the event that says which offsets to clean.
func trigger(t *testing.T, lines ...string) []byte {
	t.Helper()
	e := event.Kafka{}
	for i, line := range lines {
		e.Records = append(e.Records, event.KafkaRecord{Topic: "access", Offset: int64(i), Key: []byte("None"), Body: []byte(line)})
	}
	payload, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// read gives the committed records of a topic; none where there is no topic.
func read(t *testing.T, c *kafka.Client, topic string) (all []batch.Record) {
	t.Helper()
	info, err := c.Topic(t.Context(), topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for p := range int32(len(info.Partitions)) {
		ends, err := c.Offsets(t.Context(), topic, kafka.Latest, p)
		if err != nil {
			t.Fatal(err)
		}
		for next := int64(0); next < ends[p]; {
			fetched, err := c.FetchRecords(t.Context(), kafka.FetchRequest{Topic: topic, Partition: p, Offset: next, MaxBytes: 8 << 20, MaxWait: time.Millisecond, ReadCommitted: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range fetched.Records {
				all = append(all, r.Clone())
			}
			next = fetched.Next
		}
	}
	return all
}

func environment(c *kafka.Client, more ...string) map[string]string {
	brokers := strings.Join(c.Brokers(), ",")
	env := map[string]string{"SOURCE_BROKERS": brokers, "TARGET_BROKERS": brokers, "START": "earliest"}
	for _, pair := range more {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	return env
}

// withRules writes a rules file and gives the setting that names it.
func withRules(t *testing.T, rules string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return "RULES=" + file
}

func TestClean(t *testing.T) {
	t.Parallel()

	for _, mode := range []string{"fetch", "event"} {
		t.Run(mode+" mode: every line is in the output, filtered, or in the dead letter, once, whatever it is", func(t *testing.T) {
			t.Parallel()
			c := cluster(t)
			lines := sample.AccessLog(200, 7)
			lines = append(lines, sample.BrokenLines(100<<10)...)
			lines = append(lines, `1.2.3.4 - - [10/Oct/2025:13:55:36 +0800] "GET /healthz HTTP/1.1" 200 2 "-" "probe"`)
			if mode == "event" { // whose bodies are text
				for i, line := range lines {
					lines[i] = strings.ToValidUTF8(line, "?")
				}
			}
			for _, topic := range []string{"log-clean", "log-errors", "deadletter"} { // event mode knows no source to take their partitions from
				if err := c.CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: 2}); err != nil {
					t.Fatal(err)
				}
			}
			produce(t, c, lines...)
			clean := fntest.Deploy(t, New, environment(c, "MODE="+mode))
			var handled, dropped, dead int64
			for range 3 { // the platform sends an event at least once
				result, err := clean.Invoke(trigger(t, lines...))
				if err != nil {
					t.Fatal(err)
				}
				p := result.Partitions[0]
				handled, dropped, dead = handled+p.Handled, dropped+p.Dropped, dead+p.DeadLetters
			}
			good, errs, letters := read(t, c, "log-clean"), read(t, c, "log-errors"), read(t, c, "deadletter")
			if handled != int64(len(lines)) || dropped != 1 || dead != int64(len(letters)) {
				t.Errorf("%d lines: %d handled, %d dropped, %d dead of %d letters", len(lines), handled, dropped, dead, len(letters))
			}
			if got := len(good) + len(errs) + len(letters) + 1; got != len(lines) {
				t.Errorf("%d good, %d errors, %d letters and a filtered line are not %d lines", len(good), len(errs), len(letters), len(lines))
			}
			for _, r := range good {
				var line struct{ Client, Path string }
				if err := json.Unmarshal(r.Value, &line); err != nil || !strings.Contains(line.Client, "*") && !strings.HasSuffix(line.Client, ".0") {
					t.Fatalf("%q shows who it was (%v)", r.Value, err)
				}
			}
			for _, r := range letters {
				l, err := deadletter.Decode(r)
				if err != nil {
					t.Fatal(err)
				}
				if want := lines[l.Record.Offset]; string(l.Record.Value) != want || !strings.Contains(l.Error, "rules.yaml:7:") {
					t.Errorf("letter of offset %d has not its line, or not the rule: %s", l.Record.Offset, l.Error)
				}
			}
		})
	}

	t.Run("rules with mistakes are refused before anything is connected to, with all their places", func(t *testing.T) {
		t.Parallel()
		rules := withRules(t, "version: 1\nrules:\n- parse: combinde\n- filter: status >\noutput: {topic: x}\n")
		_, err := fntest.Invoke(t, New, map[string]string{"TARGET_BROKERS": "localhost:1", "RULES": strings.TrimPrefix(rules, "RULES=")}, trigger(t, "line"))
		var faults *transform.RulesError
		if !errors.As(err, &faults) || len(faults.Faults) != 2 {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"mine.yaml:3:10", "mine.yaml:4:"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s is not in %v", want, err)
			}
		}
	})

	t.Run("rules without a topic need TOPICS", func(t *testing.T) {
		t.Parallel()
		c := cluster(t)
		produce(t, c, `{"a":1}`)
		rules := withRules(t, "version: 1\nrules:\n- parse: json\n")
		if _, err := fntest.Invoke(t, New, environment(c, rules), trigger(t, "x")); err == nil || !strings.Contains(err.Error(), "TOPICS=") {
			t.Fatalf("got %v", err)
		}
		if _, err := fntest.Invoke(t, New, environment(c, rules, "TOPICS=access:cleaned"), trigger(t, "x")); err != nil {
			t.Fatal(err)
		}
		if got := read(t, c, "cleaned"); len(got) != 1 || string(got[0].Value) != `{"a":1}` {
			t.Errorf("got %v", got)
		}
	})

	t.Run("a duplicate is one for a new instance too", func(t *testing.T) {
		t.Parallel()
		for _, window := range []string{"records: 10", "window: 1h"} {
			c := cluster(t)
			produce(t, c, `{"a":1}`, `{"a":2}`, `{"a":1}`, `{"a":2}`, `{"a":3}`)
			rules := withRules(t, fmt.Sprintf("version: 1\nrules:\n- parse: json\n- deduplicate: {by: [a], %s}\noutput: {topic: cleaned}\n", window))
			for n := range 5 {
				if _, err := fntest.Invoke(t, New, environment(c, rules), trigger(t, make([]string, n+1)...)); err != nil {
					t.Fatal(err)
				}
			}
			if got := read(t, c, "cleaned"); len(got) != 3 {
				t.Errorf("%s: %d records, want 3", window, len(got))
			}
		}
	})

	t.Run("a line that comes back from the dead letter is no duplicate of itself", func(t *testing.T) {
		t.Parallel()
		const mended = "version: 1\nrules:\n- parse: json\n- deduplicate: {by: [a], window: 1h}\noutput: {topic: cleaned}\n"
		for _, failing := range []string{
			"version: 1\nrules:\n- parse: logfmt\n- deduplicate: {by: [a], window: 1h}\noutput: {topic: cleaned}\n",
			"version: 1\nrules:\n- parse: json\n- deduplicate: {by: [a], window: 1h}\n- timestamp: {field: at, layouts: [rfc3339]}\noutput: {topic: cleaned}\n",
		} {
			c := cluster(t)
			produce(t, c, `{"a":1}`, `{"a":2}`)
			if _, err := fntest.Invoke(t, New, environment(c, withRules(t, failing)), trigger(t, "x", "x")); err != nil {
				t.Fatal(err)
			}
			redriver := deadletter.Redriver{Letters: deadletter.Topic{Client: c, Name: "deadletter"}, Source: c}
			if plan, err := redriver.Run(t.Context()); err != nil || plan.Sent != 2 {
				t.Fatalf("%d sent, %v", plan.Sent, err)
			}
			if _, err := fntest.Invoke(t, New, environment(c, withRules(t, mended)), trigger(t, "x", "x", "x", "x")); err != nil {
				t.Fatal(err)
			}
			if got := read(t, c, "cleaned"); len(got) != 2 {
				t.Errorf("%d of 2 lines after %s", len(got), failing)
			}
		}
	})

	t.Run("a pseudonym needs its key, and the log never shows it", func(t *testing.T) {
		t.Parallel()
		c := cluster(t)
		produce(t, c, `{"user":"alice"}`)
		rules := withRules(t, "version: 1\nrules:\n- parse: json\n- mask: {fields: [user], hash: ETL_KEY}\noutput: {topic: cleaned}\n")
		if _, err := fntest.Invoke(t, New, environment(c, rules), trigger(t, "x")); err == nil || !strings.Contains(err.Error(), "ETL_KEY") {
			t.Fatalf("got %v", err)
		}
		const key = "0123456789abcdef0123456789abcdef"
		clean := fntest.Deploy(t, New, environment(c, rules, "ETL_KEY="+key))
		if _, err := clean.Invoke(trigger(t, "x")); err != nil {
			t.Fatal(err)
		}
		if got := read(t, c, "cleaned"); len(got) != 1 || strings.Contains(string(got[0].Value), "alice") || strings.Contains(clean.Log(), key) {
			t.Errorf("got %v", got)
		}
	})
}

func TestHook(t *testing.T) {
	t.Parallel()
	t.Run("as it is, it hands every record to the rules and says what they say", func(t *testing.T) {
		t.Parallel()
		want, calls := errors.New("refused"), 0
		err := hook(context.Background(), job.Record{}, func(job.Record) error { calls++; return want })
		if !errors.Is(err, want) || calls != 1 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
}
