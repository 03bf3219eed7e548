package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// letters fills a dead-letter topic with letters about records of orders/0: two
// that were rejected, and one about a record that is no text.
func letters(t *testing.T) (environ []string, source *kafka.Client) {
	t.Helper()
	environ, source, target := twoClusters(t)
	for c, topic := range map[*kafka.Client]string{source: "orders", target: "deadletter"} {
		if err := c.CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: 1, Settings: sample.TopicSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	for i, value := range []string{`{"amount":"x"}`, `{"amount":"y"}`, "\xff\x00"} {
		l := deadletter.Letter{
			Record: batch.Record{Offset: int64(i), Timestamp: 1_790_000_000_000, Key: []byte("key"), Value: []byte(value), Headers: []batch.Header{{Key: "trace", Value: []byte("1")}}},
			Topic:  "orders", Function: "clean", Reason: deadletter.Rejected, Error: "rule 2: amount: no number", Attempt: 1, At: time.UnixMilli(1_790_000_001_000),
		}
		if i == 2 {
			l.Reason, l.Error, l.Stack = deadletter.Panicked, "index out of range \x1b[2J", "goroutine 1 [running]:\nmain.go:7"
		}
		if _, err := target.Produce(t.Context(), "deadletter", 0, l.Records(0)...); err != nil {
			t.Fatal(err)
		}
	}
	return environ, source
}

// want runs a command and wants texts in its output.
func want(t *testing.T, environ []string, code int, args []string, texts ...string) (stdout string) {
	t.Helper()
	got, stdout, stderr := etl(t, environ, args...)
	if got != code {
		t.Fatalf("etl %v: exit code %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stdout+stderr, text) {
			t.Errorf("etl %v: %q is not in\n%s%s", args, text, stdout, stderr)
		}
	}
	return stdout
}

func TestDeadletter(t *testing.T) {
	t.Parallel()
	environ, source := letters(t)

	t.Run("list counts by reason, and shows one error of each", func(t *testing.T) {
		out := want(t, environ, exitDone, []string{"deadletter", "list"}, "rejected", "amount: no number", "panic", "0:2", "3 open, 0 redriven")
		if strings.Contains(out, "\x1b") {
			t.Error("an error reaches the terminal as it is")
		}
		var s deadletter.Summary
		if err := json.Unmarshal([]byte(want(t, environ, exitDone, []string{"deadletter", "list", "-o", "json"})), &s); err != nil || len(s.Groups) != 2 || s.Groups[0].Open != 2 {
			t.Errorf("got %+v, %v", s, err)
		}
	})
	t.Run("list --letters has a line for each", func(t *testing.T) {
		want(t, environ, exitDone, []string{"deadletter", "list", "--letters", "--reason", "rejected", "--limit", "1"}, "0:0", "orders/0:0", "and more")
	})
	t.Run("show has the error, the stack, the headers and the value", func(t *testing.T) {
		want(t, environ, exitDone, []string{"deadletter", "show", "0:0"}, "topic orders, partition 0, offset 0", "no number", "trace: 1", `{"amount":"x"}`, "etl deadletter redrive 0:0")
		want(t, environ, exitDone, []string{"deadletter", "show", "0:2"}, "main.go:7", "ff 00")
	})
	t.Run("show as JSON has a value that is no text in base64", func(t *testing.T) {
		want(t, environ, exitDone, []string{"deadletter", "show", "0:2", "-o", "json"}, `"base64": "/wA="`, `"key": "key"`)
	})
	t.Run("show of a position without a letter says how to find them", func(t *testing.T) {
		want(t, environ, exitFailed, []string{"deadletter", "show", "0:9"}, "no letter begins", "list --letters")
	})
	t.Run("a topic that is not there is named, and how to name another", func(t *testing.T) {
		want(t, append(environ, "DEADLETTER_TOPIC=nowhere"), exitFailed, []string{"deadletter", "list"}, "nowhere", "--topic")
	})

	mended := filepath.Join(t.TempDir(), "mended.json")
	if err := os.WriteFile(mended, []byte(`{"amount":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("show --value gives the value alone, --against what is different", func(t *testing.T) {
		if out := want(t, environ, exitDone, []string{"deadletter", "show", "0:0", "--value"}); out != `{"amount":"x"}` {
			t.Errorf("got %q", out)
		}
		want(t, environ, exitDone, []string{"deadletter", "show", "0:0", "--against", mended}, `-  "amount": "x"`, `+  "amount": 1`)
	})
	t.Run("redrive sends nothing until it is executed", func(t *testing.T) {
		want(t, environ, exitDone, []string{"deadletter", "redrive", "--all"}, "3 letters would be sent", "--execute")
		want(t, environ, exitDone, []string{"deadletter", "redrive", "0:0", "--value", mended}, `+  "amount": 1`, "1 letters would be sent")
		wantValues(t, source)
	})
	t.Run("redrive sends one, mended, and then the others", func(t *testing.T) {
		want(t, environ, exitDone, []string{"deadletter", "redrive", "0:0", "--value", mended, "--execute"}, "1 of 1 letters were sent", "deadletter.redrives")
		want(t, environ, exitDone, []string{"deadletter", "redrive", "--error", "no number", "--execute"}, "1 of 1 letters were sent", "redriven already")
		wantValues(t, source, `{"amount":1}`, `{"amount":"y"}`)
		want(t, environ, exitDone, []string{"deadletter", "list"}, "1 open, 2 redriven")
		want(t, environ, exitDone, []string{"deadletter", "show", "0:0"}, "redriven", "offset 0", "with another value", "--again")
	})
	t.Run("redrive of a position without a letter is a failure", func(t *testing.T) {
		want(t, environ, exitFailed, []string{"deadletter", "redrive", "0:9", "--execute"}, "0:9")
	})
	t.Run("redrive to a function is refused with the reason and the way", func(t *testing.T) {
		want(t, environ, exitUsage, []string{"deadletter", "redrive", "--all", "--to", "function"}, "checkpoint", "--to topic=NAME")
	})
}

// wantValues compares the values of orders/0.
func wantValues(t *testing.T, c *kafka.Client, values ...string) {
	t.Helper()
	fetched, err := c.FetchRecords(t.Context(), kafka.FetchRequest{Topic: "orders", MaxBytes: 1 << 20, ReadCommitted: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range fetched.Records {
		got = append(got, string(r.Value))
	}
	if strings.Join(got, "\n") != strings.Join(values, "\n") {
		t.Errorf("got %q, want %q", got, values)
	}
}

func TestDiffValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, mended, want string }{
		"equal values":           {"a", "a", "equal"},
		"white space":            {`{"a":1}`, "{\"a\": 1}\n", "white space"},
		"bytes that are no text": {"\xff", "a", "1 bytes in 0:1, 1 in file"},
		"a field of JSON":        {`{"a":1,"b":2}`, `{"a":1,"b":3}`, "+  \"b\": 3\n"},
		"a line":                 {"a\nb\n", "a\nc\n", "-b\n+c\n"},
		"an empty value":         {"", "a", "+a\n"},
	} {
		t.Run("of "+name, func(t *testing.T) {
			t.Parallel()
			if got := diffValues("0:1", []byte(c.old), "file", []byte(c.mended)); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q in it", got, c.want)
			}
		})
	}
}
