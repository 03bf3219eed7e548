package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestProduceAndConsume(t *testing.T) {
	t.Parallel()
	environ, _, _ := twoClusters(t)
	file := filepath.Join(t.TempDir(), "lines")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("lines become records, those of a key in one partition and in order", func(t *testing.T) {
		write("a:1\nb:2\na:3\nb:4:5\n")
		want(t, environ, exitDone, []string{"produce", "pairs", file, "--key-separator", ":", "--create"}, "4 records written to topic pairs")
		out := want(t, environ, exitDone, []string{"consume", "pairs", "--cluster", "source", "-o", "json"})
		values := map[string][]string{}
		partitions := map[string][]int32{}
		for line := range strings.Lines(out) {
			var r struct {
				Partition  int32
				Key, Value string
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			values[r.Key] = append(values[r.Key], r.Value)
			partitions[r.Key] = append(partitions[r.Key], r.Partition)
		}
		if !slices.Equal(values["a"], []string{"1", "3"}) || !slices.Equal(values["b"], []string{"2", "4:5"}) ||
			len(slices.Compact(partitions["a"])) != 1 || len(slices.Compact(partitions["b"])) != 1 {
			t.Errorf("got %v in %v", values, partitions)
		}
	})

	t.Run("records without a key are spread, and the newest of each partition shown", func(t *testing.T) {
		write("one\ntwo\nthree\nfour\nfive\n")
		want(t, environ, exitDone, []string{"produce", "words", file, "--create"}, "5 records")
		out := want(t, environ, exitDone, []string{"consume", "words", "--cluster", "source", "--last", "1"}, "null five", "null two")
		if strings.Contains(out, "null one") || strings.Count(out, "\n") != 4 {
			t.Errorf("got\n%s", out)
		}
		want(t, environ, exitDone, []string{"consume", "words", "--cluster", "source", "--partition", "1"}, "1:0", "two")
	})

	t.Run("a topic that is not there is no topic, until --create is given", func(t *testing.T) {
		want(t, environ, exitFailed, []string{"produce", "nowhere", file}, "nowhere", "--create")
		want(t, environ, exitFailed, []string{"consume", "nowhere"}, "nowhere")
	})

	t.Run("a line without a key is named, and those before it are written or counted", func(t *testing.T) {
		write("a:1\nb\n")
		want(t, environ, exitFailed, []string{"produce", "pairs", file, "--key-separator", ":"}, "line 2 has no", "0 records were written before")
		want(t, environ, exitUsage, []string{"consume", "pairs", "--cluster", "middle"}, "want source or target")
	})
}
