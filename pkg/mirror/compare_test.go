package mirror_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	client, brokers := cluster(t, localkafka.Config{})
	original := slices.Concat(sample.Plain(40, 100, 1), func() []batch.Record { small, _ := special(); return small }(), sample.Plain(40, 100, 2))
	createTopic(t, client, kafka.TopicSpec{Name: "original", Settings: sample.TopicSettings()})
	produce(t, client, "original", 0, batch.Zstd, 7, original)

	const changed = 43 // a special record, with a key and a value
	change := func(f func(r *batch.Record)) []batch.Record {
		records := slices.Clone(original)
		r := records[changed].Clone()
		f(&r)
		records[changed] = r
		return records
	}
	headers := slices.IndexFunc(original, func(r batch.Record) bool { return len(r.Headers) == 3 && r.Headers[0].Key == "nil" })
	swapped := slices.Clone(original)
	swapped[10], swapped[11] = swapped[11], swapped[10]
	header := func(f func(h []batch.Header) []batch.Header) []batch.Record {
		records := slices.Clone(original)
		records[headers] = records[headers].Clone()
		records[headers].Headers = f(records[headers].Headers)
		return records
	}

	for _, c := range []struct {
		name    string
		records []batch.Record
		index   int64
		field   string
		words   string
	}{
		{"a record that was dropped", slices.Delete(slices.Clone(original), 17, 18), 17, mirror.FieldMissing, "missing in target: source partition 0 offset 17"},
		{"the first record dropped", original[1:], 0, mirror.FieldMissing, "offset 0"},
		{"the last record dropped", original[:len(original)-1], int64(len(original) - 1), mirror.FieldMissing, "missing in target"},
		{"a record that is there twice", slices.Insert(slices.Clone(original), 17, original[17]), 18, mirror.FieldExtra, "only in target: target partition 0 offset 18"},
		{"one more at the end", append(slices.Clone(original), original[0]), int64(len(original)), mirror.FieldExtra, "only in target"},
		{"two records that changed places", swapped, 10, mirror.FieldOrder, "order differs"},
		{"a bit of a value", change(func(r *batch.Record) { r.Value = append(r.Value, 1) }), changed, mirror.FieldValue, "value differs"},
		{"a bit of a key", change(func(r *batch.Record) { r.Key[0] ^= 1 }), changed, mirror.FieldKey, "key differs"},
		{"a key that became nil", change(func(r *batch.Record) { r.Key = nil }), changed, mirror.FieldKey, "null"},
		{"an empty value that became a tombstone", change(func(r *batch.Record) {
			if r.Value == nil {
				r.Value = []byte{}
			} else {
				r.Value = nil
			}
		}), changed, mirror.FieldValue, "null"},
		{"a millisecond", change(func(r *batch.Record) { r.Timestamp++ }), changed, mirror.FieldTimestamp, "timestamp differs"},
		{"a header that was added", change(func(r *batch.Record) { r.Headers = append(r.Headers, batch.Header{Key: "x"}) }), changed, mirror.FieldHeaders, `"x"=null`},
		{"a header whose empty value became nil", header(func(h []batch.Header) []batch.Header { h[1].Value = nil; return h }), int64(headers), mirror.FieldHeaders, `"empty"=""`},
		{"headers in another order", header(func(h []batch.Header) []batch.Header { slices.Reverse(h); return h }), int64(headers), mirror.FieldHeaders, "headers differs"},
	} {
		t.Run(c.name+" is found where it is", func(t *testing.T) {
			t.Parallel()
			topic := strings.ReplaceAll(c.name, " ", "-")
			createTopic(t, client, kafka.TopicSpec{Name: topic, Settings: sample.TopicSettings()})
			produce(t, client, topic, 0, batch.LZ4, 5, c.records)
			got, err := mirror.Compare(testContext(t), side(t, client, "original", 0), side(t, client, topic, 0), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Equal || got.Difference == nil || got.Difference.Index != c.index || got.Difference.Field != c.field {
				t.Fatalf("got %+v, want %s at %d", got.Difference, c.field, c.index)
			}
			if !strings.Contains(got.Difference.String(), c.words) {
				t.Errorf("shown as %q, want %q in it", got.Difference, c.words)
			}
			if got.Source.Records != int64(len(original)) || got.Target.Records != int64(len(c.records)) || got.Source.Digest == got.Target.Digest {
				t.Errorf("counted %+v and %+v, want %d and %d records and two digests", got.Source, got.Target, len(original), len(c.records))
			}
		})
	}

	t.Run("aborted records and markers are no difference", func(t *testing.T) {
		t.Parallel()
		createTopic(t, client, kafka.TopicSpec{Name: "transactional", Settings: sample.TopicSettings()})
		for i, r := range original {
			producer := transaction(t, client, "compare")
			produceIn(t, producer, "transactional", 0, []batch.Record{r})
			end(t, producer, true)
			if i%10 == 0 {
				produceIn(t, producer, "transactional", 0, []batch.Record{r})
				end(t, producer, false)
			}
		}
		calls := 0
		got, err := mirror.Compare(testContext(t), side(t, client, "original", 0), side(t, client, "transactional", 0), func(int64) { calls++ })
		if err != nil || !got.Equal || got.Target.End <= got.Source.End || got.Source.Digest != got.Target.Digest {
			t.Errorf("got %+v, %v, want equal with other offsets", got, err)
		}
	})

	t.Run("an open transaction inside the bounds is an error, and beyond them it does not matter", func(t *testing.T) {
		t.Parallel()
		createTopic(t, client, kafka.TopicSpec{Name: "open", Settings: sample.TopicSettings()})
		produce(t, client, "open", 0, batch.None, 10, original)
		producer := transaction(t, client, "open")
		produceIn(t, producer, "open", 0, original[:1])
		_, err := mirror.Compare(testContext(t), side(t, client, "original", 0), side(t, client, "open", 0), nil)
		if !errors.Is(err, mirror.ErrNotStable) {
			t.Errorf("got %v, want ErrNotStable", err)
		}
		got, err := mirror.CompareTopics(testContext(t), client, client, "original", "open", mirror.CompareOptions{})
		if err != nil || !got.Equal {
			t.Errorf("got %+v, %v, want whole topics to end before it", got, err)
		}
		end(t, producer, false)
	})

	t.Run("records that were deleted while they were read are an error", func(t *testing.T) {
		t.Parallel()
		createTopic(t, client, kafka.TopicSpec{Name: "gone", Settings: sample.TopicSettings()})
		produce(t, client, "gone", 0, batch.None, 10, original)
		s := side(t, client, "gone", 0)
		if err := brokers.Fake().DeleteRecords("gone", 0, 20); err != nil {
			t.Fatal(err)
		}
		if _, err := mirror.Compare(testContext(t), side(t, client, "original", 0), s, nil); !errors.Is(err, kafka.ErrOffsetOutOfRange) {
			t.Errorf("got %v, want ErrOffsetOutOfRange", err)
		}
	})

	t.Run("a comparison that is cancelled is an error, never equal", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		left, right := side(t, client, "original", 0), side(t, client, "original", 0)
		cancel()
		for range 50 { // which of its parts notices first is chance
			if got, err := mirror.Compare(ctx, left, right, nil); !errors.Is(err, context.Canceled) || got.Equal {
				t.Fatalf("got %+v, %v, want context.Canceled", got, err)
			}
		}
	})
}

func TestDifferenceShowsLongValuesWhereTheyDiffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("日志", 200)
	d := mirror.Difference{Field: mirror.FieldValue,
		Source: &batch.Record{Value: []byte(long + "A" + long)}, Target: &batch.Record{Value: []byte(long + "B" + long)}}
	text := d.String()
	for _, words := range []string{`志A日`, `志B日`, "from byte 1182 on", "bytes more"} {
		if !strings.Contains(text, words) {
			t.Errorf("%q does not show %q", text, words)
		}
	}
	if len(text) > 400 {
		t.Errorf("%d bytes are too long for a line: %q", len(text), text)
	}
}
