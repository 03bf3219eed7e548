package mirror_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// states are records with keys, written "key=value"; "key" alone is a tombstone.
func states(written string) []batch.Record {
	var records []batch.Record
	for _, word := range strings.Fields(written) {
		key, value, ok := strings.Cut(word, "=")
		r := batch.Record{Timestamp: 7, Key: []byte(key)}
		if ok {
			r.Value = []byte(value)
		}
		records = append(records, r)
	}
	return records
}

func TestCompareCompactedTopics(t *testing.T) {
	t.Parallel()

	// compare compares compacted topics; spans may bound the source.
	compare := func(t *testing.T, left, right string, options mirror.CompareOptions) mirror.TopicComparison {
		t.Helper()
		client, _ := cluster(t, localkafka.Config{})
		for topic, written := range map[string]string{"left": left, "right": right} {
			createTopic(t, client, kafka.TopicSpec{Name: topic, Settings: map[string]string{"cleanup.policy": "compact"}})
			produce(t, client, topic, 0, batch.None, 1, states(written))
		}
		got := compareTopics(t, client, options)
		if !got.Compacted || got.Ordered || !strings.Contains(got.Scope(), "last record of each key") {
			t.Errorf("compared %s", got.Scope())
		}
		return got
	}

	for name, c := range map[string]struct {
		left, right string
		keys        int64
	}{
		"the cleaner of one side has not come along yet": {"a=2 b=1 c=3", "a=1 c=1 a=2 b=1 c=2 c=3", 3},
		"tombstones are there on one side only":          {"a=1", "a=1 b=1 b", 1},
		"and on the other":                               {"a=1 b", "a=1", 1},
		"nothing is there":                               {"a", "b", 0},
	} {
		t.Run("no alarm: "+name, func(t *testing.T) {
			t.Parallel()
			got := compare(t, c.left, c.right, mirror.CompareOptions{})
			if !got.Equal || got.Partitions[0].Source.Records != c.keys || got.Partitions[0].Source.Digest != got.Partitions[0].Target.Digest {
				t.Errorf("got %+v, want %d equal keys", got.Partitions[0], c.keys)
			}
		})
	}

	t.Run("no alarm: a key was written again behind the end of a side, and its older record is gone there", func(t *testing.T) {
		t.Parallel()
		got := compare(t, "b=1 a=2", "a=1 b=1", mirror.CompareOptions{Source: map[int32]mirror.Span{0: {First: 0, End: 1}}})
		if !got.Equal || got.Partitions[0].Source.Records != 1 {
			t.Errorf("got %+v, want it equal", got.Partitions[0])
		}
	})

	for name, c := range map[string]struct{ left, right, field, words string }{
		"another last value":                  {"a=1 b=1", "b=1 a=1 a=2", mirror.FieldValue, "value differs: source partition 0 offset 0"},
		"a key that is missing":               {"b=1 a=1 c=1", "c=1 b=1", mirror.FieldMissing, "missing in target: source partition 0 offset 1"},
		"a key that only the target has":      {"a=1", "a=1 x=1 y=1", mirror.FieldExtra, "only in target: target partition 0 offset 1"},
		"a tombstone that the target lacks":   {"a=1 a", "a=1", mirror.FieldValue, "offset 1"},
		"the first of several, in the source": {"c=1 b=1 a=1", "", mirror.FieldMissing, "offset 0"},
	} {
		t.Run("found: "+name, func(t *testing.T) {
			t.Parallel()
			if c.right == "" {
				c.right = "z"
			}
			got := compare(t, c.left, c.right, mirror.CompareOptions{})
			d := got.Partitions[0].Difference
			if got.Equal || d == nil || d.Field != c.field || !strings.Contains(fmt.Sprint(d), c.words) {
				t.Errorf("got %+v, want %s and %q", d, c.field, c.words)
			}
		})
	}
}
