package transform_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

// keyed is a record of partition 0 with a key, at an offset and a second.
func keyed(offset int64, key string, second int64) transform.Record {
	r := record(`{"id":"` + key + `"}`)
	r.Partition, r.Offset, r.Timestamp = 0, offset, 1000*second
	return r
}

// passes returns which of the records pass, as a text of + and -.
func passes(t *testing.T, tr *transform.Transformer, records ...transform.Record) string {
	t.Helper()
	var b strings.Builder
	for _, r := range records {
		mark := byte('-')
		if err := tr.Transform(r, func(transform.Output) error { mark = '+'; return nil }); err != nil {
			t.Fatal(err)
		}
		b.WriteByte(mark)
	}
	checkSum(t, tr.Counters())
	return b.String()
}

func TestDeduplicate(t *testing.T) {
	t.Parallel()
	transformer := func(t *testing.T, rule string) *transform.Transformer {
		return load(t, "rules: [{parse: json}, {deduplicate: {"+rule+"}}]").New()
	}
	t.Run("within a window of event time, whatever the order", func(t *testing.T) {
		t.Parallel()
		got := passes(t, transformer(t, "by: [id], window: 10s"), keyed(1, "a", 100), keyed(2, "a", 110), keyed(3, "b", 110),
			keyed(4, "a", 90), keyed(5, "a", 111), keyed(6, "a", 112))
		if got != "+-+-+-" {
			t.Error(got)
		}
	})
	t.Run("within a number of offsets", func(t *testing.T) {
		t.Parallel()
		got := passes(t, transformer(t, "by: [id], records: 2"), keyed(1, "a", 0), keyed(3, "a", 0), keyed(4, "a", 0), keyed(5, "a", 0))
		if got != "+-+-" {
			t.Error(got)
		}
	})
	t.Run("by an expression", func(t *testing.T) {
		t.Parallel()
		if got := passes(t, transformer(t, "expr: lower(id), records: 9"), keyed(1, "a", 0), keyed(2, "A", 0)); got != "+-" {
			t.Error(got)
		}
	})
	t.Run("partitions know nothing of each other", func(t *testing.T) {
		t.Parallel()
		other := keyed(2, "a", 0)
		other.Partition = 1
		if got := passes(t, transformer(t, "by: [id], records: 9"), keyed(1, "a", 0), other); got != "++" {
			t.Error(got)
		}
	})
	t.Run("what is delivered again is decided again as before, from wherever it starts", func(t *testing.T) {
		t.Parallel()
		for _, rule := range []string{"by: [id], window: 5s", "by: [id], records: 7"} {
			var records []transform.Record
			r := rand.New(rand.NewPCG(7, 7))
			for i := range 500 {
				records = append(records, keyed(int64(3*i), fmt.Sprint(r.IntN(12)), int64(i+r.IntN(4))))
			}
			want := passes(t, transformer(t, rule), records...)
			tr := transformer(t, rule)
			for done := 0; done < len(records); {
				from, to := max(0, done-r.IntN(60)), min(len(records), done+r.IntN(40))
				if got := passes(t, tr, records[from:to]...); got != want[from:to] {
					t.Fatalf("%s: from %d to %d: got %s, want %s", rule, from, to, got, want[from:to])
				}
				done = to
			}
		}
	})
	t.Run("a new instance that was warmed decides as the old one", func(t *testing.T) {
		t.Parallel()
		tr := transformer(t, "by: [id], records: 9")
		tr.Warm(keyed(1, "a", 0))
		if got := passes(t, tr, keyed(2, "a", 0), keyed(3, "b", 0)); got != "-+" {
			t.Error(got)
		}
		if c := tr.Counters(); c.In != 2 {
			t.Errorf("%+v", c)
		}
	})
	t.Run("memory is bounded, and what is forgotten too early is counted", func(t *testing.T) {
		t.Parallel()
		tr := transformer(t, "by: [id], window: 1h, capacity: 100")
		for i := range 1000 {
			passes(t, tr, keyed(int64(i), fmt.Sprint(i), 0))
		}
		if c := tr.Counters(); c.Forgotten != 900 || c.Passed != 1000 {
			t.Errorf("%+v", c)
		}
		if got := passes(t, tr, keyed(1000, "999", 0), keyed(1001, "5", 0)); got != "-+" {
			t.Error(got)
		}
	})
	t.Run("a record without the key, or without a time, is a permanent error", func(t *testing.T) {
		t.Parallel()
		if _, err := outcome(t, "rules: [{parse: json}, {deduplicate: {by: [x], records: 9}}]", record(`{}`)); err == nil {
			t.Error("no error")
		}
		timeless := record(`{"id":1}`)
		timeless.Timestamp = -1
		if _, err := outcome(t, "rules: [{parse: json}, {deduplicate: {by: [id], window: 9s}}]", timeless); err == nil {
			t.Error("no error")
		}
	})
}
